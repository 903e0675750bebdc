"""The platform's pages: whom they open to, and that what they do is done."""

from dataclasses import replace

import pytest
from sqlalchemy import delete, func, select, update

from tests.viewer.world import World, make_world
from viewer.accounts import administration
from viewer.accounts.models import SignIn, User
from viewer.admin.condition import Disk
from viewer.audit.models import AuditEntry
from viewer.cli import main
from viewer.clubs.models import Invitation, Organization
from viewer.db.migrate import current, newest, upgrade
from viewer.errors import BadEntry
from viewer.jobs.lease import State
from viewer.jobs.models import Job, PeriodicRun
from viewer.mail.models import Mail

PAGES = (
    "/platform",
    "/platform/clubs",
    "/platform/clubs?q=river",
    "/platform/users",
    "/platform/users?q=coach@",
    "/platform/users/{coach}",
    "/platform/users/{coach}/disable",
    "/platform/users/{coach}/reset-second-factor",
    "/platform/users/{coach}/end-admin",
    "/platform/jobs",
    "/platform/jobs?kind=mail",
    "/platform/jobs/job/{job}/drop",
    "/platform/mail",
    "/platform/mail?which=failed",
    "/platform/storage",
    "/platform/storage?club=riverside-rovers",
    "/platform/settings",
)
PASSWORD_IN = ("redis://:hidden1@cache:6379/0", "unix:///run/redis.sock?password=hidden2")
STRANGERS = ("club_admin", "their_admin", "coach", "manager", "parent", "player", "nobody_in_particular")


def fill(world: World) -> dict[str, int]:
    """A job and a mail that were given up; their numbers and everybody's."""
    now = world.clock()
    common = {"state": State.FAILED, "attempts": 6, "fault": "the package is damaged", "due_at": now, "made_at": now}
    with world.database.writing() as session:
        job = Job(key="intake:x", kind="intake", subject="1795341600-0a1b2c3d4e", payload={"upload": "x"}, **common)
        mail = Mail(
            key="reset:x",
            recipient="coach@example.org",
            subject="Your new password",
            text="http://secret",
            message_id="<x@y>",
            **common,
        )
        session.add_all([job, mail])
        session.flush()
        return {**world.ids, **world.users, "job": job.id, "mail": mail.id}


def test_the_platforms_pages_open_to_its_admins_alone(world):
    filled = fill(world)
    with world.client("platform_admin") as browser:
        for page in PAGES:
            answer = browser.get(page.format_map(filled))
            assert answer.status_code == 200, (page, answer.text[:1500])
            assert "http://secret" not in answer.text
            assert "Robin" not in answer.text
    for who in STRANGERS:
        with world.client(who) as browser:
            for page in PAGES:
                assert browser.get(page.format_map(filled)).status_code == 404, (who, page)
    with world.client() as browser:
        assert all(browser.get(page.format_map(filled)).status_code == 303 for page in PAGES)


def test_a_new_club_comes_with_an_invitation_for_its_first_admin(world):
    form = {"name": "Lakeside Lions", "slug": "", "time_zone": "Europe/Zurich", "retention_days": "200"}
    with world.client("platform_admin") as browser:
        bad = browser.post("/platform/clubs", data={**form, "time_zone": "Moon", "mail": "x@example.org"})
        assert bad.status_code == 422
        assert "Lakeside Lions" in bad.text
        assert "The name of a time zone" in bad.text
        nobody = browser.post("/platform/clubs", data={**form, "mail": "no address"})
        assert nobody.status_code == 422
        good = browser.post("/platform/clubs", data={**form, "mail": "First@example.org"})
        assert good.headers["location"] == "/platform/clubs?done=added"
        assert "Added." in browser.get(good.headers["location"]).text
    with world.database.reading() as session:
        club = session.scalars(select(Organization).where(Organization.name == "Lakeside Lions")).one()
        assert (club.slug, club.time_zone, club.retention_days) == ("lakeside-lions", "Europe/Zurich", 200)
        invited = session.scalars(select(Invitation).where(Invitation.organization_id == club.id)).one()
        assert (invited.mail, invited.role) == ("first@example.org", "club_admin")
        assert (
            session.scalar(select(func.count()).where(AuditEntry.act == "add", AuditEntry.subject_id == club.id)) == 1
        )


