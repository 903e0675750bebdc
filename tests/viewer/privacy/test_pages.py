"""Who reaches the pages of privacy, and what their forms do."""

import pytest
from sqlalchemy import select

from tests.viewer.world import OURS
from viewer.audit.log import note
from viewer.audit.models import AuditEntry
from viewer.clubs.models import ParentPlayer
from viewer.games.models import Clip, PlayerGameStats, Recording
from viewer.mail.models import Mail
from viewer.privacy.consent import consents_of
from viewer.privacy.models import ConsentRecord, RemovalRequest, Scope

CLUB = "/clubs/riverside-rovers"
EVERYBODY = (
    *("platform_admin", "club_admin", "their_admin", "coach", "manager", "u14_coach", "their_coach"),
    *("parent", "kims_parent", "u14_parent", "their_parent", "former_parent", "player", "nobody_in_particular"),
)
FAMILY, STAFF = {"parent", "player"}, {"club_admin", "coach", "manager"}
MEMBERS = FAMILY | STAFF | {"kims_parent"}


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/players/{robin}/consent", FAMILY | STAFF),
        ("/players/{robin}/data", FAMILY | {"club_admin"}),
        ("/players/{robin}/erase", FAMILY | {"club_admin"}),
        (f"{CLUB}/consent", {"club_admin", "platform_admin"}),
        (f"{CLUB}/removals", {"club_admin", "platform_admin"}),
        (f"{CLUB}/audit", {"club_admin", "platform_admin"}),
        (f"{CLUB}/audit.csv", {"club_admin", "platform_admin"}),
        (f"/matches/{OURS}/removal", MEMBERS),
        (f"/matches/{OURS}/players", STAFF),
        ("/clips/{clip}/share", MEMBERS),
        ("/account/data", set(EVERYBODY)),
        ("/account/erase", set(EVERYBODY)),
    ],
)
def test_pages_open_to_their_own_people_and_to_nobody_else(world, path, allowed):
    path = path.format(**world.ids)
    for who in EVERYBODY:
        with world.client(who) as browser:
            status = browser.get(path).status_code
        assert (status == 200) == (who in allowed), (who, status)
        assert status in (200, 403, 404), who
    with world.client() as browser:
        assert browser.get(path).status_code == 303


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/players/{robin}/consent", FAMILY),
        ("/players/{robin}/consent/paper", {"club_admin"}),
        ("/players/{robin}/export", FAMILY | {"club_admin"}),
        (f"/matches/{OURS}/keep", {"club_admin", "coach"}),
    ],
)
def test_forms_are_taken_from_their_own_people_and_from_nobody_else(world, path, allowed):
    form = {"statistics": "yes", "signed_by": "Ms Example"}
    for who in EVERYBODY:
        with world.client(who) as browser:
            status = browser.post(path.format(**world.ids), data=form).status_code
        assert (status == 303) == (who in allowed), (who, status)


def answers(world, name: str) -> dict[str, bool]:
    with world.database.reading() as session:
        found = consents_of(session, [world.ids[name]])[world.ids[name]]
    return {str(scope): given for scope, given in found.items() if given is not None}


def test_a_parent_answers_and_changes_an_answer(world):
    page = f"/players/{world.ids['robin']}/consent"
    with world.client("parent") as browser:
        assert browser.post(page, data={"team": "yes", "public": "yes"}).status_code == 303
        assert browser.post(page, data={"team": "yes", "public": "no"}).status_code == 303
        assert browser.post(page, data={}).status_code == 422
        assert "parent@example.org" in browser.get(page).text
    assert answers(world, "robin") == {"team": True, "public": False}
    with world.database.reading() as session:
        said = session.scalars(select(ConsentRecord).order_by(ConsentRecord.id)).all()
        assert [(r.scope, r.given, r.given_by) for r in said] == [
            ("team", True, world.users["parent"]),
            ("public", True, world.users["parent"]),
            ("public", False, world.users["parent"]),
        ]
        assert session.scalars(select(AuditEntry.address).where(AuditEntry.act == "consent")).first()


