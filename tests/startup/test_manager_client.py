"""The command against a manager over HTTP."""

from __future__ import annotations

import pytest

from catalina.startup.control_client import main
from catalina.startup.manager_client import PASSWORD
from tests.deploy.archives import hello, make_wheel
from tests.manager.site import make_base, running, war


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.setenv(PASSWORD, "secret")
    monkeypatch.setenv("HOME", str(tmp_path))
    with running(make_base(tmp_path / "base")) as site:
        yield site


@pytest.fixture
def run(site, tmp_path):
    """From a directory without a node."""

    def run(verb, *words, user="op"):
        login = ["--user", user] if user else []
        url = f"http://127.0.0.1:{site.port}/manager"
        return main(verb, ["--url", url, *login, *words], tmp_path)

    return run


def test_a_wheel_is_deployed_listed_reloaded_and_undeployed(site, run, tmp_path, capsys):
    file = make_wheel(tmp_path / "w", "shop", "1", {"shop.py": hello("one")})
    assert run("deploy", str(file)) == 0
    assert site.ask("/shop/").text == "one"
    assert run("list") == 0
    assert run("reload", "/shop##1") == 0
    assert run("sessions", "/shop##1") == 0
    assert run("undeploy", "/shop##1") == 0
    assert site.host.find_child("/shop##1") is None
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "OK - Deployed application at context path [/shop##1]"
    assert "/shop:running:0:shop##1" in lines
    assert lines[-1] == "OK - Undeployed application at context path [/shop##1]"


def test_a_newer_archive_of_the_same_name_replaces_the_older(site, run, tmp_path):
    file = tmp_path / "cart.zip"
    for text in ("one", "two"):
        file.write_bytes(war(text))
        assert run("deploy", str(file)) == 0
        assert site.ask("/cart/").text == text


def test_an_archive_that_does_not_start_is_exit_code_1_with_its_reason(run, tmp_path, capsys):
    file = make_wheel(tmp_path / "w", "shop", "1", {"shop.py": "1/0\napplication = 1\n"})
    assert run("deploy", str(file)) == 1
    error = capsys.readouterr().err
    assert error.startswith("FAIL - Deployed application at context path [/shop##1] but context failed to start")
    assert "ZeroDivisionError" in error


@pytest.mark.parametrize(("user", "why"), [("nobody", "answers 401 "), ("watch", "lacks the role manager-script")])
def test_who_may_not_is_told_before_anything_is_sent(run, tmp_path, capsys, user, why):
    file = tmp_path / "cart.zip"
    file.write_bytes(war())
    assert run("deploy", str(file), user=user) == 1
    assert why in capsys.readouterr().err


def test_user_and_password_may_stand_in_netrc(run, tmp_path, monkeypatch, capsys):
    assert run("list", user=None) == 1
    assert "--user is needed, or an entry for 127.0.0.1 in ~/.netrc" in capsys.readouterr().err
    monkeypatch.delenv(PASSWORD)
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login op password secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    assert run("list", user=None) == 0


def test_without_a_password_and_a_terminal_nothing_is_asked(run, monkeypatch, capsys):
    monkeypatch.delenv(PASSWORD)
    assert run("list") == 1
    assert "no password for op: $CATALINA_MANAGER_PASSWORD" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://127.0.0.1/manager", "is no address of a manager"),
        ("http://shop.example/manager", "http:// sends the password to shop.example unencrypted"),
        ("https://op:secret@127.0.0.1/manager", "a password in an address is seen by everybody"),
        ("http://127.0.0.1:1/manager", "no manager answers on http://127.0.0.1:1/manager: "),
    ],
)
def test_an_address_that_cannot_be_used(tmp_path, monkeypatch, capsys, url, why):
    monkeypatch.setenv(PASSWORD, "secret")
    assert main("list", ["--url", url, "--user", "op"], tmp_path) == 1
    assert why in capsys.readouterr().err


def test_the_farm_is_for_the_own_node(run, capsys):
    assert run("undeploy", "/shop", "--farm") == 1
    assert "--farm and --host are for the node of this directory" in capsys.readouterr().err


def test_no_manager_there_is_said_so(site, tmp_path, capsys):
    assert main("list", ["--url", f"http://127.0.0.1:{site.port}/plain", "--user", "op"], tmp_path) == 1
    assert "/plain is no manager application: it does not answer as one" in capsys.readouterr().err
