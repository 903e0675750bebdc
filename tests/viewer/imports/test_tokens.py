"""A connection's tokens and the job that uses them: refreshed once, kept sealed, and given up in words."""

import threading
from datetime import timedelta

from viewer.imports import duties
from viewer.imports.models import OAuthConnection
from viewer.imports.teamsnap.oauth import Access
from viewer.jobs.duties import Tools
from viewer.jobs.models import Job


def access_of(teamsnap, connection: int) -> Access:
    portal = teamsnap.world.portal
    return Access(portal.database, portal.seal, teamsnap.app, connection, teamsnap.world.clock)


def job_of(teamsnap) -> Job:
    with teamsnap.world.database.reading() as session:
        return session.query(Job).filter_by(kind=duties.SYNC).order_by(Job.id.desc()).first()


def test_a_token_that_is_nearly_over_is_refreshed_before_it_is_used(teamsnap):
    connection = teamsnap.let_in(expires_at=teamsnap.world.clock() + timedelta(hours=2))
    access = access_of(teamsnap, connection)
    first = access.token()
    assert access.token() == first
    teamsnap.world.clock.now += timedelta(hours=2)
    assert access.token() != first
    assert teamsnap.fake.refreshed == 1
    teamsnap.sync()
    assert teamsnap.fake.refreshed == 1


def test_two_who_meet_an_ended_token_refresh_it_once(teamsnap):
    connection = teamsnap.let_in()
    refused = access_of(teamsnap, connection).token()
    teamsnap.fake.end_tokens()
    got: list[str] = []
    both = [
        threading.Thread(target=lambda: got.append(access_of(teamsnap, connection).token(refused))) for _ in range(2)
    ]
    for one in both:
        one.start()
    for one in both:
        one.join(30)
    assert len(got) == 2
    assert got[0] == got[1] != refused
    assert teamsnap.fake.refreshed == 1


def test_a_token_that_ends_while_we_read_is_refreshed_and_the_look_goes_on(teamsnap):
    teamsnap.let_in()
    teamsnap.fake.end_tokens()
    teamsnap.sync()
    assert teamsnap.run() is not None
    assert teamsnap.connection().fault is None


def test_tokens_without_an_end_and_without_refreshing_are_used_until_they_are_refused(teamsnap):
    teamsnap.fake.lasting_s, teamsnap.fake.refreshing = None, False
    teamsnap.let_in()
    teamsnap.world.clock.now += timedelta(days=400)
    teamsnap.sync()
    assert teamsnap.run() is not None
    teamsnap.fake.end_everything()
    teamsnap.sync()
    assert "connect the club again" in teamsnap.connection().fault
    assert job_of(teamsnap).state == "done"


def test_an_app_whose_access_was_ended_there_asks_to_be_connected_anew(teamsnap):
    teamsnap.let_in()
    teamsnap.fake.end_everything()
    teamsnap.sync()
    assert "connect the club again" in teamsnap.connection().fault
    assert teamsnap.run() is None


def test_a_job_waits_as_long_as_teamsnap_asks_and_it_counts_as_no_try(teamsnap):
    teamsnap.let_in()
    teamsnap.fake.statuses, teamsnap.fake.retry_after = [429], "900"
    teamsnap.sync()
    job = job_of(teamsnap)
    assert (job.state, job.attempts) == ("waiting", 0)
    assert job.due_at == teamsnap.world.clock() + timedelta(seconds=900)
    assert "asked again in 15 min" in teamsnap.connection().fault
    teamsnap.world.clock.now += timedelta(seconds=901)
    teamsnap.work()
    assert teamsnap.run() is not None
    assert teamsnap.connection().fault is None


def test_a_short_wait_is_waited_in_pieces(teamsnap):
    teamsnap.let_in()
    teamsnap.fake.statuses, teamsnap.fake.retry_after = [429], "3"
    teamsnap.sync()
    assert teamsnap.slept == [1.0, 1.0, 1.0]
    assert teamsnap.run() is not None


def test_a_teamsnap_that_is_down_is_tried_again_by_itself(teamsnap):
    teamsnap.let_in()
    teamsnap.fake.statuses = [500] * 4
    teamsnap.sync()
    job = job_of(teamsnap)
    assert (job.state, job.attempts) == ("waiting", 1)
    assert "tried again by itself" in teamsnap.connection().fault
    teamsnap.world.clock.now = job.due_at
    teamsnap.work()
    assert teamsnap.run() is not None


def test_every_club_is_looked_at_once_a_day_by_one_job(teamsnap):
    teamsnap.let_in()
    portal, now = teamsnap.world.portal, teamsnap.world.clock()
    tools = Tools(portal.database, portal.settings, teamsnap.world.clock, portal.seal)
    [daily] = duties.PERIODIC
    assert daily.every == timedelta(days=1)
    with portal.database.writing() as session:
        daily.run(session, tools, now)
        daily.run(session, tools, now)
    with portal.database.reading() as session:
        assert session.query(Job).filter_by(kind=duties.SYNC).count() == 1


def test_a_run_that_nobody_decides_is_dropped_with_the_names_in_it(teamsnap):
    teamsnap.let_in()
    teamsnap.sync()
    portal = teamsnap.world.portal
    tools = Tools(portal.database, portal.settings, teamsnap.world.clock, portal.seal)
    for days, waits in ((29, True), (2, False)):
        teamsnap.world.clock.now += timedelta(days=days)
        with portal.database.writing() as session:
            duties.PERIODIC[0].run(session, tools, teamsnap.world.clock())
        assert (teamsnap.run() is not None) is waits


def test_a_club_that_was_disconnected_meanwhile_ends_the_job_quietly(teamsnap):
    teamsnap.let_in()
    with teamsnap.world.database.writing() as session:
        duties.queue_sync(session, session.query(OAuthConnection).one(), teamsnap.world.clock())
        session.query(OAuthConnection).delete()
    teamsnap.work()
    assert job_of(teamsnap).state == "done"
