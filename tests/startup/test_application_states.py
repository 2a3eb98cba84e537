"""The report about the applications of a host."""

from __future__ import annotations

from catalina.startup.application_states import application_states
from tests.deploy.archives import hello, make_wheel
from tests.startup.hosts import Base, running
from tests.support.narrowing import there


def bare(base, name, source):
    (base.webapps / name).mkdir(parents=True)
    (base.webapps / name / "wsgi.py").write_text(source)


def test_each_application_has_its_state_and_the_failed_one_its_reason(tmp_path):
    base = Base(tmp_path, auto_deploy=False)
    bare(base, "good", hello("good"))
    bare(base, "bad", "import no_such_module_at_all\n")
    with running(base):
        bad, good = application_states(base.host)
    assert (good.name, good.label, good.sessions, good.reason) == ("/good", "running", 0, "")
    assert (bad.name, bad.label, bad.sessions) == ("/bad", "failed", None)
    assert bad.reason.startswith("cannot load 'wsgi': ModuleNotFoundError: No module named 'no_such_module_at_all' (")


def test_an_application_that_did_not_come_to_a_context_is_there_too(tmp_path):
    base = Base(tmp_path, auto_deploy=False, install_dependencies=False)
    wheel = make_wheel(base.webapps, "shop", "1", {"shop.py": hello("x")}, requires=["tilly-none>=3"])
    with running(base):
        (state,) = application_states(base.host)
    assert (state.name, state.label, state.directory) == ("/shop##1", "failed", str(wheel))
    assert "requires what is not here: tilly-none>=3" in state.reason
    assert 'installDependencies="false" keeps pip' in state.reason


def test_who_was_stopped_has_no_reason(tmp_path):
    base = Base(tmp_path, auto_deploy=False)
    bare(base, "good", hello("good"))
    with running(base):
        there(base.context("/good")).stop()
        assert [state.label for state in application_states(base.host)] == ["stopped"]


def test_the_reason_goes_with_the_next_start(tmp_path):
    base = Base(tmp_path, auto_deploy=False)
    bare(base, "good", "1/0\n")
    with running(base):
        assert "ZeroDivisionError" in there(base.context("/good")).failure
        (base.webapps / "good" / "wsgi.py").write_text(hello("again"))
        there(base.context("/good")).reload()
        assert there(base.context("/good")).failure == ""
        assert base.ask("/good") == "again"


def test_a_descriptor_a_filter_and_a_listener_give_their_reasons(tmp_path):
    base = Base(tmp_path, auto_deploy=False)
    broken = {
        "xml": "<web-app><filter></web-app>",
        "filter": "<web-app><filter><filter-name>f</filter-name><filter-class>nothing:f</filter-class></filter>"
        "<filter-mapping><filter-name>f</filter-name><url-pattern>/*</url-pattern></filter-mapping></web-app>",
        "listener": "<web-app><listener><listener-class>hear:Hear</listener-class></listener></web-app>",
    }
    for name, text in broken.items():
        directory = base.webapps / name / "WEB-INF" / "classes"
        directory.mkdir(parents=True)
        (directory.parent / "web.xml").write_text(text)
        (directory / "hear.py").write_text("class Hear:\n    def context_initialized(self, event):\n        1 / 0\n")
    with running(base):
        reasons = {state.name: state.reason for state in application_states(base.host)}
    assert "web.xml" in reasons["/xml"]
    assert "filter [f]" in reasons["/filter"]
    assert "No module named 'nothing'" in reasons["/filter"]
    assert "listener [hear.Hear]: ZeroDivisionError: division by zero" in reasons["/listener"]
