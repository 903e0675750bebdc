"""What a request handler may reach."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from litestar.datastructures import State

from viewer.clock import Clock, now
from viewer.db import Database
from viewer.media.opening import open_store
from viewer.media.store import MediaStore
from viewer.sealing import Seal
from viewer.settings import Settings
from viewer.web.assets import Assets


@dataclass
class Portal:
    """One running portal; `wake` nudges the worker."""

    settings: Settings
    database: Database
    wake: Callable[[], None]
    seal: Seal
    assets: Assets = field(default_factory=Assets)
    clock: Clock = now

    @cached_property
    def media(self) -> MediaStore:
        """The store of the matches' files."""
        return open_store(self.settings)


def portal_of(state: State) -> Portal:
    """The portal that the application was built for."""
    portal: Portal = state.portal
    return portal
