from __future__ import annotations

import datetime

import pytest

from catalina.attributes import AttributeRefused
from catalina.errors import LifecycleError
from catalina.lifecycle import Lifecycle
from catalina.security.security_listener import SecurityListener, _current_umask


def listener(**attributes: str) -> SecurityListener:
    made = SecurityListener()
    for name, text in attributes.items():
        assert made.set_attribute(name, text)
    return made


@pytest.mark.parametrize("user", ["root", "Admin"])
def test_a_user_of_the_list_may_not_run_the_server(user: str) -> None:
    with pytest.raises(
        LifecycleError, match=rf"while running as user \[{user}\]\. Running Tomcat as this user has been blocked"
    ):
        listener(checkedOsUsers="root, admin").check_user(user)


def test_another_user_may() -> None:
    listener().check_user("tomcat")


@pytest.mark.parametrize("umask", [0o027, 0o077, 0o007])
def test_a_strict_umask_is_accepted(umask: int) -> None:
    listener().check_umask(umask)


@pytest.mark.parametrize("umask", [0o022, 0o000, 0o006])
def test_a_umask_that_shares_with_others_is_refused(umask: int) -> None:
    with pytest.raises(LifecycleError, match=rf"umask setting of \[{umask:04o}\].*at least as restrictive as \[0007\]"):
        listener().check_umask(umask)


def test_the_minimum_is_an_octal_number() -> None:
    assert listener(minimumUmask="0027").minimum_umask == 0o027
    with pytest.raises(AttributeRefused, match="an octal number"):
        listener(minimumUmask="9")


def test_an_old_installation_is_a_warning_only_when_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1000)
    listener().check_age(later)
    assert caplog.text == ""
    listener(buildDateWarningAgeDays="999").check_age(later)
    assert "was built more than 999 days ago" in caplog.text


def test_the_check_refuses_the_start_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "root")
    server = Lifecycle()
    server.add_lifecycle_listener(listener())
    with pytest.raises(LifecycleError, match="running as user"):
        server.start()


def test_reading_the_umask_leaves_it_as_it_is() -> None:
    assert _current_umask() == _current_umask()