@pytest.mark.parametrize("what", ["disable", "end-sign-ins", "reset-second-factor"])
def test_an_account_is_changed_only_after_a_question_and_signed_out(world, what):
    coach = world.users["coach"]
    world.sign_in("coach")
    with world.client("platform_admin") as browser:
        asked = browser.get(f"/platform/users/{coach}/{what}")
        assert "coach@example.org" in asked.text
        with world.database.reading() as session:
            assert session.scalar(select(func.count()).where(SignIn.user_id == coach)) == 1
        assert browser.post(f"/platform/users/{coach}/{what}").status_code == 303
    with world.database.reading() as session:
        assert session.scalar(select(func.count()).where(SignIn.user_id == coach)) == 0
        assert (session.get_one(User, coach).disabled_at is not None) is (what == "disable")
        [act] = session.scalars(select(AuditEntry).where(AuditEntry.act == what)).all()
        assert act.actor_mail == "platform_admin@example.org"


def test_a_disabled_account_can_be_enabled_again_and_nobody_disables_themselves(world):
    coach, own = world.users["coach"], world.users["platform_admin"]
    with world.client("platform_admin") as browser:
        browser.post(f"/platform/users/{coach}/disable")
        browser.post(f"/platform/users/{coach}/enable")
        assert browser.post(f"/platform/users/{own}/disable").status_code == 404
        assert browser.post(f"/platform/users/{coach}/promote").status_code == 404
    with world.database.reading() as session:
        assert session.get_one(User, coach).disabled_at is None
        assert session.get_one(User, own).disabled_at is None


def test_an_admin_of_the_platform_takes_it_from_another_but_never_from_the_last(world):
    coach, own = world.users["coach"], world.users["platform_admin"]
    with world.database.writing() as session:
        administration.make_platform_admin(session, session.get_one(User, coach), world.clock())
    with world.client("coach") as other, world.client("platform_admin") as browser:
        assert other.get("/platform").status_code == 200
        assert f"/platform/users/{coach}/end-admin" in browser.get(f"/platform/users/{coach}").text
        assert "Take the platform from Coach?" in browser.get(f"/platform/users/{coach}/end-admin").text
        answer = browser.post(f"/platform/users/{coach}/end-admin")
        assert "do not run the platform" in browser.get(answer.headers["location"]).text
        assert other.get("/platform").status_code == 404
        assert "end-admin" not in browser.get(f"/platform/users/{coach}").text
        assert browser.post(f"/platform/users/{coach}/end-admin").status_code == 422
        assert browser.post(f"/platform/users/{own}/end-admin").status_code == 404
    with world.database.writing() as session:
        with pytest.raises(BadEntry, match="needs an admin"):
            administration.end_platform_admin(session, session.get_one(User, own), world.clock())
        [entry] = session.scalars(select(AuditEntry).where(AuditEntry.act == "end-platform-admin"))
        assert (entry.subject_id, entry.actor_id) == (coach, own)


def test_the_last_open_admin_stays_while_others_are_disabled(world):
    with world.database.writing() as session:
        coach, own = (session.get_one(User, world.users[who]) for who in ("coach", "platform_admin"))
        administration.make_platform_admin(session, coach, world.clock())
        administration.disable(session, coach, world.clock())
        with pytest.raises(BadEntry, match="needs an admin"):
            administration.end_platform_admin(session, own, world.clock())
        administration.end_platform_admin(session, coach, world.clock())
        assert [user.role for user in (coach, own)] == ["parent", "platform_admin"]


def test_the_health_command_says_what_the_page_says_and_fails_when_something_is_wrong(world, capsys, monkeypatch):
    settings = world.portal.settings
    disk = Disk(10**12, 2 * 10**11)
    monkeypatch.setattr("viewer.commands.running.disk_of", lambda _settings: disk)

    def health() -> tuple[int, list[str]]:
        status = main(["health", "--data", str(settings.data), "--database", settings.database])
        return status, capsys.readouterr().out.splitlines()

    with world.database.writing() as session:
        session.add(PeriodicRun(name="sweep-media", slot=world.clock()))
    status, lines = health()
    assert (status, lines) == (
        0,
        [
            f"revision\t{newest()}",
            "disk\t200.000 of 1000.000 GB free",
            "waiting\t0",
            "leased\t0",
            "failed\t0",
            "sweep-media\tlast begun for 2026-11-24T10:00Z",
        ],
    )
    disk = Disk(10**12, 10**10)
    assert health()[0] == 1, "the disk is tight"
    disk = Disk(10**12, 10**12)
    fill(world)
    status, lines = health()
    assert (status, "failed\t2" in lines) == (1, True)
    with world.database.writing() as session:
        session.execute(update(Job).values(state=State.WAITING))
        session.execute(delete(Mail))
    status, lines = health()
    assert (status, lines[2], lines[5].split("\t")[0]) == (0, "waiting\t1", "oldest due for")


