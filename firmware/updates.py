"""Bringing an appliance's software up to date."""

from typing import Protocol

from firmware.errors import NotSetUp
from wire.message import Message


class UpdateNews(Message, frozen=True, kw_only=True):
    """Whether there is newer software: its `version`, None where there is none, and a sentence for the operator."""

    KIND = "update-news"
    VERSION = 1

    version: str | None
    sentence: str


class Updater(Protocol):
    """Whoever knows of newer software and can put it on this board."""

    def check(self) -> UpdateNews:
        """Whether there is newer software."""

    def apply(self) -> None:
        """Put it on the board, which starts anew with it; raises `NotSetUp`."""


_NOT_SET_UP = "updates are not set up on this machine: its software is changed by whoever installed it"


class DisabledUpdater:
    """A machine whose software comes another way."""

    def check(self) -> UpdateNews:
        """There is nothing to be known."""
        return UpdateNews(version=None, sentence=_NOT_SET_UP)

    def apply(self) -> None:
        """Refuses; raises `NotSetUp`."""
        raise NotSetUp(_NOT_SET_UP)
