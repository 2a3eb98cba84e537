"""Members of answers come and go."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from catalina.tribes.membership.cloud.cloud_membership_provider import environment, member_id
from catalina.tribes.membership.cloud.dns_membership_provider import DNSMembershipProvider
from tests.tribes.fakes import a_member
from tests.tribes.membership.cloud.fakes import make_service


@pytest.fixture
def asked(monkeypatch):
    """A started service whose answers the test gives."""
    answers: list[Any] = [[a_member(5)]]

    def fetch(self):
        answer = answers[-1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(DNSMembershipProvider, "fetch_members", fetch)
    service, top, reactor = make_service("dns")
    service.start(4)
    return service, top, reactor, answers


def ask(service: Any, reactor: Any) -> None:
    service.heartbeat(reactor.time)
    reactor.run()


def test_the_first_answer_counts_at_the_start(asked):
    service, top, _, _ = asked
    assert top.events == [("added", a_member(5))]
    assert service.members == (a_member(5),)
    assert service.get_member(a_member(5)) == a_member(5)


def test_a_member_that_is_missing_for_long_is_gone(asked):
    service, top, reactor, answers = asked
    answers.append([])
    for _ in range(5):
        reactor.time += 1
        ask(service, reactor)
    assert len(top.events) == 1
    reactor.time += 1
    ask(service, reactor)
    assert top.events[1:] == [("gone", a_member(5))]


def test_without_an_answer_members_stay_as_long_as_with_an_empty_one(asked):
    service, _, reactor, answers = asked
    answers.append(None)
    reactor.time += 4
    ask(service, reactor)
    assert service.members == (a_member(5),)


def test_one_question_at_a_time(asked, monkeypatch):
    service, _, reactor, _ = asked
    submitted: list[Callable[[], None]] = []
    monkeypatch.setattr(reactor, "submit", submitted.append)
    service.heartbeat(0)
    service.heartbeat(0)
    assert len(submitted) == 1
    submitted[0]()
    reactor.run()
    service.heartbeat(0)
    assert len(submitted) == 2


def test_an_answer_after_the_stop_is_not_taken(asked):
    service, top, reactor, answers = asked
    service.heartbeat(0)
    answers.append([a_member(6)])
    service.stop(4)
    reactor.run()
    assert len(top.events) == 1


def test_ids_are_md5_and_the_first_variable_counts(monkeypatch):
    assert member_id("10.0.0.1") == hashlib.md5(b"10.0.0.1").digest()
    monkeypatch.setenv("SECOND", "2")
    assert environment("FIRST", "SECOND") == "2"
    monkeypatch.setenv("FIRST", "")
    assert environment("FIRST", "SECOND") == ""
    assert environment("NOT_SET_AT_ALL") is None


def test_the_namespace_has_a_default(asked, monkeypatch, caplog):
    provider = asked[0].provider
    monkeypatch.delenv("KUBERNETES_NAMESPACE", raising=False)
    assert provider.namespace() == "tomcat"
    assert "Namespace not set" in caplog.text
    monkeypatch.setenv("KUBERNETES_NAMESPACE", "shop")
    assert provider.namespace() == "shop"
