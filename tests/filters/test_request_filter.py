"""Allow and deny in filters."""

import pytest

from catalina.filters.remote_addr_filter import RemoteAddrFilter
from catalina.filters.request_filter import RequestFilter
from tests.filters.middleware import Stand, configured


@pytest.mark.parametrize(
    ("parameters", "passes"),
    [
        ({"allow": r"192\..*"}, True), ({"allow": r"10\..*"}, False), ({"deny": r"192\..*"}, False),
        ({"deny": r"10\..*"}, True), ({"allow": ".*", "deny": r"192\..*"}, False), ({}, False),
    ],
)  # fmt: skip
def test_deny_wins_and_allow_alone_refuses_the_rest(parameters, passes):
    reply = Stand(configured(RemoteAddrFilter(), **parameters)).ask()
    assert (reply.seen is not None) is passes
    assert reply.status == (200 if passes else 403)


def test_refusals_are_the_containers_error_with_the_status_that_was_set():
    reply = Stand(configured(RemoteAddrFilter(), allow="x", denyStatus="404")).ask()
    assert reply.error == (404, None)


def test_a_filter_says_what_it_looks_at():
    with pytest.raises(NotImplementedError):
        RequestFilter().property_of({})
