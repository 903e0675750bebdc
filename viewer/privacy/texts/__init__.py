"""The words that people consent to, one file for each version; a version that was answered never changes."""

import re
from datetime import datetime
from pathlib import Path

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from viewer.errors import ChangedConsentText
from viewer.privacy.models import ConsentText

VERSION = 1
"""The version that is asked for now."""


def words_of(version: int) -> str:
    """The words of a version that this portal brings."""
    return (Path(__file__).parent / f"{version}.md").read_text(encoding="utf-8")


def sections_of(words: str) -> dict[str, str]:
    """A text's parts by their headings, each paragraph on one line."""
    parts = [part.partition("\n") for part in re.split(r"^#+ ", words, flags=re.MULTILINE) if part.strip()]
    return {heading.strip(): re.sub(r"(?<!\n)\n(?!\n)", " ", body.strip()) for heading, _, body in parts}


def text_in_force(session: Session, now: datetime) -> ConsentText:
    """The text that answers are given to today, written down when it is answered for the first time.

    Raises `ChangedConsentText` when the portal's words are not those that people have already answered.
    """
    words = words_of(VERSION)
    kept = session.get(ConsentText, VERSION)
    if kept is None:
        try:
            with session.begin_nested():
                session.add(ConsentText(version=VERSION, text=words, made_at=now))
        except IntegrityError:
            # Somebody else gave the first answer at the same moment.
            session.expire_all()
        kept = session.get_one(ConsentText, VERSION)
    if kept.text != words:
        raise ChangedConsentText(f"consent text {VERSION} was answered in other words: ship new words as {VERSION + 1}")
    return kept
