"""What club admins do on their pages is done, noted, and refused beside the field where it is wrong."""

import re
from datetime import date

import pytest
from sqlalchemy import func, select

from tests.viewer.clubs.test_pages import CLUBS, numbers
from viewer.audit.models import AuditEntry
from viewer.clubs import teams
from viewer.clubs.models import (
    Invitation,
    Organization,
    OrganizationAdmin,
    Season,
    Team,
    TeamCoach,
    TeamPlayer,
    Venue,
)
from viewer.devices.keys import device_of
from viewer.devices.models import Device
from viewer.devices.pairing import pair


def field_fault(page: str, field: str) -> str:
    """What a page says beside a field."""
    found = re.search(rf'id="w-{field}">([^<]*)<', page)
    return found[1] if found else ""


def test_settings_move_the_club_to_its_new_address(world):
    form = {"name": "Rovers", "slug": "rovers", "time_zone": "Europe/Berlin", "retention_days": "100"}
    with world.client("club_admin") as browser:
        answer = browser.post(f"{CLUBS}/settings", data=form)
        assert answer.headers["location"] == "/clubs/rovers/settings?done=saved"
        page = browser.get(answer.headers["location"]).text
        assert "Saved." in page
        assert 'value="Europe/Berlin"' in page
        assert browser.get(CLUBS).status_code == 404
    with world.database.reading() as session:
        [act] = session.scalars(select(AuditEntry).where(AuditEntry.kind == "organization")).all()
        assert (act.act, act.actor_mail, act.organization_id) == ("change", "club_admin@example.org", world.ids["ours"])
        assert act.detail["old"]["slug"] == "riverside-rovers"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "  ", "Please fill this in."),
        ("name", "x" * 201, "At most 200 characters."),
        ("name", "a\x00b", "This holds a character that nobody can see."),
        ("slug", "hillside-united", "Another club has the address"),
        ("slug", "../platform", "Small letters, digits and single hyphens"),
        ("time_zone", "Mars/Olympus", "The name of a time zone"),
        ("retention_days", "0", "A number from 30 to 1095."),
        ("retention_days", "9" * 30, "A number from 30 to 1095."),
        ("retention_days", "soon", "A number from 30 to 1095."),
    ],
)
def test_a_wrong_setting_is_told_beside_its_field_and_nothing_is_lost(world, field, value, said):
    good = {"name": "Rovers & Co", "slug": "rovers", "time_zone": "Europe/Berlin", "retention_days": "100"}
    with world.client("club_admin") as browser:
        answer = browser.post(f"{CLUBS}/settings", data={**good, field: value})
    assert answer.status_code == 422
    assert said in field_fault(answer.text, field)
    if field != "name":
        assert 'value="Rovers &amp; Co"' in answer.text
    with world.database.reading() as session:
        assert session.get_one(Organization, world.ids["ours"]).slug == "riverside-rovers"


