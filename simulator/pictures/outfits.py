"""What people wear: a palette of sRGB colours, one per garment of the figure."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.match.truth import Person
from simulator.pictures.body import Garment
from wire.pitch_tracks import Role, TeamSide

Palette = npt.NDArray[np.float32]
"""(13, 3) sRGB 0 to 255, indexed by `Garment`."""

Colour = tuple[int, int, int]


class Kit(NamedTuple):
    """A team's colours."""

    shirt: Colour
    shorts: Colour
    socks: Colour
    trim: Colour


KITS: dict[TeamSide, Kit] = {
    TeamSide.HOME: Kit((178, 38, 46), (236, 236, 236), (174, 38, 46), (245, 245, 245)),
    TeamSide.AWAY: Kit((42, 70, 160), (34, 52, 124), (235, 235, 235), (240, 240, 240)),
    TeamSide.NONE: Kit((24, 24, 28), (24, 24, 28), (26, 26, 30), (230, 230, 90)),
}
KEEPERS: dict[TeamSide, Kit] = {
    TeamSide.HOME: Kit((212, 212, 74), (30, 30, 34), (212, 212, 74), (30, 30, 30)),
    TeamSide.AWAY: Kit((220, 124, 50), (30, 30, 34), (220, 124, 50), (30, 30, 30)),
}
SKINS: tuple[Colour, ...] = ((236, 188, 160), (224, 172, 142), (198, 146, 112), (150, 104, 76), (104, 70, 52))
HAIRS: tuple[Colour, ...] = ((28, 22, 20), (52, 36, 26), (96, 66, 40), (170, 132, 76), (120, 56, 30))
_COATS: tuple[Colour, ...] = (
    (40, 44, 58), (120, 34, 40), (58, 86, 62), (152, 150, 144), (206, 196, 176), (64, 70, 120),
    (30, 30, 32), (178, 92, 60), (90, 104, 122), (196, 60, 84), (216, 216, 220), (94, 66, 48),
)  # fmt: skip
_TROUSERS: tuple[Colour, ...] = ((36, 40, 54), (58, 66, 92), (30, 30, 32), (98, 90, 76), (72, 74, 80))


def player_palette(person: Person, random: np.random.Generator) -> Palette:
    """The kit of `person`, with skin and hair drawn from `random`."""
    kit = KEEPERS[person.team] if person.keeper else KITS[person.team]
    skin = SKINS[int(random.choice(len(SKINS), p=(0.3, 0.3, 0.2, 0.1, 0.1)))]
    dark = SKINS.index(skin) >= 3
    hair = HAIRS[int(random.integers(2 if dark else len(HAIRS)))]
    boot = [(24, 24, 26), (230, 230, 230), (220, 70, 40), (60, 180, 200)][int(random.integers(4))]
    long_sleeves = person.keeper or random.random() < 0.15
    hand = (228, 228, 228) if person.keeper else skin
    number = kit.trim if person.role is not Role.REFEREE else kit.shirt
    return _palette(
        kit.shirt,
        kit.shirt if long_sleeves else skin,
        hand,
        kit.shorts,
        skin,
        kit.socks,
        boot,
        kit.trim,
        skin,
        hair,
        number,
    )


def onlooker_palette(random: np.random.Generator) -> Palette:
    """Somebody in everyday clothes."""
    coat = _varied(_COATS[int(random.integers(len(_COATS)))], random)
    legs = _varied(_TROUSERS[int(random.integers(len(_TROUSERS)))], random)
    skin = SKINS[int(random.integers(len(SKINS)))]
    hair = HAIRS[int(random.integers(2 if SKINS.index(skin) >= 3 else len(HAIRS)))]
    if random.random() < 0.25:
        hair = _varied(coat, random)
    return _palette(coat, coat, skin, legs, legs, legs, (34, 32, 30), coat, skin, hair, coat)


def _varied(colour: Colour, random: np.random.Generator) -> Colour:
    red, green, blue = (int(np.clip(c + random.integers(-14, 15), 0, 255)) for c in colour)
    return red, green, blue


def _palette(
    shirt: Colour, forearm: Colour, hand: Colour, shorts: Colour, knee: Colour, sock: Colour, shoe: Colour,
    trim: Colour, face: Colour, hair: Colour, number: Colour,
) -> Palette:  # fmt: skip
    out = np.zeros((len(Garment), 3), np.float32)
    for garment, colour in (
        (Garment.FACE, face), (Garment.HAIR, hair), (Garment.SHIRT, shirt), (Garment.SLEEVE, shirt),
        (Garment.FOREARM, forearm), (Garment.HAND, hand), (Garment.SHORTS, shorts), (Garment.KNEE, knee),
        (Garment.SOCK, sock), (Garment.SHOE, shoe), (Garment.TRIM, trim), (Garment.NUMBER, number),
    ):  # fmt: skip
        out[garment] = colour
    return out
