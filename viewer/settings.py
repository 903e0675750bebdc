"""Where the portal keeps its things and how it is reached: everything a process is told at its start."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from viewer.errors import BadSettings

LOOPBACK = ("127.0.0.1", "::1", "localhost")
QUEUES = ("postgresql+psycopg", "redis", "rediss", "unix")


@dataclass(frozen=True)
class TeamSnapApp:
    """What TeamSnap has registered this portal as, and where TeamSnap is: elsewhere only for a demo and tests."""

    client_id: str
    secret: str = field(repr=False)
    auth_url: str = "https://auth.teamsnap.com"
    api_url: str = "https://api.teamsnap.com/v3/"

    def __post_init__(self) -> None:
        for url in (self.auth_url, self.api_url):
            parts = urlsplit(url)
            if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
                raise BadSettings(f"{url!r} is no https:// address for TeamSnap")


def teamsnap_app(environment: Mapping[str, str]) -> TeamSnapApp | None:
    """The app that the environment names (TOUCHLINE_TEAMSNAP_ID, _SECRET); None where no club can use TeamSnap."""
    names = {"client_id": "ID", "secret": "SECRET", "auth_url": "AUTH_URL", "api_url": "API_URL"}
    given = {name: environment.get(f"TOUCHLINE_TEAMSNAP_{end}", "") for name, end in names.items()}
    if not given["client_id"] and not given["secret"]:
        return None
    if not given["client_id"] or not given["secret"]:
        raise BadSettings("TOUCHLINE_TEAMSNAP_ID and TOUCHLINE_TEAMSNAP_SECRET go together: give both or none")
    return TeamSnapApp(**{name: value for name, value in given.items() if value})


@dataclass(frozen=True)
class Settings:
    """One portal: `data` holds the database, uploads and media unless `database` names another database.

    `public_url` is the address in mails and decides whether cookies demand HTTPS. `demo_mailbox` keeps mails on a page
    instead of sending them; `smtp` is `smtp://[user:password@]host[:port]` or `smtps://…`. `backup_days` is how
    long a backup may be kept: what was erased is in none any more after so many days. `queue` names the PostgreSQL
    or Redis that wakes workers on other machines; left empty, a file in `data` does. `store` is
    where the matches' files are (`viewer.media.opening`); `stream` sends them through the portal also where the store
    could do so itself, and `x_accel` is the internal place from which nginx does. `trusted_proxies` are addresses or
    networks whose X-Forwarded-For counts.
    """

    data: Path
    database: str = ""
    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str = ""
    demo_mailbox: bool = False
    smtp: str = ""
    backup_days: int = 30
    queue: str = ""
    store: str = ""
    stream: bool = False
    x_accel: str = ""
    trusted_proxies: tuple[str, ...] = ()
    teamsnap: TeamSnapApp | None = None

    def __post_init__(self) -> None:
        if self.demo_mailbox and self.host not in LOOPBACK:
            raise BadSettings("--demo-mailbox shows everybody's mail: use it only with --host 127.0.0.1")
        if self.demo_mailbox and self.smtp:
            raise BadSettings("give either --demo-mailbox or --smtp, not both")
        if urlsplit(self.url).scheme not in ("http", "https"):
            raise BadSettings(f"{self.url!r} is not a web address: --public-url begins with https:// or http://")
        if self.smtp and urlsplit(self.smtp).scheme not in ("smtp", "smtps"):
            raise BadSettings("--smtp is written smtp://host:port or smtps://user:password@host:port")
        if self.queue and urlsplit(self.queue).scheme not in QUEUES:
            raise BadSettings("--queue is written postgresql+psycopg://user@host/name or redis://host:port/0")
        if self.x_accel and not (self.x_accel.startswith("/") and self.x_accel.endswith("/")):
            raise BadSettings("--x-accel is a path in nginx's configuration that begins and ends with /")
        for proxy in self.trusted_proxies:
            try:
                ip_network(proxy)
            except ValueError as fault:
                raise BadSettings(f"--trusted-proxy {proxy!r} is neither an address nor a network") from fault

    @property
    def database_url(self) -> str:
        """SQLAlchemy's address of the database."""
        return self.database or f"sqlite:///{self.data / 'portal.db'}"

    @property
    def url(self) -> str:
        """The portal's address as people type it, without a slash at its end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def https(self) -> bool:
        """Whether people reach the portal over HTTPS."""
        return self.url.startswith("https://")

    @property
    def uploads(self) -> Path:
        """Folder of unfinished uploads."""
        return self.data / "uploads"

    @property
    def incoming(self) -> Path:
        """Folder of whole packages that wait for the worker."""
        return self.data / "incoming"

    @property
    def media(self) -> Path:
        """Folder of the matches' files."""
        return self.data / "media"

    @property
    def work(self) -> Path:
        """Folder in which packages are unpacked; on the same file system as `media`."""
        return self.data / "work"

    def make_folders(self) -> None:
        """Create what is missing; raises `BadSettings` when the data folder cannot be written."""
        try:
            for folder in (self.data, self.uploads, self.incoming, self.media, self.work):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise BadSettings(f"cannot write to {self.data}: {fault.strerror}") from fault
