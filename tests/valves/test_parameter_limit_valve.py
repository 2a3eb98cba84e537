"""Limits of parameters by path."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.core.standard_context import StandardContext
from catalina.core.standard_engine import StandardEngine
from catalina.core.standard_server import StandardServer
from catalina.errors import ConfigurationError, LifecycleError, LimitError
from catalina.valves.parameter_limit_valve import ParameterLimitValve, parse_limits
from catalina.webresources.resource import FileResource
from catalina.webresources.standard_root import StandardRoot
from tests.support.stand_in import stand_in
from tests.valves.exchange import make_request, run


def make(text):
    valve = ParameterLimitValve()
    valve.set_url_pattern_limits(text)
    return valve


def test_the_first_line_that_matches_decides():
    valve = make("# limits\n\n/api/.*=2\n/.*=5,10,512\n")
    for uri, limit in (("/api/x", 2), ("/other", 5)):
        request, response = make_request(uri, query="a=1&b=2&c=3")
        run(valve, request, response)
        assert request.max_parameter_count == limit


def test_more_parameters_than_that_are_refused():
    request, response = make_request("/api/x", query="a=1&b=2&c=3")
    run(make("/api/.*=2"), request, response)
    with pytest.raises(LimitError, match=r"\[2\]"):
        _ = request.parameters


def test_paths_without_a_line_keep_the_connectors_limit():
    request, response = make_request("/other")
    run(make("/api/.*=2"), request, response)
    assert request.max_parameter_count is None


def test_the_file_of_a_host_is_below_conf(tmp_path):
    file = tmp_path / "conf" / "Catalina" / "localhost" / "parameter_limit.config"
    file.parent.mkdir(parents=True)
    file.write_text("/x=1\n")
    engine = stand_in(
        StandardEngine, name="Catalina", parent=None, server=stand_in(StandardServer, catalina_base=tmp_path)
    )
    valve = ParameterLimitValve()
    valve.container = stand_in(StandardContext, name="localhost", parent=engine)
    valve.start()
    assert [limits.max_parameter_count for limits in valve.limits] == [1]
    valve.stop()
    assert valve.limits == []


def test_the_file_of_an_application_is_in_its_web_inf(tmp_path):
    file = tmp_path / "webapps" / "shop" / "WEB-INF" / "parameter_limit.config"
    file.parent.mkdir(parents=True)
    file.write_text("/x=1\n")
    resource = FileResource.of("/WEB-INF/parameter_limit.config", file)
    resources = stand_in(StandardRoot, get_resource={"/WEB-INF/parameter_limit.config": resource}.__getitem__)
    valve = ParameterLimitValve()
    valve.container = stand_in(StandardContext, name="/shop", constraints=[], resources=resources)
    valve.start()
    request, response = make_request("/shop/x", servlet_path="/x", path_info=None)
    run(valve, request, response)
    assert request.max_parameter_count == 1


def test_a_wrong_file_stops_the_start(tmp_path):
    file = tmp_path / "conf" / "Catalina" / "parameter_limit.config"
    file.parent.mkdir(parents=True)
    file.write_text("/x\n")
    valve = ParameterLimitValve()
    valve.container = stand_in(
        StandardContext, name="Catalina", parent=None, server=stand_in(StandardServer, catalina_base=tmp_path)
    )
    with pytest.raises(LifecycleError, match=r"parameter_limit\.config:1"):
        valve.start()


@pytest.mark.parametrize("line", ["/x", "/x=a", "/x=1,2", "(=1", "/x=1,2,3,4"])
def test_a_line_of_another_form_is_refused(line):
    with pytest.raises(ConfigurationError, match="limits:1"):
        parse_limits(line, "limits")


@given(st.text())
def test_any_text_is_limits_or_the_documented_error(text):
    try:
        parse_limits(text)
    except ConfigurationError:
        return