def test_seasons_and_venues_are_added_changed_and_removed(world):
    season = {"name": "2027/28", "starts_on": "2027-08-01", "ends_on": "2028-07-31"}
    venue = {"name": "Lake Park", "address": "Lake Road 1", "latitude": "47.5", "longitude": "8,25"}
    with world.client("club_admin") as browser:
        assert browser.post(f"{CLUBS}/seasons", data=season).status_code == 303
        twice = browser.post(f"{CLUBS}/seasons", data=season)
        assert field_fault(twice.text, "name") == "There is a season 2027/28 already."
        backwards = browser.post(f"{CLUBS}/seasons", data={**season, "name": "x", "ends_on": "2027-07-31"})
        assert field_fault(backwards.text, "ends_on") == "A season ends after it has begun."
        assert field_fault(browser.post(f"{CLUBS}/seasons", data={"name": "x"}).text, "starts_on")
        assert browser.post(f"{CLUBS}/venues", data=venue).status_code == 303
        half = browser.post(f"{CLUBS}/venues", data={**venue, "name": "y", "longitude": ""})
        assert field_fault(half.text, "longitude") == "Give both degrees, or neither."
        far = browser.post(f"{CLUBS}/venues", data={**venue, "name": "y", "latitude": "nan"})
        assert field_fault(far.text, "latitude")
        with world.database.reading() as session:
            made = session.scalars(select(Season).where(Season.name == "2027/28")).one()
            place = session.scalars(select(Venue)).one()
            assert (made.starts_on, place.longitude) == (date(2027, 8, 1), 8.25)
            used = session.scalar(
                select(Season.id).where(Season.id != made.id, Season.organization_id == world.ids["ours"])
            )
        renamed = browser.post(f"{CLUBS}/seasons/{made.id}", data={**season, "name": "27/28"})
        assert renamed.status_code == 303
        assert browser.post(f"{CLUBS}/venues/{place.id}", data={**venue, "address": ""}).status_code == 303
        assert "Teams play in this season." in browser.post(f"{CLUBS}/seasons/{used}/remove").text
        assert browser.post(f"{CLUBS}/seasons/{made.id}/remove").status_code == 303
        assert browser.post(f"{CLUBS}/venues/{place.id}/remove").status_code == 303
    with world.database.reading() as session:
        assert session.get(Season, made.id) is None
        assert session.get(Season, used) is not None
        assert session.get(Venue, place.id) is None


def test_a_team_is_added_and_changed_within_what_makes_sense(world):
    filled = numbers(world)
    team = {"name": "U9", "season_id": str(filled["season"]), "first_birth_year": "2017", "last_birth_year": "2018"}
    with world.client("club_admin") as browser:
        assert browser.post(f"{CLUBS}/teams", data=team).status_code == 303
        again = browser.post(f"{CLUBS}/teams", data=team)
        assert field_fault(again.text, "name") == "There is a team U9 in that season already."
        odd = browser.post(f"{CLUBS}/teams", data={**team, "name": "x", "first_birth_year": "2019"})
        assert field_fault(odd.text, "last_birth_year") == "The last birth year is not before the first."
        with world.database.reading() as session:
            theirs = session.scalar(select(Season.id).where(Season.organization_id == world.ids["theirs"]))
            made = session.scalars(select(Team).where(Team.name == "U9")).one()
        foreign = browser.post(f"{CLUBS}/teams", data={**team, "name": "x", "season_id": str(theirs)})
        assert field_fault(foreign.text, "season_id") == "Please choose one of these."
        changed = browser.post(f"{CLUBS}/teams/{made.id}", data={"name": "U9 blue", "retention_days": "60"})
        assert changed.status_code == 303
        assert browser.post(f"{CLUBS}/teams/{world.ids['their_u12']}", data={"name": "Ours"}).status_code == 404
    with world.database.reading() as session:
        team = session.get_one(Team, made.id)
        assert (team.name, team.season_id, team.first_birth_year, team.retention_days) == ("U9 blue", None, None, 60)
        assert made.code
        assert session.get_one(Team, world.ids["their_u12"]).name == "U12"


def test_a_device_is_added_paired_by_its_code_changed_and_revoked(world):
    form = {"name": "Main pitch", "team_id": str(world.ids["u12"]), "venue_id": "", "wanted_version": ""}
    with world.client("club_admin") as browser:
        added = browser.post(f"{CLUBS}/devices", data=form)
        page = added.headers["location"].split("?")[0]
        shown = browser.post(f"{page}/pair").text
        code = re.search(r'class="told">([^<]+)<', shown)[1]
        assert code not in browser.get(page).text
        with world.database.writing() as session:
            device, key = pair(session, code, world.clock())
            assert page.endswith(f"/{device.id}")
        twice = browser.post(f"{CLUBS}/devices", data=form)
        assert field_fault(twice.text, "name") == "There is a device called Main pitch already."
        foreign = browser.post(f"{CLUBS}/devices", data={**form, "name": "x", "team_id": str(world.ids["their_u12"])})
        assert field_fault(foreign.text, "team_id") == "Please choose one of these."
        assert browser.post(page, data={**form, "name": "Second pitch", "wanted_version": "1.4"}).status_code == 303
        assert "ends at once" in browser.get(f"{page}/revoke").text
        with world.database.reading() as session:
            assert device_of(session, key) is not None
        assert browser.post(f"{page}/revoke").status_code == 303
        assert "revoked" in browser.get(page).text
    with world.database.reading() as session:
        assert device_of(session, key) is None
        device = session.get_one(Device, device.id)
        assert (device.name, device.wanted_version) == ("Second pitch", "1.4")
        acts = session.scalars(select(AuditEntry.act).where(AuditEntry.kind == "device").order_by(AuditEntry.id)).all()
        assert [act for act in acts if act in ("add", "pair", "change", "revoke")] == [
            "add",
            "pair",
            "change",
            "revoke",
        ]


