"""`touchline-viewer`: the portal's processes and its housekeeping commands."""

import argparse
import logging
import sys
from collections.abc import Sequence

from sqlalchemy.exc import DBAPIError

from viewer.commands import (
    backup,
    clubs,
    demo,
    devices,
    imports,
    jobs,
    joining,
    media,
    oversight,
    people,
    privacy,
    rosters,
    running,
    users,
)
from viewer.db.faults import told
from viewer.errors import PortTaken, ViewerError
from viewer.logs import OneLine

_FIELDS = (
    running,
    backup,
    devices,
    demo,
    jobs,
    users,
    clubs,
    rosters,
    people,
    joining,
    media,
    imports,
    privacy,
    oversight,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it went well, 1 or 2 with one sentence on standard error when not."""
    options = _parser().parse_args(argv)
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(OneLine())
    logging.basicConfig(level=logging.INFO, handlers=[lines])
    for noisy in ("huey", "alembic", "granian", "_granian"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        return int(options.run(options) or 0)
    except PortTaken as fault:
        return _say(str(fault), 2)
    except ViewerError as fault:
        return _say(str(fault), 1)
    except DBAPIError as fault:
        return _say(f"the database cannot be used: {told(fault)}", 1)
    except KeyboardInterrupt:
        return 130
    except Exception as fault:
        return _say(f"this should not happen: {type(fault).__name__}: {told(fault)}", 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="touchline-viewer", description="The portal where a team sees its matches.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for field in _FIELDS:
        field.add(commands)
    return parser


def _say(sentence: str, code: int) -> int:
    print(f"touchline-viewer: {sentence}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
