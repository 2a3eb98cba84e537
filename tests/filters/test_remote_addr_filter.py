"""Filter by address."""

from catalina.filters.remote_addr_filter import RemoteAddrFilter
from tests.filters.middleware import Stand, configured


def test_the_address_is_matched_whole():
    stand = Stand(configured(RemoteAddrFilter(), allow=r"192\.0\.2"))
    assert stand.ask().seen is None
    assert stand.ask(REMOTE_ADDR="192.0.2").seen is not None
