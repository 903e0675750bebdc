"""What people enter into a page's form: read field by field, kept, and given back with what is wrong beside each."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from litestar.enums import RequestEncodingType
from litestar.params import Body
from sqlalchemy.exc import IntegrityError

from viewer.errors import BadEntry

Sent = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
"""A form as a browser sends it."""
NO_TIME = datetime(1, 1, 1, tzinfo=UTC)


class Form:
    """One form: `values` are what the page shows, `faults` what it says beside a field (under "" for all of it)."""

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        self.values = {name: "" if value is None else str(value) for name, value in (values or {}).items()}
        self.faults: dict[str, str] = {}

    @contextmanager
    def taking(self) -> Iterator[None]:
        """Keep what a rule refuses in the block as a fault of its field."""
        try:
            yield
        except BadEntry as fault:
            self.faults.setdefault(fault.field, str(fault))
        except IntegrityError:
            self.faults.setdefault("", "Somebody changed the same thing at this moment. Look at it and try again.")

    def check(self) -> None:
        """Raise the first fault, if there is one: before anything is written."""
        for field, sentence in self.faults.items():
            raise BadEntry(field, sentence)

    def text(self, name: str, most: int, *, needed: bool = True) -> str:
        """A line of text without its outer spaces."""
        return self._checked(name, " ".join(self.values.get(name, "").split()), most, needed)

    def lines(self, name: str, most: int, *, needed: bool = True) -> str:
        """Several lines of text, as a text area sends them."""
        lines = (" ".join(line.split()) for line in self.values.get(name, "").splitlines())
        return self._checked(name, "\n".join(lines).strip(), most, needed)

    def number(self, name: str, least: int, most: int, *, needed: bool = True) -> int | None:
        """A whole number; None when it was left out or is none."""
        value = self.values.get(name, "").strip()
        if not value and not needed:
            return None
        try:
            number = int(value) if len(value) < 20 else most + 1
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            self.faults[name] = f"A number from {least} to {most}."
            return None
        return number

    def degrees(self, name: str, most: float) -> float | None:
        """An angle from -`most` to `most`; None when it was left out or is none."""
        value = self.values.get(name, "").strip().replace(",", ".")
        if not value:
            return None
        try:
            angle = float(value)
        except ValueError:
            angle = most + 1
        if not -most <= angle <= most:
            self.faults[name] = f"Degrees from -{most:.0f} to {most:.0f}, such as 47.3769."
            return None
        return angle

    def day(self, name: str) -> date:
        """A day of the calendar, as `<input type=date>` sends it."""
        try:
            day = date.fromisoformat(self.values.get(name, "").strip())
        except ValueError:
            day = date.min
        if not 2000 <= day.year <= 2100:
            self.faults[name] = "A day, such as 2026-08-31."
        return day

    def moment(self, name: str, time_zone: str) -> datetime:
        """A time of the clocks in `time_zone`, as `<input type=datetime-local>` sends it."""
        try:
            there = datetime.fromisoformat(self.values.get(name, "").strip())
        except ValueError:
            there = NO_TIME
        if there.tzinfo is not None or not 2000 <= there.year <= 2100:
            self.faults[name] = "Day and time, such as 2026-08-31 10:30."
            return NO_TIME
        return there.replace(tzinfo=ZoneInfo(time_zone)).astimezone(UTC)

    def choice(self, name: str, allowed: Iterable[str]) -> str:
        """One of the values that the page offers."""
        value = self.values.get(name, "")
        if value not in set(allowed):
            self.faults[name] = "Please choose one of these."
        return value

    def row(self, name: str, allowed: Iterable[int], *, needed: bool = True) -> int | None:
        """The number of one of the rows that the page offers; None when it was left out."""
        value = self.values.get(name, "")
        if not value and not needed:
            return None
        numbers = {str(number): number for number in allowed}
        if value not in numbers:
            self.faults[name] = "Please choose one of these."
        return numbers.get(value)

    def _checked(self, name: str, value: str, most: int, needed: bool) -> str:
        if not value and needed:
            self.faults[name] = "Please fill this in."
        elif len(value) > most:
            self.faults[name] = f"At most {most} characters."
        elif not value.replace("\n", "").isprintable():
            self.faults[name] = "This holds a character that nobody can see."
        return value if name not in self.faults else ""


def local_input(at: datetime, time_zone: str) -> str:
    """A time as `<input type=datetime-local>` wants it, in `time_zone`."""
    return at.astimezone(ZoneInfo(time_zone)).strftime("%Y-%m-%dT%H:%M")