def test_a_coach_answers_for_their_own_child_and_for_no_other(world):
    with world.database.writing() as session:
        child = ParentPlayer(user_id=world.users["coach"], player_id=world.ids["kim"], made_at=world.clock())
        session.add(child)
    with world.client("coach") as browser:
        assert browser.post(f"/players/{world.ids['kim']}/consent", data={"public": "yes"}).status_code == 303
        assert browser.post(f"/players/{world.ids['robin']}/consent", data={"public": "yes"}).status_code == 403
    assert (answers(world, "kim"), answers(world, "robin")) == ({"public": True}, {})


def test_a_paper_names_who_signed_it_and_the_log_who_typed_it_in(world):
    page = f"/players/{world.ids['robin']}/consent/paper"
    with world.client("club_admin") as browser:
        assert browser.post(page, data={"public": "yes"}).status_code == 422
        assert browser.post(page, data={"public": "yes", "signed_by": "Ms Example"}).status_code == 303
    with world.database.reading() as session:
        record = session.scalars(select(ConsentRecord)).one()
        entry = session.scalars(select(AuditEntry).where(AuditEntry.act == "consent")).one()
    assert (record.given_by, record.given_by_mail, record.source) == (None, "Ms Example", "paper")
    assert entry.actor_id == world.users["club_admin"]


@pytest.mark.parametrize("form", [{}, {"public": "yes"}, {"public": "yes", "signed_by": "Ms Example"}])
def test_no_paper_is_taken_from_the_platforms_admin_nor_a_child_named_to_them(world, form):
    with world.client("platform_admin") as browser:
        answered = browser.post(f"/players/{world.ids['robin']}/consent/paper", data=form)
    assert answered.status_code == 403
    assert "Robin" not in answered.text
    assert answers(world, "robin") == {}


def test_the_platforms_admin_sees_answers_and_no_childs_name(world):
    with world.client("platform_admin") as browser:
        page = browser.get(f"{CLUB}/consent").text
    assert "not answered" in page
    assert "Robin" not in page
    with world.client("club_admin") as browser:
        assert "Robin" in browser.get(f"{CLUB}/consent").text


def test_what_people_write_of_a_child_is_for_the_club_alone(world):
    with world.client("parent") as family:
        family.post(f"/matches/{OURS}/removal", data={"words": "Robin cries in it."})
    with world.database.reading() as session:
        request = session.scalars(select(RemovalRequest.id)).one()
    for page, written in (("removals", "Robin cries"), ("removals?decided=true", "Robin may")):
        with world.client("platform_admin") as browser:
            theirs = browser.get(f"{CLUB}/{page}").text
        with world.client("club_admin") as browser:
            ours = browser.get(f"{CLUB}/{page}").text
            browser.post(f"/removals/{request}", data={"outcome": "refuse", "words": "Robin may stay in it."})
        assert written in ours
        assert "for the club alone" in theirs
        assert "Robin" not in theirs


def test_names_stand_by_numbers_only_with_consent_to_statistics(world):
    def named() -> bool:
        with world.client("kims_parent") as browser:
            return "Robin E" in browser.get(f"/matches/{OURS}").text

    page = f"/players/{world.ids['robin']}/consent"
    with world.client("parent") as family:
        assert family.post(page, data={"statistics": "yes"}).status_code == 303
        assert not named()
        with world.database.writing() as session:
            recording = session.scalars(select(Recording).where(Recording.session == OURS)).one()
            session.get_one(PlayerGameStats, (recording.id, 3)).player_id = world.ids["robin"]
        assert named()
        assert family.post(page, data={"statistics": "no"}).status_code == 303
        assert not named()


def asked(world, **form: str) -> int:
    with world.client("parent") as browser:
        answered = browser.post(f"/matches/{OURS}/removal", data=form)
    assert answered.status_code == 303
    with world.database.reading() as session:
        return session.scalars(select(RemovalRequest.id).order_by(RemovalRequest.id.desc())).first()


