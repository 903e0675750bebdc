"""What the simulator knows and tells: the sheet a coach fills in, the points a person clicks, and, beside the rig,
the truth that no node and no hub ever sees."""

from pathlib import Path

import msgspec

from simulator.demo.options import Options
from simulator.match.engine import play
from simulator.match.truth import truth_events, truth_tracks
from simulator.pictures.outfits import KITS
from simulator.pictures.rigs import TrueRig, nominal_hfov_deg, virtual_rig
from wire.durable import write_parts_durably
from wire.events import events_csv
from wire.match import MatchSheet, Team
from wire.message import encode
from wire.pitch_tracks import TeamSide, pitch_tracks_csv


def sheet_of(options: Options) -> MatchSheet:
    """What a coach enters before the match; the shirts' colours are only known where we dressed the teams."""
    if not options.simulated:
        return MatchSheet(title="Recorded match", pitch=options.pitch, home=Team("Home"), away=Team("Away"))
    home, away = ("#{:02x}{:02x}{:02x}".format(*KITS[side].shirt) for side in (TeamSide.HOME, TeamSide.AWAY))
    return MatchSheet(
        title="Under 13, autumn league",
        pitch=options.pitch,
        home=Team("Riverside", home),
        away=Team("Hillcrest", away),
        home_starts="left",
    )


def rig_of(options: Options) -> TrueRig:
    """The virtual rig of this match day."""
    return virtual_rig(options.rig, options.pitch, options.seed)


def lens_of(options: Options) -> float | None:
    """The lens's nominal horizontal field of view, degrees; unknown for recorded files."""
    return nominal_hfov_deg(options.rig, options.pitch) if options.simulated else None


def write(options: Options) -> None:
    """The truth of a simulated match, into `OUT/truth`."""
    folder: Path = options.out / "truth"
    folder.mkdir(parents=True, exist_ok=True)
    match = play(options.pitch, options.seconds, options.seed)
    write_parts_durably(folder / "tracks.csv", (part.encode() for part in pitch_tracks_csv(truth_tracks(match, 0))))
    (folder / "events.csv").write_text(events_csv(truth_events(match)))
    rig = msgspec.structs.replace(rig_of(options).rig, pitch=options.pitch)
    (folder / "rig.json").write_bytes(encode(rig, indent=1))