def test_people_are_invited_and_invitations_withdrawn(world):
    where = f"{CLUBS}/people/invitations"
    with world.client("club_admin") as browser:
        coach = {"mail": "new@example.org", "role": "coach", "team_id": ""}
        assert field_fault(browser.post(where, data=coach).text, "team_id") == "Please choose one of these."
        foreign = {**coach, "team_id": str(world.ids["their_u12"])}
        assert field_fault(browser.post(where, data=foreign).text, "team_id") == "Please choose one of these."
        platform = {**coach, "role": "platform_admin"}
        assert field_fault(browser.post(where, data=platform).text, "role") == "Please choose one of these."
        assert field_fault(browser.post(where, data={**coach, "team_id": "1", "mail": "nobody"}).text, "mail")
        for role, team in (("coach", str(world.ids["u14"])), ("club_admin", "")):
            answer = browser.post(where, data={**coach, "role": role, "team_id": team})
            assert answer.headers["location"].endswith("done=invited"), role
        assert "coach of U14" in browser.get(where).text
        with world.database.reading() as session:
            rows = session.scalars(select(Invitation).order_by(Invitation.id)).all()
            assert [(row.role, row.team_id, row.organization_id) for row in rows] == [
                ("coach", world.ids["u14"], world.ids["ours"]),
                ("club_admin", None, world.ids["ours"]),
            ]
        assert browser.post(f"{where}/{rows[0].id}/withdraw").status_code == 303
        assert browser.post(f"{where}/{rows[0].id}/withdraw").status_code == 404
        assert "coach of U14" not in browser.get(where).text
    with world.client("their_admin") as browser:
        theirs = f"/clubs/hillside-united/people/invitations/{rows[1].id}/withdraw"
        assert browser.post(theirs).status_code == 404


def test_the_last_admin_stays_and_others_are_removed_after_a_question(world):
    users = world.users
    with world.client("club_admin") as browser:
        remove = f"{CLUBS}/people/admins/{users['club_admin']}/remove"
        assert "A club needs an admin." in browser.post(remove).text
        with world.database.writing() as session:
            session.add(
                OrganizationAdmin(organization_id=world.ids["ours"], user_id=users["parent"], made_at=world.clock())
            )
        assert "parent@example.org" in browser.get(f"{CLUBS}/people/admins/{users['parent']}/remove").text
        assert browser.post(f"{CLUBS}/people/admins/{users['parent']}/remove").status_code == 303
        staff = f"{CLUBS}/people/teams/{world.ids['u12']}/{users['coach']}/remove"
        assert "no longer see U12" in browser.get(staff).text
        assert browser.post(staff).status_code == 303
        assert browser.post(staff).status_code == 404
        theirs = f"{CLUBS}/people/teams/{world.ids['their_u12']}/{users['their_coach']}/remove"
        assert browser.post(theirs).status_code == 404
    with world.client("coach") as browser:
        assert browser.get(f"/teams/{world.ids['u12']}").status_code == 404
    with world.database.reading() as session:
        admins = select(OrganizationAdmin.user_id).where(OrganizationAdmin.organization_id == world.ids["ours"])
        assert session.scalars(admins).all() == [users["club_admin"]]
        assert session.get(TeamCoach, (world.ids["their_u12"], users["their_coach"])) is not None
        kept = session.scalars(select(AuditEntry.act).where(AuditEntry.act.startswith("remove-"))).all()
        assert kept == ["remove-admin", "remove-staff"]