def test_the_health_command_touches_no_database_of_another_revision(empty_database, tmp_path, capsys):
    url = empty_database.engine.url.render_as_string(hide_password=False)
    upgrade(empty_database, "0001")
    assert main(["health", "--data", str(tmp_path), "--database", url]) == 1
    assert "revision\t0001: not this portal's" in capsys.readouterr().out
    assert current(empty_database) == "0001"
    assert main(["health", "--data", str(tmp_path / "none")]) == 1
    assert "there is no portal" in capsys.readouterr().err


def test_accounts_are_changed_by_whoever_has_proven_themselves_just_now(world):
    coach = world.users["coach"]
    with world.client("platform_admin") as browser:
        world.clock.now = world.clock.now.replace(minute=30)
        answer = browser.post(f"/platform/users/{coach}/disable")
        assert answer.headers["location"].startswith("/account/prove")
    with world.database.reading() as session:
        assert session.get_one(User, coach).disabled_at is None


def test_dead_letters_are_tried_again_or_dropped(world):
    filled = fill(world)
    with world.client("platform_admin") as browser:
        assert "the package is damaged" in browser.get("/platform/jobs").text
        assert browser.post(f"/platform/jobs/job/{filled['job']}/retry").status_code == 303
        assert browser.post(f"/platform/jobs/job/{filled['job']}/retry").status_code == 404
        assert browser.post(f"/platform/jobs/mail/{filled['mail']}/drop").status_code == 303
        assert browser.get(f"/platform/jobs/mail/{filled['mail']}/drop").status_code == 404
    with world.database.reading() as session:
        job = session.get_one(Job, filled["job"])
        assert (job.state, job.attempts) == (State.WAITING, 0)
        assert session.get(Mail, filled["mail"]) is None
        acts = set(session.scalars(select(AuditEntry.act).where(AuditEntry.actor_id == world.users["platform_admin"])))
        assert acts == {"retry", "drop"}


def test_storage_tells_what_each_club_and_team_takes(world):
    with world.client("platform_admin") as browser:
        page = browser.get("/platform/storage").text
        assert "Riverside Rovers" in page
        assert "Hillside United" in page
        assert "U14" in browser.get("/platform/storage?club=riverside-rovers").text
        assert browser.get("/platform/storage?club=nowhere").status_code == 404


@pytest.mark.parametrize("queue", PASSWORD_IN)
def test_settings_say_what_the_portal_was_told_but_no_password(database, settings, queue):
    told = replace(settings, queue=queue, x_accel="/_media/", trusted_proxies=("10.0.0.0/8",), backup_days=14)
    with make_world(database, told).client("platform_admin") as browser:
        page = browser.get("/platform/settings").text
    for words in ("redis", "nginx, from /_media/", "10.0.0.0/8", "at most 14 days", "not set up"):
        assert words in page, words
    assert "hidden" not in page


@pytest.mark.parametrize("queue", PASSWORD_IN)
def test_the_command_says_the_same_settings_and_no_password_either(tmp_path, queue, capsys):
    words = ["--data", str(tmp_path), "--queue", queue, "--trusted-proxy", "10.0.0.0/8"]
    words += ["--smtp", "smtp://post:hidden@mail.example.org:587", "--x-accel", "/_media/"]
    assert main(["settings", *words, "--database", "postgresql+psycopg://us:hidden@host/portal"]) == 0
    said = capsys.readouterr().out
    settings = dict(line.split("\t") for line in said.splitlines())
    assert settings["Database"] == "postgresql+psycopg://us:***@host/portal"
    assert settings["Mails go out"] == "through smtp://post:***@mail.example.org:587"
    assert settings["Proxies that are believed"] == "10.0.0.0/8"
    assert settings["Files are sent by"] == "nginx, from /_media/"
    assert "hidden" not in said
    assert not list(tmp_path.iterdir())
    assert main(["settings", *words, "--queue", "nonsense"]) == 1
    assert "--queue is written" in capsys.readouterr().err
