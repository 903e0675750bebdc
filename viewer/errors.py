"""Faults of the portal; each is one sentence that the person who meets it can act on."""


class ViewerError(Exception):
    """Root of every fault in this room."""


class BadSettings(ViewerError, ValueError):
    """An option or address the portal cannot run with."""


class PortTaken(ViewerError, OSError):
    """Another program already listens on the wanted port."""


class NewerDatabase(ViewerError):
    """A database written by a newer portal than this one."""


class BadPackage(ViewerError, ValueError):
    """A match package that is damaged, incomplete, or says something other than it holds."""


class NotYours(ViewerError):
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
