"""What makes a pitch hard to read, or no pitch at all."""

from enum import StrEnum


class Difficulty(StrEnum):
    """One thing that is wrong with a place or its weather; any of them may meet."""

    WORN_LINES = "worn-lines"
    """Paint that is thin everywhere and gone in places; one marking was never painted."""
    THIN_LINES = "thin-lines"
    """Markings 8 cm wide instead of 10 to 12."""
    SHADOWS = "shadows"
    """A low sun: hard-edged shadows of trees, a roof, a pole and everybody across the pitch."""
    TRACK = "track"
    """A running track around the pitch, red with white lanes."""
    YELLOW_LINES = "yellow-lines"
    """Two smaller pitches across the halves, in yellow."""
    BLUE_LINES = "blue-lines"
    """A smaller pitch along this one, in blue."""
    WHITE_LINES = "white-lines"
    """Another sport's lines in the same white."""
    ON_LINES = "on-lines"
    """A crowd of players who stand on the markings."""
    BARE_MOUTHS = "bare-mouths"
    """Grass and paint trodden away before the goals, on the spots and along the near touchline."""
    WET_STRIPES = "wet-stripes"
    """Strong stripes of unequal width, and wet patches."""
    AUTUMN = "autumn"
    """Pale, patchy grass and fallen leaves: paint hardly stands out."""
    ARTIFICIAL = "artificial"
    """Artificial turf: dark, even, with seams."""
    VIDEO = "video"
    """Pictures as a small camera records them: sharpened, and squeezed hard by its encoder."""

    SNOW = "snow"
    """White ground; the lines are gone."""
    NIGHT = "night"
    """Dark between the pools of weak floodlights, and noisy."""
    FOG = "fog"
    """The far half fades away."""
    AWAY = "away"
    """The last camera looks away from the pitch."""
    NO_PITCH = "no-pitch"
    """A meadow: nothing is painted, and there are no goals."""


HOPELESS = frozenset({Difficulty.SNOW, Difficulty.NIGHT, Difficulty.FOG, Difficulty.AWAY, Difficulty.NO_PITCH})
"""With any of these a calibration may be refused; with all others a person still sees where the pitch is."""
