"""How long recordings are kept: warned of, kept on by hand, and gone for good."""

from datetime import timedelta

from sqlalchemy import select

from tests.viewer.world import NOW, OURS, START, THEIRS
from viewer.clubs.models import Organization, Team
from viewer.games.intake import queue_intake
from viewer.games.models import Recording
from viewer.jobs.duties import Tools
from viewer.jobs.models import Job
from viewer.jobs.worker import Worker
from viewer.mail.models import Mail
from viewer.privacy.duties import PERIODIC
from viewer.privacy.horizon import Entry, Horizon, entries_in, remember
from viewer.privacy.retention import keep_until, move_ends, move_ends_of_club

DAY = timedelta(days=1)


def recording(session, name: str = OURS) -> Recording | None:
    return session.scalar(select(Recording).where(Recording.session == name))


def look(world, now) -> None:
    tools = Tools(world.database, world.portal.settings, lambda: now, world.portal.seal)
    for duty in PERIODIC:
        with world.database.writing() as session:
            duty.run(session, tools, now)


def drain(world) -> None:
    tools = Tools(world.database, world.portal.settings, world.clock, world.portal.seal)
    Worker(tools, None, lambda: False).drain()


def ending(world, at) -> None:
    with world.database.writing() as session:
        recording(session).delete_at = at


def test_a_new_recording_ends_as_its_team_or_else_its_club_says_and_never_not_at_all(world):
    with world.database.writing() as session:
        ours = recording(session)
        keep_until(ours)
        assert ours.delete_at == START + 365 * DAY
        team = session.get_one(Team, world.ids["u12"])
        team.retention_days = 90
        move_ends(session, team, 365 * DAY)
        assert ours.delete_at == START + 90 * DAY
        club = session.get_one(Organization, world.ids["ours"])
        club.retention_days = 30
        move_ends_of_club(session, club, 365)
        assert ours.delete_at == START + 90 * DAY
        ours.delete_at = START + 500 * DAY
        team.retention_days = None
        move_ends(session, team, 90 * DAY)
        # Somebody kept it on for longer.
        assert ours.delete_at == START + 500 * DAY


def test_the_admins_forms_move_the_ends_of_what_is_there_already(world):
    club = "/clubs/riverside-rovers"
    with world.database.writing() as session:
        keep_until(recording(session))

    def end_after(page: str, form: dict[str, str]):
        with world.client("club_admin") as browser:
            assert browser.post(page, data=form).status_code == 303
        with world.database.reading() as session:
            return recording(session).delete_at - START

    settings = {"name": "Riverside Rovers", "slug": "riverside-rovers", "time_zone": "UTC"}
    team = f"{club}/teams/{world.ids['u12']}"
    assert end_after(f"{club}/settings", {**settings, "retention_days": "200"}) == 200 * DAY
    assert end_after(team, {"name": "U12", "retention_days": "90"}) == 90 * DAY
    assert end_after(f"{club}/settings", {**settings, "retention_days": "300"}) == 90 * DAY
    assert end_after(team, {"name": "U12", "retention_days": ""}) == 300 * DAY


def test_the_end_is_told_once_to_coaches_and_admins_and_comes_not_before_they_were_told(world):
    ending(world, NOW + 10 * DAY)
    for _ in range(2):
        look(world, NOW)
    with world.database.reading() as session:
        told = session.scalars(select(Mail.recipient).where(Mail.key.startswith("retention:"))).all()
        assert sorted(told) == [f"{who}@example.org" for who in ("club_admin", "coach", "manager")]
        # Told late, they still get the whole time.
        assert recording(session).delete_at == NOW + 14 * DAY
    look(world, NOW + 13 * DAY)
    with world.database.reading() as session:
        assert recording(session) is not None


def test_after_the_end_rows_and_files_are_gone_and_the_hub_cannot_bring_them_back(world, made_package):
    folder = world.portal.settings.media / OURS
    ending(world, NOW + 10 * DAY)
    look(world, NOW)
    world.clock.now = NOW + 14 * DAY
    look(world, world.clock.now)
    drain(world)
    with world.database.reading() as session:
        assert recording(session) is None
        assert recording(session, THEIRS) is not None
    assert not folder.exists()
    assert (world.portal.settings.media / THEIRS).exists()
    assert [(entry.kind, entry.name) for entry in entries_in(world.portal.settings.data)] == [("recording", OURS)]
    # Long after any backup the hub sends it once more.
    look(world, NOW + 100 * DAY)
    package = world.portal.settings.incoming / "again.tar"
    made_package.tar(package, session=OURS)
    with world.database.writing() as session:
        queue_intake(session, "again", OURS, world.ids["device"], NOW)
    drain(world)
    with world.database.reading() as session:
        job = session.scalars(select(Job).where(Job.kind == "intake")).one()
        assert (job.state, "deleted" in (job.fault or "")) == ("failed", True)
        assert recording(session) is None
    assert not folder.exists()


def test_a_coach_keeps_a_match_for_another_year_and_is_warned_anew(world):
    ending(world, NOW + 10 * DAY)
    look(world, NOW)
    with world.client("coach") as browser:
        assert "Keep for another year" in browser.get(f"/matches/{OURS}").text
        assert browser.post(f"/matches/{OURS}/keep").status_code == 303
    look(world, NOW + 20 * DAY)
    with world.database.reading() as session:
        assert recording(session).delete_at == NOW + 365 * DAY
    look(world, NOW + 360 * DAY)
    with world.database.reading() as session:
        assert len(session.scalars(select(Mail).where(Mail.key.startswith("retention:"))).all()) == 6
    with world.client("parent") as browser:
        page = browser.get(f"/matches/{OURS}").text
    assert "Kept until" in page
    assert "Keep for another year" not in page


def test_what_is_remembered_is_forgotten_when_no_backup_holds_it(world):
    data = world.portal.settings.data
    with world.database.writing() as session:
        remember(session, Entry("player", 7, NOW), Horizon(data, timedelta(days=30)))
        remember(session, Entry("user", 8, NOW + 20 * DAY), Horizon(data, timedelta(days=30)))
    with (data / "erasures.jsonl").open("ab") as torn:
        torn.write(b'{"kind": "pla')
    assert [entry.subject_id for entry in entries_in(data)] == [7, 8]
    look(world, NOW + 31 * DAY)
    assert [entry.subject_id for entry in entries_in(data)] == [8]
