"""What the portal was told when it was started, in words."""

from sqlalchemy.engine import make_url

from viewer.settings import Settings


def told(settings: Settings, pages: str) -> tuple[tuple[str, str], ...]:
    """Names and values of all settings, and the version of the pages' files; passwords are left out."""
    queue = _without_password(settings.queue) if settings.queue else "a file in the data folder"
    return (
        ("Address", settings.url),
        ("HTTPS", "yes" if settings.https else "no: only for trying it on one machine"),
        ("Data folder", str(settings.data)),
        ("Database", _without_password(settings.database_url)),
        ("Workers are woken by", queue),
        ("Files of matches", settings.store or str(settings.media)),
        ("Files are sent by", _sender(settings)),
        ("Proxies that are believed", ", ".join(settings.trusted_proxies) or "none"),
        ("Backups are kept", f"at most {settings.backup_days} days"),
        ("TeamSnap", "clubs can connect" if settings.teamsnap else "not set up"),
        ("Mails go out", _mail(settings)),
        ("Pages' version", pages),
    )


def _without_password(url: str) -> str:
    return make_url(url).difference_update_query(["password"]).render_as_string(hide_password=True)


def _sender(settings: Settings) -> str:
    if settings.x_accel:
        return f"nginx, from {settings.x_accel}"
    return "the portal" if settings.stream or not settings.store.startswith("s3://") else "the bucket"


def _mail(settings: Settings) -> str:
    if settings.demo_mailbox:
        return "on the page /mailbox, for a demo"
    return f"through {_without_password(settings.smtp)}" if settings.smtp else "by the worker's --smtp"
