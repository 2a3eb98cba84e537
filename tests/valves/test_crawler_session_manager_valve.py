"""Crawlers share one session with themselves."""

import pytest

from catalina.core.standard_context import StandardContext
from catalina.core.standard_host import StandardHost
from catalina.valves.crawler_session_manager_valve import CrawlerSessionManagerValve
from tests.support.stand_in import stand_in
from tests.valves.exchange import make_request, run

BOT = [("User-Agent", "Mozilla (compatible; Googlebot/2.1)")]


class Session:
    def __init__(self, session_id):
        self.id = session_id
        self.max_inactive_interval = 1800
        self.listeners = []

    def add_session_listener(self, listener):
        self.listeners.append(listener)


def visit(valve, headers=BOT, host="localhost", context="/shop", session=None, **attributes):
    """One request whose application makes ``session``; returns the request as the application saw it."""
    made: list[Session] = []
    attributes |= {"host": stand_in(StandardHost, name=host), "context": stand_in(StandardContext, name=context)}
    request, response = make_request(
        headers=headers, get_session=lambda create=True: made[0] if made else None, **attributes
    )

    def serve(request, response):
        if session is not None:
            made.append(session)

    run(valve, request, response, serve)
    return request


def test_the_second_request_of_a_crawler_gets_the_session_of_the_first():
    valve = CrawlerSessionManagerValve()
    session = Session("S1")
    visit(valve, session=session)
    assert visit(valve).requested_session_id == "S1"
    assert session.max_inactive_interval == 60


@pytest.mark.parametrize(
    "headers", [[("User-Agent", "Firefox")], [], [*BOT, ("User-Agent", "second")]], ids=["browser", "none", "two"]
)
def test_others_are_left_alone(headers):
    valve = CrawlerSessionManagerValve()
    visit(valve, session=Session("S1"))
    assert visit(valve, headers).requested_session_id is None


def test_crawlers_are_known_by_address_too():
    valve = CrawlerSessionManagerValve()
    valve.set_attribute("crawlerIps", r"192\.0\.2\..*")
    visit(valve, [], session=Session("S1"))
    assert visit(valve, []).requested_session_id == "S1"


def test_hosts_and_applications_have_sessions_of_their_own():
    valve = CrawlerSessionManagerValve()
    visit(valve, session=Session("S1"))
    assert visit(valve, host="other").requested_session_id is None
    assert visit(valve, context="/other").requested_session_id is None
    valve = CrawlerSessionManagerValve(host_aware=False, context_aware=False)
    visit(valve, session=Session("S1"))
    assert visit(valve, host="other", context="/other").requested_session_id == "S1"


def test_a_session_that_ends_is_forgotten():
    valve = CrawlerSessionManagerValve()
    session = Session("S1")
    visit(valve, session=session)
    session.listeners[0](session, "destroySession")
    assert visit(valve).requested_session_id is None


def test_a_session_of_whose_end_nobody_has_told_is_followed_by_another():
    valve = CrawlerSessionManagerValve()
    visit(valve, session=Session("S1"))
    visit(valve, session=Session("S2"))
    assert visit(valve).requested_session_id == "S2"
