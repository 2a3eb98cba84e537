"""The text interface, as scripts use it."""

from __future__ import annotations

import logging

import pytest

from tests.manager.site import make_base, running, war


@pytest.mark.parametrize(
    ("login", "status"), [(None, 401), ("op:wrong", 401), ("low:low", 403), ("gui:secret", 403), ("op:secret", 200)]
)
def test_only_the_role_manager_script_is_let_in(site, login, status):
    assert site.ask("/manager/text/list", login=login).status == status


def test_a_guessed_password_locks_out(site):
    for _ in range(3):
        assert site.ask("/manager/text/list", login="op:wrong").status == 401
    assert site.ask("/manager/text/list").status == 401


def test_an_answer_is_plain_text_that_no_browser_takes_for_something_else(site):
    headers = site.ask("/manager/text/list").headers
    assert headers["Content-Type"] == "text/plain;charset=utf-8"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "private"


def test_a_command_that_changes_something_leaves_an_audit_line(site, caplog):
    caplog.set_level(logging.INFO, "org.apache.catalina.mbeans.Audit")
    site.text("stop?path=/plain")
    site.text("list")
    said = [record.getMessage() for record in caplog.records if record.name == "org.apache.catalina.mbeans.Audit"]
    assert said == ["[op] at [127.0.0.1] over [manager/text] stop [path=/plain]"]


def test_what_failed_is_noted_too(site, caplog):
    site.text("undeploy?path=/none")
    said = [record.getMessage() for record in caplog.records if record.name == "org.apache.catalina.mbeans.Audit"]
    assert said == [
        "[op] at [127.0.0.1] over [manager/text] undeploy [path=/none] failed: "
        "FAIL - No context exists named [&#47;none]"
    ]


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_only_get_and_put_are_commands(site, method):
    assert site.ask("/manager/text/list", method).status == 405


@pytest.mark.parametrize("path", ["//etc", "/../x", "/a%00b", "plain", "/a/./b", "/x%23%23../y"])
def test_a_path_that_could_lead_elsewhere_is_none(site, path):
    for command in ("start", "undeploy", "deploy"):
        method = "PUT" if command == "deploy" else "GET"
        assert site.text(f"{command}?path={path}", method, b"x" if method == "PUT" else b"")[0].startswith(
            "FAIL - Invalid context path ["
        )


def test_the_resources_of_the_server_are_listed_by_name_and_type(site):
    assert site.text("resources") == [
        "OK - Listed global resources of all types",
        "UserDatabase:org.apache.catalina.users.MemoryUserDatabase",
        "answer:java.lang.Integer",
    ]
    assert site.text("resources?type=org.apache.catalina.UserDatabase")[1:] == [
        "UserDatabase:org.apache.catalina.users.MemoryUserDatabase"
    ]
    assert site.text("resources?type=java.lang.Long") == ["OK - Listed global resources of type [java.lang.Long]"]


def test_a_realm_that_never_locks_out_is_warned_of(tmp_path, caplog):
    base = make_base(tmp_path / "base")
    file = base / "conf" / "server.xml"
    text = file.read_text().replace("LockOutRealm", "CombinedRealm").replace(' failureCount="3"', "")
    file.write_text(text)
    with running(base):
        assert "can try passwords without end" in caplog.text


def test_an_application_is_deployed_replaced_and_removed(site):
    assert site.text("deploy?path=/shop", "PUT", war("one")) == ["OK - Deployed application at context path [/shop]"]
    assert site.ask("/shop/").text == "one"
    assert site.text("deploy?path=/shop", "PUT", war("two")) == ["FAIL - Application already exists at path [/shop]"]
    assert site.text("deploy?path=/shop&update=true", "PUT", war("two"))[0].startswith("OK - ")
    assert site.ask("/shop/").text == "two"
    assert site.text("undeploy?path=/shop") == ["OK - Undeployed application at context path [/shop]"]
    assert site.ask("/shop/").status == 404
    assert [path.name for path in (site.base / "webapps").iterdir()] == ["plain"]


def test_an_unknown_command_is_named(site):
    assert site.text("frob") == ["FAIL - Unknown command [/frob]"]
