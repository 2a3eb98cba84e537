"""Parameters that cannot be read."""

import pytest

from catalina.filters.failed_request_filter import MAX_PARAMETERS, FailedRequestFilter
from tests.filters.middleware import Stand


@pytest.mark.parametrize("query", ["", "a=1&b=%C3%A4&c", "a=1&&b=2", "a=b=c"])
def test_a_good_query_passes(query):
    assert Stand(FailedRequestFilter()).ask(query=query).seen is not None


@pytest.mark.parametrize("query", ["a=%zz", "a=%4", "=1", "&".join("a" for _ in range(MAX_PARAMETERS + 1))])
def test_a_broken_query_is_refused(query):
    reply = Stand(FailedRequestFilter()).ask(query=query)
    assert reply.seen is None
    assert reply.error == (400, None)
