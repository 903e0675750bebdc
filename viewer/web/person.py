"""Who is asking: the signed-in user as a request sees them."""

from dataclasses import dataclass
from datetime import datetime

from viewer.clubs.rights import Rights


@dataclass(frozen=True)
class Person:
    """A signed-in user with their rights. `strong` is whether this browser has shown a second factor."""

    id: int
    name: str
    mail: str
    time_zone: str
    rights: Rights
    sign_in: str
    proven_at: datetime
    strong: bool

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """Where the head of each page leads: words and address."""
        rights = self.rights
        shown = (
            ("Matches", "/", True),
            ("Teams", "/teams", bool(rights.coached or rights.managed)),
            ("Club", "/clubs", bool(rights.clubs)),
            ("Platform", "/platform", rights.platform_admin),
            ("Account", "/account", True),
        )
        return tuple((words, address) for words, address, open_to in shown if open_to)
