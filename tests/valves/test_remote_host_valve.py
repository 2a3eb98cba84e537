"""Filter by host name."""

from catalina.valves.remote_host_valve import RemoteHostValve
from tests.valves.exchange import make_request, run


def test_the_name_is_matched():
    valve = RemoteHostValve()
    valve.set_attribute("deny", r".*\.bad\.example")
    for name, passes in (("a.bad.example", False), ("a.good.example", True)):
        request, response = make_request(remote_host=name)
        assert bool(run(valve, request, response).requests) is passes