def test_a_request_is_mailed_to_the_clubs_admins_and_to_no_other_club(world):
    with world.client("parent") as browser:
        assert browser.post(f"/matches/{OURS}/removal", data={"words": " "}).status_code == 422
        other = {"words": "please", "clip": str(world.ids["their_clip"])}
        assert browser.post(f"/matches/{OURS}/removal", data=other).status_code == 422
    request = asked(world, words="Please take it away.")
    with world.database.reading() as session:
        mails = session.scalars(select(Mail).where(Mail.key.startswith("removal:"))).all()
        assert [mail.recipient for mail in mails] == ["club_admin@example.org"]
        assert "Please take it away" not in mails[0].text
    for who, status in (("parent", 403), ("coach", 403), ("their_admin", 404)):
        with world.client(who) as browser:
            answered = browser.post(f"/removals/{request}", data={"outcome": "refuse"})
        assert answered.status_code == status, who


@pytest.mark.parametrize("outcome", ["hide_clip", "delete_clip"])
def test_a_clip_that_was_decided_away_is_shown_to_nobody(world, outcome):
    request = asked(world, words="Not this one.", clip=str(world.ids["clip"]))
    with world.client("club_admin") as browser:
        decided = browser.post(f"/removals/{request}", data={"outcome": outcome, "words": "Sorry for that."})
        assert decided.status_code == 303
        assert browser.get(f"/matches/{OURS}/media/clips/000.mp4").status_code == 404
        assert browser.get(f"/matches/{OURS}/media/panorama.mp4").status_code == 200
        assert "clips/000.mp4" not in browser.get(f"/matches/{OURS}").text
        again = browser.post(f"/removals/{request}", data={"outcome": "refuse"})
        assert again.headers["location"].endswith("decided=true")
    with world.database.reading() as session:
        mail = session.scalars(select(Mail).where(Mail.key == f"removal-decided:{request}")).one()
        assert mail.recipient == "parent@example.org"
        assert "Sorry for that." in mail.text
        assert session.get_one(Clip, world.ids["clip"]).removed == (outcome == "delete_clip")


def test_a_decision_on_the_whole_match_cannot_be_about_a_clip(world):
    request = asked(world, words="All of it.")
    with world.client("club_admin") as browser:
        assert browser.post(f"/removals/{request}", data={"outcome": "hide_clip"}).status_code == 422
        assert browser.post(f"/removals/{request}", data={"outcome": "burn it"}).status_code == 422
        assert browser.post(f"/removals/{request}", data={"outcome": "delete_recording"}).status_code == 303
        assert browser.get(f"/matches/{OURS}").status_code == 404


def test_the_log_shows_a_clubs_acts_filtered_and_as_a_table_and_notes_that_it_was_taken(world):
    with world.client("parent") as browser:
        browser.get(f"/matches/{OURS}")
        browser.post(f"/players/{world.ids['robin']}/consent", data={"public": "no"})
    with world.client("their_parent") as browser:
        browser.get("/matches/1795341600-ffffffffff")
    with world.client("club_admin") as browser:
        everything = browser.get(f"{CLUB}/audit.csv").text
        assert everything.count("parent@example.org") == 2
        assert "their_parent" not in everything
        views = browser.get(f"{CLUB}/audit?act=view&actor=parent@example.org&since=2026-11-24&until=2026-11-24").text
        assert views.count('role="rowheader"') == 1
        assert "Nothing like that" in browser.get(f"{CLUB}/audit?until=2026-11-23").text
        assert "audit-export" in browser.get(f"{CLUB}/audit.csv?act=audit-export").text


def test_the_log_goes_on_by_id(world):
    with world.database.writing() as session:
        for number in range(130):
            note(session, "view", "recording", number, world.clock(), organization_id=world.ids["ours"])
    with world.client("club_admin") as browser:
        first = browser.get(f"{CLUB}/audit").text
        older = first.split("before=")[1].split('"')[0]
        second = browser.get(f"{CLUB}/audit?before={older}").text
    assert (first.count('role="rowheader"'), second.count('role="rowheader"')) == (100, 30)


def test_no_cell_of_the_table_is_a_formula(world):
    with world.database.writing() as session:
        note(session, "view", "x", 1, world.clock(), organization_id=world.ids["ours"], actor_mail="=cmd|'/c'!A1")
    with world.client("club_admin") as browser:
        assert "'=cmd" in browser.get(f"{CLUB}/audit.csv").text


def test_scopes_on_the_page_are_those_that_can_be_answered(world):
    with world.client("parent") as browser:
        page = browser.get(f"/players/{world.ids['robin']}/consent").text
    assert all(f'name="{scope}"' in page for scope in Scope)
