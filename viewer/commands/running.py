"""Commands that run the portal's processes, or say what those would be told."""

import argparse
import os
from typing import TYPE_CHECKING

from viewer.admin.told import told
from viewer.commands.common import add_command, add_media, add_queue, database_of, settings_of
from viewer.db.migrate import current
from viewer.web.assets import Assets

if TYPE_CHECKING:
    from viewer.commands.common import Commands


def add(commands: "Commands") -> None:
    """`serve`, `worker`, `settings` and `migrate`."""
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
