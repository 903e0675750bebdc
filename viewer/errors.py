"""Faults of the portal; each is one sentence that the person who meets it can act on."""


class ViewerError(Exception):
    """Root of every fault in this room."""


class BadSettings(ViewerError, ValueError):
    """An option or address the portal cannot run with."""


class PortTaken(ViewerError, OSError):
    """Another program already listens on the wanted port."""


class NewerDatabase(ViewerError):
    """A database written by a newer portal than this one."""


class Incurable(ViewerError):
    """A job met with something that no further try would change; it is given up at once."""


class BadPackage(Incurable, ValueError):
    """A match package that is damaged, incomplete, or says something other than it holds."""


class NotYours(Incurable):
    """A device or account reached for something that belongs to somebody else."""


class UnknownTeam(ViewerError, LookupError):
    """A team, club or account that nobody has made yet."""


class Throttled(ViewerError):
    """Too many tries to sign in; `wait_s` says for how long."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"Too many tries. Wait {max(1, round(wait_s / 60))} min and try again.")
        self.wait_s = wait_s


class WrongSignIn(ViewerError):
    """Address and password do not belong together; which of the two is wrong stays unsaid."""


class UnknownDevice(ViewerError, LookupError):
    """A device that nobody has made, or whose name several clubs use."""


class WrongCode(ViewerError):
    """A code, of a device, an app, the recovery list or a team, that is not right, was used, or is too old."""


class BadMediaPath(ViewerError, ValueError):
    """A path that is no plain path below the media store."""


class BadLink(ViewerError):
    """A link to a file that was not made here, has ended, or belongs to another browser."""


class LeaseLost(ViewerError):
    """A job was taken over by another worker, or the worker is stopping."""


class FrontEndMissing(ViewerError):
    """The front-end packages could not be installed."""


class UnguardedRoute(ViewerError):
    """A route that does not say who may call it; the portal does not start with one."""


class BadSeal(ViewerError):
    """Something in the database that was sealed with another secret than this portal's."""


class BadBackup(ViewerError, ValueError):
    """A backup that is damaged, cut short, or not for this portal."""


class NotEmpty(ViewerError):
    """A restore would write over a portal that holds something, or one that runs."""


class ToolMissing(ViewerError, LookupError):
    """A program that has to be installed beside the portal."""


class NotThere(ViewerError, LookupError):
    """A thing that does not exist, or not where it was looked for."""


class BadEntry(ViewerError, ValueError):
    """Something that a person entered and that cannot be taken; `field` is where they entered it."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class BadInvitation(ViewerError, ValueError):
    """An invitation that does not say of what, or to something that is gone."""


class LinkSpent(ViewerError):
    """A link of a mail that was used, taken back, or is too old."""


class PlayerTaken(ViewerError):
    """A player who is to be given an account has one already."""


class WeakPassword(ViewerError, ValueError):
    """A new password that others would guess."""


class AddressTaken(ViewerError):
    """An e-mail address that names another account already."""


class BadPasskey(ViewerError):
    """What a browser sent in place of a passkey does not hold."""


class AlreadyDecided(ViewerError):
    """A request that somebody else has answered meanwhile."""


class ChangedConsentText(ViewerError):
    """The words of a consent text that people have answered differ from those that this portal brings."""


class StaleRun(ViewerError):
    """What an import would change is not what was shown any more."""


class RunDecided(ViewerError):
    """An import that was applied or dropped already."""


class BadTable(ViewerError, ValueError):
    """A table that cannot be taken over; `faults` names each row's line and what is wrong with it."""

    def __init__(self, words: str, faults: tuple[str, ...] = ()) -> None:
        super().__init__(words)
        self.faults = faults


class BadState(ViewerError):
    """An answer from another service that this browser has not asked for, or too long ago."""


class TeamSnapFault(ViewerError):
    """TeamSnap could not be asked just now; another try may do."""


class TeamSnapBusy(TeamSnapFault):
    """TeamSnap wants to be left alone for `wait_s` seconds."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"TeamSnap has had too many questions. It is asked again in {max(1, round(wait_s / 60))} min.")
        self.wait_s = wait_s


class NotConnected(TeamSnapFault):
    """TeamSnap does not let us in (any more): an admin has to connect the club anew."""


class NotShown(TeamSnapFault):
    """TeamSnap keeps something from this account; it says so by 403, and by 404."""
