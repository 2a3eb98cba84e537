"""Members of other domains."""

from __future__ import annotations

import logging
from typing import Any

from catalina.tribes.group.interceptors.domain_filter_interceptor import DomainFilterInterceptor
from tests.tribes.fakes import Stack, a_member

OURS, THEIRS = a_member(5, domain=b"shop"), a_member(6, domain=b"blog")


def make(**settings: Any) -> tuple[Stack, DomainFilterInterceptor]:
    layer = DomainFilterInterceptor(domain=b"shop", **settings)
    return Stack(layer, members=(OURS, THEIRS)), layer


def test_only_members_of_the_domain_are_there():
    stack, layer = make()
    assert layer.members == (OURS,)
    assert layer.get_member(OURS) is OURS
    assert layer.get_member(THEIRS) is None
    stack.bottom.known[:] = [THEIRS]
    assert not layer.has_members


def test_only_news_of_the_domain_pass(caplog):
    stack, layer = make()
    with caplog.at_level(logging.INFO):
        for member in (OURS, THEIRS):
            layer.member_added(member)
            layer.member_disappeared(member)
    assert stack.top.events == [("added", OURS), ("gone", OURS)]
    assert f"Member [{THEIRS}] was refused to join cluster" in caplog.text


def test_only_messages_of_the_domain_pass_and_every_nth_refusal_is_logged(caplog):
    stack, _ = make(log_interval=3)
    stack.receive(stack.message(b"ours", sender=OURS))
    for _ in range(7):
        stack.receive(stack.message(b"theirs", sender=THEIRS))
    assert stack.delivered == [b"ours"]
    assert caplog.text.count("was refused") == 3


def test_the_domain_is_text_or_bytes():
    layer = DomainFilterInterceptor()
    assert layer.set_attribute("domain", "{1,2}")
    assert layer.domain == b"\1\2"
