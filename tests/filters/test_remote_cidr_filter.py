"""Filter by network."""

import pytest

from catalina.filters.remote_cidr_filter import RemoteCIDRFilter
from tests.filters.middleware import Stand, configured


@pytest.mark.parametrize(
    ("parameters", "address", "passes"),
    [
        ({"allow": "192.0.2.0/24"}, "192.0.2.1", True), ({"allow": "192.0.2.0/24"}, "192.0.3.1", False),
        ({"deny": "192.0.2.0/24"}, "192.0.2.1", False), ({"deny": "192.0.2.0/24"}, "::1", True),
        ({"deny": "192.0.2.0/24"}, "::ffff:192.0.2.1", False), ({"allow": "192.0.2.0/24"}, "::ffff:192.0.2.1", True),
        ({"allow": "0.0.0.0/0"}, "", False), ({}, "192.0.2.1", False),
    ],
)  # fmt: skip
def test_networks_decide(parameters, address, passes):
    reply = Stand(configured(RemoteCIDRFilter(), **parameters)).ask(REMOTE_ADDR=address)
    assert (reply.seen is not None) is passes
    assert reply.error == (None if passes else (403, None))
