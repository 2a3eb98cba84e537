"""Filter by host name."""

from catalina.filters.remote_host_filter import RemoteHostFilter
from tests.filters.middleware import Stand, configured


def test_the_name_is_matched_and_the_address_where_there_is_none():
    stand = Stand(configured(RemoteHostFilter(), allow=r".*\.example|192\..*"))
    assert stand.ask(REMOTE_HOST="a.example").seen is not None
    assert stand.ask(REMOTE_HOST="a.test").seen is None
    assert stand.ask().seen is not None
