"""Tables of jobs and of what runs at set times."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from viewer.db.base import Base, UtcTime
from viewer.jobs.lease import Leased


class Job(Leased, Base):
    """A piece of work; `subject` is what it is about, such as a session. It is given up after some three hours."""

    __tablename__ = "job"
    most_attempts = 8
    kind: Mapped[str] = mapped_column(String(40), index=True)
    subject: Mapped[str] = mapped_column(String(63), index=True)
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)


class PeriodicRun(Base):
    """The slot that a periodic duty was last begun for; whoever moves it on runs the duty, and nobody else."""

    __tablename__ = "periodic_run"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    slot: Mapped[datetime] = mapped_column(UtcTime)