def test_the_platforms_admin_runs_a_club_without_seeing_a_childs_name(world):
    filled = numbers(world)
    with world.client("platform_admin") as browser:
        for page in ("", "/people?circle=parents", "/teams", "/people/invitations"):
            assert "Robin" not in browser.get(CLUBS + page).text, page
        assert "for 1 player" in browser.get(f"{CLUBS}/people?circle=parents").text
        assert browser.get(f"{CLUBS}/players").status_code == 403
        assert browser.get(f"/teams/{filled['u12']}").status_code == 403
        assert browser.get(f"/players/{filled['robin']}").status_code == 403
    with world.client("club_admin") as browser:
        assert "Robin Example" in browser.get(f"{CLUBS}/people?circle=parents").text


def test_a_player_is_put_on_another_roster_of_their_club_alone(world):
    form = {"team_id": str(world.ids["u14"]), "jersey_number": "4", "joined_on": "2026-11-20"}
    join = f"{CLUBS}/players/{world.ids['robin']}/join"
    with world.client("club_admin") as browser:
        assert browser.post(join, data=form).headers["location"] == f"/players/{world.ids['robin']}?done=joined"
        assert "on this roster already" in browser.post(join, data=form).text
        foreign = browser.post(join, data={**form, "team_id": str(world.ids["their_u12"])})
        assert field_fault(foreign.text, "team_id")
        sam = browser.post(f"{CLUBS}/players/{world.ids['sam']}/join", data=form)
        assert sam.status_code == 404
    for who in ("coach", "platform_admin", "parent"):
        with world.client(who) as browser:
            assert browser.post(join, data=form).status_code in (403, 404)
    with world.database.reading() as session:
        listed = session.scalar(select(func.count()).where(TeamPlayer.team_id == world.ids["u14"]))
        assert listed == 2


def test_lists_go_on_behind_the_last_row_of_a_page(world, monkeypatch):
    with world.database.writing() as session:
        for n in range(60):
            session.add(Team(organization_id=world.ids["ours"], name=f"Team {n:02d}", made_at=world.clock()))
    seen, page = [], f"{CLUBS}/teams"
    with world.client("club_admin") as browser:
        while page:
            text = browser.get(page).text
            seen += re.findall(r">(Team \d\d|U1[24])</a>", text)
            more = re.search(r'href="(\?after=\d+)">More', text)
            page = f"{CLUBS}/teams{more[1]}" if more else ""
    assert len(seen) == len(set(seen)) == 62
    assert seen == sorted(seen)


def test_the_question_before_a_removal_tells_no_name_of_other_clubs(world):
    page = "/clubs/riverside-rovers/people"
    mine, theirs = world.users["club_admin"], world.users["their_admin"]
    with world.client("club_admin") as browser:
        assert "club_admin@example.org" in browser.get(f"{page}/admins/{mine}/remove").text
        staff = f"{page}/teams/{world.ids['u12']}"
        assert "coach@example.org" in browser.get(f"{staff}/{world.users['coach']}/remove").text
        for other in (f"{page}/admins/{theirs}/remove", f"{staff}/{world.users['their_coach']}/remove"):
            refused = browser.get(other)
            assert refused.status_code == 404
            assert "their_" not in refused.text


def test_the_list_of_teams_goes_on_over_its_pages_and_has_the_newest_of_a_name_first(world, monkeypatch):
    with world.database.writing() as session:
        u9 = [Team(organization_id=world.ids["ours"], name="U9", made_at=world.clock()) for _ in range(3)]
        session.add_all(u9)
        session.flush()
        made = sorted(team.id for team in u9)
    monkeypatch.setattr(teams, "PAGE", 2)
    listed, after = [], None
    with world.database.reading() as session:
        while page := teams.teams_of(session, world.ids["ours"], after=after):
            listed += [team.id for team in page]
            after = listed[-1]
    assert listed == [world.ids["u12"], world.ids["u14"], *reversed(made)]
