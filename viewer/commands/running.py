"""Commands that run the portal's processes, or say what those would be told."""

import argparse
import os
from typing import TYPE_CHECKING

from viewer.admin.condition import disk_of, health_of, revision
from viewer.admin.told import told
from viewer.clock import now
from viewer.commands.common import add_command, add_media, add_queue, database_of, existing_database, settings_of
from viewer.db.migrate import current
from viewer.web.assets import Assets

if TYPE_CHECKING:
    from viewer.commands.common import Commands


def add(commands: "Commands") -> None:
    """`serve`, `worker`, `settings`, `migrate` and `health`."""
    serve = add_command(commands, "serve", _serve, "run the web process")
    work = add_command(commands, "worker", _work, "run the worker process")
    work.add_argument("--workers", type=int, default=1, help="jobs that this process works on at a time (%(default)s)")
    asked = add_command(commands, "settings", _settings, "print what serve and worker would be told by these options")
    for command in (serve, asked):
        command.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
        command.add_argument("--stream-media", action="store_true", help="send files of a bucket through the portal")
        command.add_argument("--x-accel", default="", metavar="PATH", help="nginx's internal place of the media folder")
        command.add_argument(
            "--trusted-proxy",
            action="append",
            default=[],
            metavar="NETWORK",
            help="a proxy's address or network whose X-Forwarded-For counts; may be given several times",
        )
    for command in (work, asked):
        command.add_argument(
            "--smtp",
            default=os.environ.get("TOUCHLINE_SMTP", ""),
            metavar="URL",
            help="send mails through smtp[s]://[user:password@]host[:port]",
        )
    for command in (serve, work, asked):
        add_queue(command)
        add_media(command)
        command.add_argument("--port", type=int, default=8080, help="the portal's port (%(default)s)")
        command.add_argument("--public-url", default="", metavar="URL", help="the portal's address in mails")
        command.add_argument(
            "--demo-mailbox", action="store_true", help="show mails on /mailbox instead of sending them"
        )
    add_command(commands, "migrate", _migrate, "bring the database up to date (serve and worker do so at their start)")
    add_command(commands, "health", _health, "say whether database, work and disk are well; status 1 when not")


def _serve(options: argparse.Namespace) -> None:
    # The housekeeping commands start twice as fast without the web server and the queue.
    from viewer.web.server import run_server  # noqa: PLC0415

    run_server(settings_of(options))


def _work(options: argparse.Namespace) -> int:
    from viewer.jobs.process import run_worker  # noqa: PLC0415

    return run_worker(settings_of(options), options.workers)


def _settings(options: argparse.Namespace) -> None:
    for name, value in told(settings_of(options), Assets().version):
        print(name, value, sep="\t")


def _migrate(options: argparse.Namespace) -> None:
    print(f"the database is at revision {current(database_of(options))}")


def _health(options: argparse.Namespace) -> int:
    """Nothing is changed: a database of another revision is not brought up to date here, and not asked further."""
    settings = settings_of(options)
    database = existing_database(settings)
    held, right = revision(database)
    disk = disk_of(settings)
    print("revision", held if right else f"{held}: not this portal's", sep="\t")
    print("disk", f"{disk.free / 1e9:.3f} of {disk.total / 1e9:.3f} GB free", sep="\t")
    well = right and not disk.tight
    if right:
        with database.reading() as session:
            health = health_of(session, now())
        for state, rows in health.numbers.items():
            print(state, rows, sep="\t")
        if health.late_s is not None:
            print("oldest due for", f"{health.late_s} s", sep="\t")
        for name, slot in health.duties:
            print(name, f"last begun for {slot:%Y-%m-%dT%H:%M}Z", sep="\t")
        well = well and not health.failed
    database.close()
    return 0 if well else 1
