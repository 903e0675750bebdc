"""The table of jobs."""

from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from viewer.db.base import Base
from viewer.jobs.lease import Leased


class Job(Leased, Base):
    """A piece of work; `subject` is the session it is about."""

    __tablename__ = "job"
    kind: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(63), index=True)
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
