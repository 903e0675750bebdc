"""A new password by mail: telling nobody who exists, once, not for long, and never around the second factor."""

from datetime import timedelta

import pytest
from sqlalchemy import event, func, select

from tests.viewer.world import PASSWORD
from viewer.accounts.models import Purpose, SignIn, Ticket, User
from viewer.accounts.service import sign_in
from viewer.accounts.throttle import WINDOW
from viewer.accounts.tickets import VALID
from viewer.errors import WrongSignIn

MAIL, NEW = "parent@example.org", "wet boots in autumn"


def ask(client, mail=MAIL):
    return client.post("/sign-in/forgotten", data={"mail": mail})


def choose(client, link, password=NEW):
    assert client.get(link).headers["location"] == "/reset"
    return client.post("/reset", data={"password": password})


def opens(world, password):
    try:
        return bool(sign_in(world.database, MAIL, password, "elsewhere", world.clock()))
    except WrongSignIn:
        return False


def test_a_link_by_mail_sets_a_new_password_and_signs_everybody_out(people, world):
    cookie = world.sign_in("parent")
    with world.client() as client:
        assert ask(client).status_code == 200
        people.work()
        answer = choose(client, people.link(MAIL))
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    with world.client() as client:
        client.cookies.set("touchline", cookie)
        assert client.get("/account").headers["location"].startswith("/sign-in")
    assert opens(world, NEW)
    assert not opens(world, PASSWORD)
    assert "Your password was changed" in [mail.subject for mail in people.mails(MAIL)]
    assert people.acts("change-password")[-1].subject_id == world.users["parent"]


def test_known_and_unknown_addresses_get_the_same_answer_for_the_same_work(people, world):
    said = []
    statements: list[str] = []
    event.listen(world.database.engine, "before_cursor_execute", lambda *a: statements.append(a[2].split("(")[0]))
    with world.client() as client:
        for mail in (MAIL, "unknown@example.org"):
            statements.clear()
            answer = ask(client, mail)
            said.append((answer.status_code, answer.text, list(statements)))
    assert said[0] == said[1]
    people.work()
    assert people.mails("unknown@example.org") == []
    assert len(people.mails(MAIL)) == 1


def test_a_disabled_account_gets_no_link(people, world):
    with world.database.writing() as session:
        session.get_one(User, world.users["parent"]).disabled_at = world.clock()
    with world.client() as client:
        ask(client)
    people.work()
    assert people.mails(MAIL) == []


def test_a_link_works_once(people, world):
    with world.client() as client:
        ask(client)
        people.work()
        link = people.link(MAIL)
        assert choose(client, link).status_code == 303
        again = choose(client, link, "another one entirely")
    assert again.status_code == 410
    assert not opens(world, "another one entirely")


def test_a_link_works_for_half_an_hour_and_a_newer_one_ends_it(people, world):
    with world.client() as client:
        ask(client)
        people.work()
        first = people.link(MAIL)
        ask(client)
        people.work()
        second = people.link(MAIL)
        assert choose(client, first).status_code == 410
        world.clock.now += VALID[Purpose.RESET]
        assert choose(client, second).status_code == 410
    assert opens(world, PASSWORD)


def test_opening_the_link_changes_nothing_and_its_secret_stands_in_no_later_address(people, world):
    with world.client() as client:
        ask(client)
        people.work()
        link = people.link(MAIL)
        for _ in range(3):
            assert client.get(link).status_code == 303
            page = client.get("/reset")
            assert page.status_code == 200
            assert link.rsplit("/", 1)[1] not in page.text
        assert choose(client, link).status_code == 303


def test_a_weak_password_leaves_the_link_good(people, world):
    with world.client() as client:
        ask(client)
        people.work()
        link = people.link(MAIL)
        refused = choose(client, link, "password1")
        assert refused.status_code == 400
        assert "Too many people" in refused.text
        assert choose(client, link).status_code == 303


def test_the_second_factor_is_still_asked_for_after_a_reset(people, world, app_set_up):
    with world.client("parent") as client:
        app_set_up(client)
    with world.client() as client:
        ask(client)
        people.work()
        choose(client, people.link(MAIL))
        client.post("/sign-in", data={"mail": MAIL, "password": NEW})
        assert client.get("/account").headers["location"] == "/sign-in/second?next=/account"


@pytest.mark.parametrize("mail", [MAIL, "unknown@example.org"])
def test_asking_is_throttled_for_an_address_whether_it_has_an_account_or_not(people, world, mail):
    with world.client() as client:
        assert [ask(client, mail).status_code for _ in range(4)] == [200, 200, 200, 429]
        assert ask(client, "somebody-else@example.org").status_code == 200
        world.clock.now += WINDOW + timedelta(seconds=1)
        assert ask(client, mail).status_code == 200


def test_only_a_hash_of_the_secret_is_kept(people, world):
    with world.client() as client:
        ask(client)
    people.work()
    secret = people.link(MAIL).rsplit("/", 1)[1]
    with world.database.reading() as session:
        assert secret not in session.scalars(select(Ticket.secret_hash)).all()
        assert session.scalar(select(func.count()).select_from(Ticket)) == 1
        assert session.scalar(select(func.count()).select_from(SignIn)) == 0
    assert secret not in people.mails(MAIL)[-1].key
