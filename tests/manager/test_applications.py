"""Start, stop, reload and the rest."""

from __future__ import annotations

import pytest

from tests.manager.site import make_base, running


def test_an_application_is_stopped_and_started(site):
    assert site.text("stop?path=/plain") == ["OK - Stopped application at context path [/plain]"]
    assert site.text("stop?path=/plain") == ["OK - Stopped application at context path [/plain]"]
    assert "/plain:stopped:0:plain" in site.text("list")
    assert site.text("reload?path=/plain") == [
        "FAIL - Encountered exception [java.lang.IllegalStateException: Context with name [/plain] has not yet been "
        "started]"
    ]
    assert site.text("start?path=/plain") == ["OK - Started application at context path [/plain]"]
    assert site.ask("/plain/").text == "plain"
    assert "/plain:running:1:plain" in site.text("list")


def test_a_reload_takes_new_code(site):
    file = site.base / "webapps" / "plain" / "wsgi.py"
    file.write_text(file.read_text().replace("plain", "other"))
    assert site.text("reload?path=/plain") == ["OK - Reloaded application at context path [/plain]"]
    assert site.ask("/plain/").text == "other"


def test_what_does_not_start_again_is_told_with_its_reason(site):
    (site.base / "webapps" / "plain" / "wsgi.py").write_text("1/0\napplication = 1\n")
    lines = site.text("reload?path=/plain")
    assert lines[0] == "FAIL - Application at context path [/plain] could not be started"
    assert "ZeroDivisionError" in lines[1]


@pytest.mark.parametrize("command", ["stop", "reload", "undeploy"])
def test_the_manager_does_not_saw_off_its_branch(site, command):
    assert site.text(f"{command}?path=/manager") == ["FAIL - The manager cannot reload, stop, or undeploy itself"]


def test_an_application_of_server_xml_is_not_undeployed(tmp_path):
    base = make_base(tmp_path / "base", '<Context path="/fixed" docBase="plain"/>')
    with running(base) as site:
        assert site.text("undeploy?path=/fixed") == [
            "FAIL - Context [&#47;fixed] is defined in server.xml and may not be undeployed"
        ]


def test_threads_that_an_application_has_left_are_found(site):
    (site.base / "webapps" / "plain" / "wsgi.py").write_text(
        "import threading\ndone = threading.Event()\n"
        "threading.Thread(target=done.wait, args=(60,), daemon=True).start()\n"
        "import sys, types\nsys.modules['plain_left'] = types.SimpleNamespace(done=done)\n"
        "def application(environ, start_response): pass\n"
    )
    site.text("reload?path=/plain")
    assert site.text("findleaks?statusLine=true") == ["OK - No memory leaks found"]
    assert site.text("findleaks") == []
    site.text("stop?path=/plain")
    import sys

    try:
        assert site.text("findleaks?statusLine=true") == [
            "OK - Found potential memory leaks in the following applications:",
            "/plain",
        ]
        assert site.text("findleaks") == ["/plain"]
    finally:
        sys.modules["plain_left"].done.set()
