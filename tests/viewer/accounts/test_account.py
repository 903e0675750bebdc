"""One's own account: profile, password, address, sign-ins, and what admins and commands do to it."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from sqlalchemy import func, select

from tests.viewer.world import NOW, PASSWORD
from viewer import cli
from viewer.accounts import administration
from viewer.accounts.credentials import confirm_mail_change
from viewer.accounts.models import Purpose, SignIn, Totp, User
from viewer.accounts.service import STAFF_IDLE, STAFF_LONGEST_STAY, sign_in
from viewer.accounts.sign_ins import browser_name
from viewer.accounts.tickets import VALID, issue
from viewer.errors import AddressTaken, WrongSignIn
from viewer.web.access import PROVEN_FOR

MAIL, NEW, NEW_MAIL = "parent@example.org", "wet boots in autumn", "mother@example.net"


def sign_ins(world, who="parent") -> int:
    with world.database.reading() as session:
        return session.scalar(select(func.count()).where(SignIn.user_id == world.users[who]))


def test_the_account_page_shows_ones_own_things_and_nobody_elses(people, world):
    with world.client("parent") as client:
        page = client.get("/account").text
    assert MAIL in page
    assert "Robin Example" in page
    assert "U12, Riverside Rovers" in page
    assert not [name for name in ("Kim", "Alex", "coach@example.org") if name in page]


def test_the_profile_is_kept_and_nonsense_refused(people, world):
    form = {"name": "  Robin's\tMother ", "time_zone": "Pacific/Auckland", "notify": "weekly"}
    with world.client("parent") as client:
        for change in ({"name": "\x00 "}, {"time_zone": "Mars/Phobos"}, {"notify": "hourly"}):
            assert client.post("/account", data={**form, **change}).status_code == 400
        assert client.post("/account", data=form).status_code == 303
    user = people.user("parent")
    assert (user.name, user.time_zone, user.notify) == ("Robin's Mother", "Pacific/Auckland", "weekly")


# ---------------------------------------------------------------------------------------------- password


def test_changing_the_password_wants_the_old_one_and_ends_all_other_sign_ins(people, world):
    world.sign_in("parent")
    with world.client("parent") as client:
        before = client.cookies["touchline"]
        page = "/account/password"
        assert client.post(page, data={"old": "nope", "password": NEW}).status_code == 403
        assert client.post(page, data={"old": PASSWORD, "password": "password1"}).status_code == 403
        assert sign_ins(world) == 2
        assert client.post(page, data={"old": PASSWORD, "password": NEW}).status_code == 303
        assert sign_ins(world) == 1
        assert client.cookies["touchline"] != before
        assert client.get("/account").status_code == 200
    assert sign_in(world.database, MAIL, NEW, "a", world.clock())
    assert "Your password was changed" in [mail.subject for mail in people.mails(MAIL)]


def test_guessing_the_old_password_is_throttled_together_with_signing_in(people, world):
    with world.client("parent") as client:
        form = {"old": "nope", "password": NEW}
        assert [client.post("/account/password", data=form).status_code for _ in range(9)] == [403] * 8 + [429]
        assert client.post("/account/prove", data={"password": PASSWORD}).status_code == 429
        assert client.post("/sign-in", data={"mail": MAIL, "password": PASSWORD}).status_code == 429


# ---------------------------------------------------------------------------------------------- mail address


def test_a_new_address_is_confirmed_there_and_told_at_the_old_one(people, world):
    with world.client("parent") as client:
        assert client.post("/account/mail", data={"mail": NEW_MAIL.upper()}).status_code == 200
        assert people.user("parent").mail == MAIL
        assert client.get(people.link(NEW_MAIL)).headers["location"] == "/mail-change"
        assert NEW_MAIL in client.get("/mail-change").text
        assert people.user("parent").mail == MAIL, "opening the link changes nothing"
        assert client.post("/mail-change").status_code == 303
        assert people.user("parent").mail == NEW_MAIL
        client.get(people.link(NEW_MAIL))
        assert client.post("/mail-change").status_code == 410, "once"
    assert NEW_MAIL in people.mails(MAIL)[-1].text
    assert people.acts("change-mail")[-1].detail == {"old": MAIL}


def test_changing_the_address_asks_for_proof(people, world):
    with world.client("parent") as client:
        world.clock.now += PROVEN_FOR + timedelta(seconds=1)
        assert client.get("/account/mail").headers["location"] == "/account/prove?next=/account/mail"
        assert client.post("/account/mail", data={"mail": NEW_MAIL}).headers["location"].startswith("/account/prove")
    assert people.mails(NEW_MAIL) == []


def test_an_address_of_somebody_else_is_never_taken_nor_told(people, world):
    taken = "coach@example.org"
    with world.client("parent") as client:
        said = [client.post("/account/mail", data={"mail": mail}).text for mail in (taken, NEW_MAIL)]
    assert said[0].replace(taken, "") == said[1].replace(NEW_MAIL, "")
    assert "/mail-change/" not in people.mails(taken)[-1].text
    with world.database.writing() as session:
        secret = issue(session, Purpose.CHANGE_MAIL, world.users["parent"], world.clock(), taken)
    with pytest.raises(AddressTaken), world.database.writing() as session:
        confirm_mail_change(session, secret, world.clock(), url="http://x")
    assert people.user("parent").mail == MAIL


def test_a_link_to_a_new_address_runs_out_and_a_newer_one_ends_it(people, world):
    with world.client("parent") as client:
        client.post("/account/mail", data={"mail": NEW_MAIL})
        client.get(people.link(NEW_MAIL))
        client.post("/account/mail", data={"mail": "third@example.net"})
        assert client.post("/mail-change").status_code == 410
        client.get(people.link("third@example.net"))
        world.clock.now += VALID[Purpose.CHANGE_MAIL]
        assert client.post("/mail-change").status_code == 410
    assert people.user("parent").mail == MAIL


def test_an_address_change_that_was_begun_before_a_new_password_comes_to_nothing(people, world):
    with world.client("parent") as client:
        client.post("/account/mail", data={"mail": NEW_MAIL})
        client.get(people.link(NEW_MAIL))
        client.post("/account/password", data={"old": PASSWORD, "password": NEW})
        assert client.post("/mail-change").status_code == 410
    assert people.user("parent").mail == MAIL


# ---------------------------------------------------------------------------------------------- sign-ins


def test_sign_ins_are_listed_and_ended_one_by_one_or_all_others(people, world):
    for _ in range(3):
        world.sign_in("parent")
    with world.client("parent") as client:
        assert client.get("/account").text.count('name="sign_in"') == 3
        with world.database.reading() as session:
            other = session.scalars(select(SignIn.key_hash).where(SignIn.user_id == world.users["parent"])).first()
        assert client.post("/account/sign-ins/end", data={"sign_in": other}).status_code == 303
        assert sign_ins(world) == 3
        assert client.post("/account/sign-ins/end").status_code == 303
        assert sign_ins(world) == 1
        assert client.get("/account").status_code == 200


def test_nobody_ends_the_sign_in_of_somebody_else(people, world):
    world.sign_in("coach")
    with world.database.reading() as session:
        theirs = session.scalar(select(SignIn.key_hash).where(SignIn.user_id == world.users["coach"]))
    with world.client("parent") as client:
        client.post("/account/sign-ins/end", data={"sign_in": theirs})
        client.post("/account/sign-ins/end")
    assert sign_ins(world, "coach") == 1


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        ("curl/8", "A browser"),
    ],
)
def test_a_browser_is_named_as_its_owner_knows_it(agent, name):
    assert browser_name(agent) == name


def test_admins_and_coaches_are_signed_out_sooner(people, world):
    with world.client("coach") as coach, world.client("parent") as parent:
        world.clock.now += STAFF_IDLE + timedelta(seconds=1)
        assert coach.get("/account").headers["location"].startswith("/sign-in?")
        assert parent.get("/account").status_code == 200
    begun = world.clock()
    with world.client("coach") as coach:
        while (world.clock() - begun) <= STAFF_LONGEST_STAY - STAFF_IDLE:
            world.clock.now += STAFF_IDLE
            assert coach.get("/account").status_code == 200
        world.clock.now = begun + STAFF_LONGEST_STAY + timedelta(seconds=1)
        assert coach.get("/account").headers["location"].startswith("/sign-in?")


# ---------------------------------------------------------------------------------------------- admins and commands


def test_a_disabled_account_is_signed_out_its_links_die_and_enabling_opens_it_again(people, world):
    world.sign_in("parent")
    with world.database.writing() as session:
        admin, user = session.get_one(User, world.users["club_admin"]), session.get_one(User, world.users["parent"])
        administration.disable(session, user, world.clock(), admin)
    assert sign_ins(world) == 0
    with pytest.raises(WrongSignIn):
        sign_in(world.database, MAIL, PASSWORD, "a", world.clock())
    with world.database.writing() as session:
        administration.enable(session, session.get_one(User, world.users["parent"]), world.clock())
    assert sign_in(world.database, MAIL, PASSWORD, "a", world.clock())
    assert people.acts("disable")[0].actor_mail == "club_admin@example.org"


def test_whoever_has_lost_the_second_factor_sets_a_new_one_up(people, world, app_set_up):
    with world.client("coach", strong=False) as client:
        app_set_up(client)
        with world.database.writing() as session:
            user = session.get_one(User, world.users["coach"])
            administration.reset_second_factor(session, user, world.clock())
        assert client.get("/").headers["location"].startswith("/sign-in?"), "signed out everywhere"
        client.post("/sign-in", data={"mail": "coach@example.org", "password": PASSWORD})
        assert client.get("/").headers["location"].startswith("/account/second-factor")


def test_everything_is_possible_by_commands_too(people, world, capsys):
    settings = world.portal.settings

    def user(*words: str) -> tuple[int, str]:
        code = cli.main(["user", "--data", str(settings.data), "--database", settings.database, *words])
        said = capsys.readouterr()
        return code, said.out + said.err

    code, said = user("add", "Fresh@Example.org", "--name", "Fresh")
    assert code == 0
    assert sign_in(world.database, "fresh@example.org", said.split()[0], "a", world.clock())
    assert user("add", "fresh@example.org", "--name", "Again")[0] == 1
    assert user("add", "weak@example.org", "--name", "Weak", "--password", "password1")[0] == 1
    coach = ("invite", "asked@example.org", "--role", "coach")
    assert user(*coach, "--club", "riverside-rovers", "--team", "U12")[0] == 0
    assert people.link("asked@example.org").startswith("/invitation/")
    assert "There is no team called 'U99'" in user(*coach, "--club", "riverside-rovers", "--team", "U99")[1]
    assert "say in which club" in user(*coach, "--team", "U12")[1]
    assert user(*coach)[0] == 1
    assert user("invite", "asked@example.org", "--player", "99999")[0] == 1
    assert user("disable", MAIL)[0] == 0
    assert f"{MAIL}\tParent\tparent\tdisabled" in user("list")[1]
    assert user("enable", MAIL)[0] == 0
    world.sign_in("parent")
    assert user("end-sign-ins", MAIL)[0] == 0
    assert sign_ins(world) == 0
    assert user("reset-second-factor", MAIL)[0] == 0
    assert user("make-admin", "fresh@example.org")[0] == 0
    assert "fresh@example.org\tFresh\tplatform_admin\topen" in user("list")[1]
    assert user("end-admin", "fresh@example.org") == (0, "fresh@example.org does not run the platform any more\n")
    assert user("end-admin", "fresh@example.org")[0] == 1
    assert "The platform needs an admin." in user("end-admin", "platform_admin@example.org")[1]
    [ended] = people.acts("end-platform-admin")
    assert (ended.actor_id, ended.kind) == (None, "account")
    assert user("disable", "unknown@example.org")[0] == 1
    assert user("disable")[0] == 1


def test_an_account_is_found_and_shown_by_commands_without_a_childs_name(world, capsys, monkeypatch):
    settings = world.portal.settings

    def user(*words: str) -> tuple[int, str]:
        code = cli.main(["user", "--data", str(settings.data), "--database", settings.database, *words])
        said = capsys.readouterr()
        return code, said.out + said.err

    monkeypatch.setattr("viewer.admin.users.PAGE", 2)
    assert len(user("list")[1].splitlines()) == len(world.users)
    found = [line.split("\t")[1] for line in user("list", "--words", "Coach")[1].splitlines()]
    assert found == [f"{who}@example.org" for who in ("coach", "u14_coach", "their_coach")]
    assert user("list", "--words", "no such person") == (0, "")
    world.sign_in("parent")
    with world.database.writing() as session:
        session.add(Totp(user_id=world.users["parent"], sealed_secret="x", confirmed_at=NOW))
    assert user("show", "Parent@example.org") == (
        0,
        f"number\t{world.users['parent']}\naddress\tparent@example.org\nname\tParent\nstate\topen\nsince\t2026-11-24\n"
        "signed in\t1 browser\nlast seen\t2026-11-24T10:00Z\nsecond factor\tset up\n"
        "is\tParent of 1 player of Riverside Rovers\n",
    )
    shown = user("show", "platform_admin@example.org")[1]
    assert shown.endswith("last seen\tnot signed in\nsecond factor\tnone\nis\tAdmin of the platform\n")
    assert user("show", "unknown@example.org")[0] == 1


# ---------------------------------------------------------------------------------------------- what is written down


def test_good_and_refused_sign_ins_are_written_down_and_logged(people, world, caplog):
    caplog.set_level("INFO", "viewer.accounts")
    with world.client() as client:
        client.post("/sign-in", data={"mail": MAIL, "password": "nope"})
        client.post("/sign-in", data={"mail": "unknown@example.org", "password": "nope"})
        client.post("/sign-in", data={"mail": MAIL, "password": PASSWORD})
        client.post("/sign-out")
    refused = people.acts("sign-in-refused")
    assert [entry.subject_id for entry in refused] == [world.users["parent"], None]
    assert people.acts("sign-in")[0].detail == {"by": "password"}
    assert people.acts("sign-out")[0].actor_mail == MAIL
    words = " ".join(caplog.messages)
    assert "sign-in refused" in words
    assert f"signed in mail='{MAIL}'" in words
    assert PASSWORD not in words
    assert "nope" not in words


def test_over_https_the_cookie_is_bound_to_the_host(people, world):
    world.portal.settings = replace(world.portal.settings, public_url="https://portal.example")
    with world.client() as client:
        answer = client.post("/sign-in", data={"mail": MAIL, "password": PASSWORD})
    assert answer.headers["set-cookie"].startswith("__Host-touchline=")
    assert "Secure" in answer.headers["set-cookie"]


@pytest.mark.parametrize("text", ["\x00", "a\x00b@example.org", "\ud800", "x" * 5000, "' OR 1=1 --", "{{7*7}}"])
def test_no_text_breaks_a_form(people, world, text):
    form = {"mail": text, "password": text, "code": text, "name": text, "words": text, "old": text, "next": text}
    sent = urlencode({name: value.encode("utf-8", "surrogatepass") for name, value in form.items()})
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    for who in (None, "parent"):
        with world.client(who) as client:
            pages = ["/sign-in", "/sign-in/forgotten", "/reset", "/mail-change", "/invitation"]
            pages += ["/account", "/account/prove", "/account/password", "/account/mail", "/join"] if who else []
            for page in pages:
                assert client.post(page, content=sent, headers=headers).status_code < 500, page
                assert (
                    client.get(f"{page}?{urlencode({'next': text[:400].encode('utf-8', 'surrogatepass')})}").status_code
                    < 500
                )
