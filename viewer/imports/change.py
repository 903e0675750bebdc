"""What an import would change: one line that an admin can tick."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec


class Group(StrEnum):
    """What a change is about, in the order in which changes are applied."""

    VENUE = "venue"
    TEAM = "team"
    PLAYER = "player"
    PARENT = "parent"
    COACH = "coach"
    GAME = "game"
    ANSWERS = "answers"
    NOTE = "note"


class Effect(StrEnum):
    """What would be done. LINK ties to what is here already; no act deletes a player, a team or an account."""

    ADD = "add"
    LINK = "link"
    CHANGE = "change"
    LEAVE = "leave"
    RETURN = "return"
    INVITE = "invite"
    JOIN = "join"
    CANCEL = "cancel"
    ANSWER = "answer"
    TELL = "tell"


@dataclass(frozen=True)
class Change:
    """One change; `key` is the source's id of its subject, `ticked` what we propose, `note` what speaks against it."""

    group: Group
    act: Effect
    key: str
    words: str
    team: str = ""
    old: dict[str, Any] = field(default_factory=dict)
    new: dict[str, Any] = field(default_factory=dict)
    ticked: bool = True
    note: str = ""

    @property
    def id(self) -> str:
        """Made from all that the change does, so that a tick never stands for anything else than what was shown."""
        said = json.dumps([self.group, self.act, self.key, self.old, self.new], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()[:20]

    @property
    def tickable(self) -> bool:
        """Whether there is something to do, or only something to know."""
        return self.act is not Effect.TELL


def as_json(changes: Iterable[Change]) -> list[dict[str, Any]]:
    """As an import run keeps them while it waits."""
    return [msgspec.to_builtins(change) for change in changes]


def read_changes(plain: list[dict[str, Any]]) -> list[Change]:
    """The changes that `as_json` wrote."""
    return msgspec.convert(plain, list[Change])


def settled(changes: Iterable[Change], done: Iterable[str]) -> list[dict[str, Any]]:
    """What is kept of a run that was decided: no name or address, but what was declined is not proposed anew."""
    applied = set(done)
    return [{"id": c.id, "group": c.group.value, "act": c.act.value, "done": c.id in applied} for c in changes]
