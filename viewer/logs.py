"""The portal's log: one line per event, made to be read by people and cut by programs."""

import logging
import traceback

from viewer.db.faults import told


class OneLine(logging.Formatter):
    """Tells a fault by its kind, its words and where it arose, behind what was being done, instead of a traceback."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        fault = record.exc_info[1] if record.exc_info else None
        words = (
            record.getMessage() if fault is None else f"{record.getMessage()} fault={_said(fault)} at={_where(fault)}"
        )
        line = {**vars(record), "msg": words, "args": None, "exc_info": None, "exc_text": None, "stack_info": None}
        return super().format(logging.makeLogRecord(line)).replace("\n", "\\n")


def _said(fault: BaseException) -> str:
    """Its kind and words; the database's without what stands in its rows."""
    words = told(fault)
    return repr(fault) if words == str(fault) else f"{type(fault).__name__}({words!r})"


def _where(fault: BaseException) -> str:
    """File and line of the innermost frame of a fault."""
    frames = traceback.extract_tb(fault.__traceback__)
    return f"{frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else "?"
