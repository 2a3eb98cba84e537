"""Requests per client."""

import logging

import pytest

from catalina.attributes import AttributeRefused
from catalina.errors import DeploymentError
from catalina.filters.rate_limit_filter import COUNT_KEY, RateLimitFilter
from tests.filters.middleware import CONTEXT, Stand, configured, unreached

EXACT = "org.apache.catalina.util.ExactRateLimiter"


def make(**parameters):
    return Stand(
        configured(RateLimitFilter(), **{"bucketRequests": "2", "bucketDuration": "3600", "rateLimitClassName": EXACT,
                                         **parameters})
    )  # fmt: skip


def test_more_than_the_limit_is_refused_for_that_client_only(caplog):
    stand = make()
    assert [stand.ask().seen[COUNT_KEY] for _ in range(2)] == [1, 2]
    assert stand.ask().error == (429, "Too many requests")
    assert "[3] requests from [192.0.2.1] exceed the limit of [2]" in caplog.text
    assert stand.ask(REMOTE_ADDR="198.51.100.1").status == 200


def test_it_may_only_count():
    stand = make(enforce="false")
    assert [stand.ask().status for _ in range(4)] == [200] * 4


def test_clients_are_told_on_demand():
    stand = make(exposeHeaders="true", policyName="shop")
    reply = stand.ask()
    assert reply.get("RateLimit-Policy") == '"shop";q=2;w=3600'
    assert reply.get("RateLimit") == '"shop";r=1'


def test_the_default_limiter_rounds_up(caplog):
    with caplog.at_level(logging.INFO):
        Stand(RateLimitFilter())
    assert "Actual is [328] per [65] seconds. enforcing" in caplog.text


@pytest.mark.parametrize("name", ["no.such.Limiter", "org.apache.catalina.filters.CorsFilter"])
def test_a_class_that_is_no_limiter_keeps_the_application_from_starting(name):
    with pytest.raises(DeploymentError, match=r"rate limiter|rateLimitClassName"):
        configured(RateLimitFilter(), rateLimitClassName=name).start(unreached, CONTEXT)


@pytest.mark.parametrize("name", ["bucketDuration", "bucketRequests"])
def test_numbers_must_be_positive(name):
    with pytest.raises(AttributeRefused):
        RateLimitFilter().set_attribute(name, "0")
