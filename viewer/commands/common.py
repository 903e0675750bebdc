"""What every command takes: the portal's folder and database."""

import argparse
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from viewer.db import Database
from viewer.db.migrate import upgrade
from viewer.errors import BadSettings, NotThere
from viewer.media.opening import VARIABLE as MEDIA
from viewer.settings import Settings, teamsnap_app

HORIZON = "TOUCHLINE_BACKUP_DAYS"
"""Environment variable that every command reads the backups' horizon from, in days."""
Run = Callable[[argparse.Namespace], int | None]
if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_command(commands: "Commands", name: str, run: Run, help_text: str) -> argparse.ArgumentParser:
    """A command with the options that all have; `run` gets them and returns the exit status (None is 0)."""
    command = commands.add_parser(name, help=help_text, description=help_text)
    command.add_argument("--data", type=Path, required=True, metavar="DIR", help="the portal's folder")
    command.add_argument(
        "--database",
        default=os.environ.get("TOUCHLINE_DATABASE", ""),
        metavar="URL",
        help="sqlite:///FILE or postgresql+psycopg://user@host/name (DIR/portal.db when left out)",
    )
    command.set_defaults(run=run)
    return command


def add_queue(command: argparse.ArgumentParser) -> None:
    """The option of commands that wake workers, or are one."""
    command.add_argument(
        "--queue",
        default=os.environ.get("TOUCHLINE_QUEUE", ""),
        metavar="URL",
        help="what wakes workers: postgresql+psycopg://user@host/name or redis://host:port/0 (a file in DIR)",
    )


def add_media(command: argparse.ArgumentParser) -> None:
    """Where the matches' files are, for a command that puts or fetches some; all others look at the environment."""
    command.add_argument(
        "--media",
        default=os.environ.get(MEDIA, ""),
        metavar="URL",
        help="another folder for the matches' files, or s3://bucket/prefix?endpoint=https://host&region=name",
    )


def settings_of(options: argparse.Namespace) -> Settings:
    """The settings that the options ask for."""
    return Settings(
        data=options.data.resolve(),
        database=options.database,
        host=getattr(options, "host", "127.0.0.1"),
        port=getattr(options, "port", 8080),
        public_url=getattr(options, "public_url", ""),
        demo_mailbox=getattr(options, "demo_mailbox", False),
        smtp=getattr(options, "smtp", ""),
        backup_days=_backup_days(),
        queue=getattr(options, "queue", ""),
        store=getattr(options, "media", os.environ.get(MEDIA, "")),
        stream=getattr(options, "stream_media", False),
        x_accel=getattr(options, "x_accel", ""),
        trusted_proxies=tuple(getattr(options, "trusted_proxy", ())),
        teamsnap=teamsnap_app(os.environ),
    )


def _backup_days() -> int:
    given = os.environ.get(HORIZON, "30")
    if not given.isdecimal() or int(given) < 1:
        raise BadSettings(f"{HORIZON} is a number of days, such as 30")
    return int(given)


def database_of(options: argparse.Namespace) -> Database:
    """The portal's database, brought up to date."""
    settings = settings_of(options)
    settings.make_folders()
    database = Database(settings.database_url)
    upgrade(database)
    return database


def existing_database(settings: Settings) -> Database:
    """The portal's database as it is, of whatever revision; raises `NotThere` where there is none."""
    database = Database(settings.database_url)
    path = database.engine.url.database
    if database.engine.dialect.name == "sqlite" and not (path and Path(path).exists()):
        raise NotThere(f"there is no portal in {settings.data}")
    return database


def line(most: int) -> Callable[[str], str]:
    """An option that is a line of text without its outer spaces, of at most `most` characters."""

    def read(text: str) -> str:
        if len(text.strip()) > most or not text.isprintable():
            raise argparse.ArgumentTypeError(f"at most {most} characters, each of which can be seen")
        return text.strip()

    return read


def new_password() -> str:
    """A password that nobody guesses, for an account made from the command line."""
    return secrets.token_urlsafe(9)
