"""News reach people as often as they want, and no more after one click; on SQLite and PostgreSQL."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import delete, select, update

from tests.viewer.world import NOW
from viewer.accounts.models import Frequency, User
from viewer.audit.models import AuditEntry
from viewer.clubs.models import ParentPlayer
from viewer.games.models import Game, Recording
from viewer.jobs.duties import Tools, Work
from viewer.jobs.lease import LEASE, State, claim
from viewer.jobs.models import Job
from viewer.jobs.periodic import run_due
from viewer.jobs.worker import Worker
from viewer.mail import digests
from viewer.mail.digests import newest_morning
from viewer.mail.models import DigestItem, Mail
from viewer.mail.notices import match_ready
from viewer.mail.unsubscribing import unsubscribe_url

URL = "https://portal.example.org"
MORNING = datetime(2026, 11, 25, 7, tzinfo=UTC)
"""A Wednesday."""


def set_user(world, who: str, **values: object) -> None:
    with world.database.writing() as session:
        session.execute(update(User).where(User.id == world.users[who]).values(**values))


def tell(world, who: str, now: datetime = NOW) -> None:
    with world.database.writing() as session:
        recording = session.scalars(select(Recording).join(Game).where(Game.id == world.ids["game"])).one()
        match_ready(session, recording, session.get_one(User, world.users[who]), URL, now, world.portal.seal)


def tools(world) -> Tools:
    return Tools(world.database, world.portal.settings, world.clock, world.portal.seal)


def digest_at(world, at: datetime) -> None:
    """What workers do at this time."""
    world.clock.now = at
    run_due(tools(world), digests.PERIODIC)
    Worker(tools(world), None, lambda: False, digests.KINDS).drain()


def mails(world) -> list[Mail]:
    with world.database.reading() as session:
        return list(session.scalars(select(Mail).order_by(Mail.id)))


def test_whoever_wants_news_at_once_gets_one_mail_for_each_match(world):
    tell(world, "parent")
    tell(world, "parent")
    [mail] = mails(world)
    assert mail.recipient == "parent@example.org"
    assert mail.unsubscribe.startswith(f"{URL}/unsubscribe/")
    assert mail.unsubscribe in mail.text


@pytest.mark.parametrize("values", [{"notify": Frequency.NEVER}, {"refused_mail": "parent@example.org"}])
def test_whoever_wants_no_news_or_cannot_get_any_is_not_written_to(world, values):
    set_user(world, "parent", **values)
    tell(world, "parent")
    digest_at(world, MORNING + timedelta(days=7))
    assert mails(world) == []


def test_a_refused_address_is_forgotten_with_the_address(world):
    set_user(world, "parent", refused_mail="the-old-one@example.org")
    tell(world, "parent")
    assert len(mails(world)) == 1


def test_an_old_match_that_is_processed_anew_is_no_news(world):
    tell(world, "parent", NOW + timedelta(days=60))
    assert mails(world) == []


@pytest.mark.parametrize(
    ("frequency", "mornings"),
    [(Frequency.DAILY, [date(2026, 11, 25)]), (Frequency.WEEKLY, [date(2026, 11, 30)])],
)
def test_a_digest_comes_on_the_next_morning_or_monday_and_once(world, frequency, mornings):
    set_user(world, "parent", notify=frequency)
    tell(world, "parent")
    assert mails(world) == []
    sent, at = [], NOW
    while at < NOW + timedelta(days=9):
        before = len(mails(world))
        digest_at(world, at)
        tell(world, "parent", at)
        sent += [at.date()] * (len(mails(world)) - before)
        at += timedelta(hours=1)
    assert sent == mornings
    [mail] = mails(world)
    assert mail.subject == "A match is ready to watch"
    assert "Riverside Rovers 2:1 Hillside United" in mail.text
    assert mail.unsubscribe


def test_after_downtime_one_digest_tells_everything(world):
    set_user(world, "parent", notify=Frequency.DAILY)
    tell(world, "parent")
    digest_at(world, MORNING + timedelta(days=3, hours=5))
    digest_at(world, MORNING + timedelta(days=3, hours=6))
    assert len(mails(world)) == 1


def test_whoever_left_the_team_since_then_reads_nothing_of_it(world):
    set_user(world, "parent", notify=Frequency.DAILY)
    tell(world, "parent")
    with world.database.writing() as session:
        session.execute(delete(ParentPlayer).where(ParentPlayer.user_id == world.users["parent"]))
    digest_at(world, MORNING)
    assert mails(world) == []


def test_a_digest_goes_out_when_it_is_morning_where_the_reader_lives(world):
    for who, zone in (("parent", "Pacific/Auckland"), ("coach", "America/New_York")):
        set_user(world, who, notify=Frequency.DAILY, time_zone=zone)
        tell(world, who)
    got, at = {}, NOW
    while at < NOW + timedelta(days=1):
        digest_at(world, at)
        for mail in mails(world):
            got.setdefault(mail.recipient, at)
        at += timedelta(minutes=30)
    assert got == {
        "parent@example.org": datetime(2026, 11, 24, 18, tzinfo=UTC),
        "coach@example.org": datetime(2026, 11, 24, 12, tzinfo=UTC),
    }


@pytest.mark.parametrize(
    ("zone", "first", "days"),
    [
        ("America/New_York", datetime(2026, 3, 6, tzinfo=UTC), 6),
        ("America/New_York", datetime(2026, 10, 30, tzinfo=UTC), 6),
        ("Pacific/Auckland", datetime(2026, 9, 24, tzinfo=UTC), 6),
        ("Pacific/Auckland", datetime(2026, 4, 2, tzinfo=UTC), 6),
    ],
)
@pytest.mark.parametrize("at", [time(7), time(2, 30), time(1, 30)])
def test_clocks_that_are_put_forward_or_back_bring_one_digest_for_each_date(zone, first, days, at):
    minutes = range(0, days * 24 * 60, 10)
    seen = [newest_morning(first + timedelta(minutes=m), zone, Frequency.DAILY, at).date() for m in minutes]
    begun = [day for before, day in pairwise(seen) if day != before]
    # Never back to a date that was done, and none left out.
    assert begun == [begun[0] + timedelta(days=n) for n in range(days)]


def test_an_unknown_time_zone_is_taken_for_utc():
    assert newest_morning(MORNING, "Mars/Olympus", Frequency.DAILY) == MORNING


def test_a_digest_job_that_dies_half_way_tells_everybody_once(world, monkeypatch):
    class Killed(BaseException):
        pass

    monkeypatch.setattr(digests, "_AT_ONCE", 1)
    for who in ("parent", "coach", "manager"):
        set_user(world, who, notify=Frequency.DAILY)
        tell(world, who)
    world.clock.now = MORNING
    run_due(tools(world), digests.PERIODIC)
    with world.database.writing() as session:
        job = claim(session, Job, world.clock(), "first")
    checks = iter([None, None, Killed()])

    def check() -> None:
        if (fault := next(checks)) is not None:
            raise fault

    with pytest.raises(Killed):
        digests.send_digests(Work(job, "first", tools(world), check))
    assert len(mails(world)) == 2
    world.clock.now += LEASE + timedelta(seconds=1)
    Worker(tools(world), None, lambda: False, digests.KINDS).drain()
    assert sorted(mail.recipient.split("@")[0] for mail in mails(world)) == ["coach", "manager", "parent"]
    with world.database.reading() as session:
        assert session.scalars(select(Job.state)).all() == [State.DONE]
        assert None not in session.scalars(select(DigestItem.told_at)).all()


# ---------------------------------------------------------------------------------------------- unsubscribing


def stop_path(world, who: str = "parent") -> str:
    with world.database.reading() as session:
        return unsubscribe_url(world.portal.seal, "", session.get_one(User, world.users[who]))


def wants(world, who: str = "parent") -> str:
    with world.database.reading() as session:
        return session.get_one(User, world.users[who]).notify


def test_looking_at_the_page_changes_nothing(world):
    with world.client() as browser:
        page = browser.get(stop_path(world))
    assert page.status_code == 200
    assert "End these mails" in page.text
    assert wants(world) == Frequency.AT_ONCE


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "cross-site", "Origin": "https://mail.example"}])
def test_one_click_ends_the_mails_without_signing_in_or_being_sent_elsewhere(world, headers):
    with world.client() as program:
        for _ in range(2):
            answer = program.post(stop_path(world), data={"List-Unsubscribe": "One-Click"}, headers=headers)
            assert answer.status_code == 200
    assert wants(world) == Frequency.NEVER
    assert wants(world, "coach") == Frequency.AT_ONCE
    with world.database.reading() as session:
        assert session.scalars(select(AuditEntry.act)).all() == ["unsubscribe"]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("spoil", ["signature", "reader", "kind"])
def test_an_address_that_we_did_not_sign_ends_nothing(world, method, spoil):
    _, root, reader, kind, signature = stop_path(world).split("/")
    other = str(world.users["coach"])
    path = {
        "signature": f"/{root}/{reader}/{kind}/{signature[:-1]}{'A' if signature[-1] != 'A' else 'B'}",
        "reader": f"/{root}/{other}/{kind}/{signature}",
        "kind": f"/{root}/{reader}/account/{signature}",
    }[spoil]
    with world.client() as program:
        assert program.request(method, path).status_code == 404
    assert (wants(world), wants(world, "coach")) == (Frequency.AT_ONCE, Frequency.AT_ONCE)


def test_other_pages_still_refuse_what_another_site_sends(world):
    with world.client("parent") as browser:
        assert browser.post("/sign-out", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
