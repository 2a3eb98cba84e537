from __future__ import annotations

from pathlib import Path

import pytest

from catalina.errors import ConfigurationError
from catalina.jmx.remote_settings import PREFIX, is_wanted, read_settings


def properties(**more: str) -> dict[str, str]:
    names = {f"{PREFIX}.{name.replace('_', '.')}": value for name, value in more.items()}
    return {PREFIX: "", f"{PREFIX}.port": "9010", **names}


OPEN = properties(ssl="false", authenticate="false")


def test_the_how_tos_flags_open_a_port_on_the_loopback(tmp_path: Path) -> None:
    settings = read_settings(OPEN, tmp_path)
    assert settings is not None
    assert (settings.port, settings.rmi_port, settings.host) == (9010, 9010, "127.0.0.1")
    assert (settings.tls, settings.password_file) == (None, None)
    assert any("bound to 127.0.0.1" in remark for remark in settings.remarks)


def test_another_address_without_logins_is_said(tmp_path: Path) -> None:
    settings = read_settings({**OPEN, f"{PREFIX}.host": "0.0.0.0"}, tmp_path)  # a named host
    assert settings is not None
    assert settings.host == "0.0.0.0"  # as given
    assert any("everybody who reaches [0.0.0.0] may change everything" in remark for remark in settings.remarks)


def test_without_a_port_nothing_is_asked_for(tmp_path: Path) -> None:
    assert read_settings({PREFIX: ""}, tmp_path) is None
    assert not is_wanted({PREFIX: ""})
    assert is_wanted(OPEN)


def test_all_that_an_operator_may_say_counts(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    password, access = tmp_path / "conf" / "jmxremote.password", tmp_path / "access"
    password.write_text("ops geheim\n")
    password.chmod(0o600)
    access.write_text("ops readwrite\n")
    more = properties(ssl="false", rmi_port="9011", host="10.0.0.7", access_file="access")
    settings = read_settings({**more, "java.rmi.server.hostname": "jmx.example.org"}, tmp_path)
    assert settings is not None
    assert (settings.rmi_port, settings.host, settings.hostname) == (9011, "10.0.0.7", "jmx.example.org")
    assert (settings.password_file, settings.access_file) == (password, access)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (properties(ssl="false"), "Password file not found"),
        (properties(authenticate="false"), "keyStore names no keys"),
        (properties(ssl="perhaps", authenticate="false"), "ssl=perhaps: expected true or false"),
        ({**OPEN, f"{PREFIX}.port": "99999"}, "port=99999: expected a port"),
        ({**OPEN, f"{PREFIX}.login.config": "x"}, "login.config is not supported"),
        ({**OPEN, "com.sun.management.config.file": "nope"}, "nope cannot be read"),
    ],
)
def test_what_cannot_be_met_stops_the_start(given: dict[str, str], message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=message):
        read_settings(given, tmp_path)


def test_a_password_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("ops geheim\n")
    (tmp_path / "password").chmod(0o644)
    with pytest.raises(ConfigurationError, match="read access must be restricted"):
        read_settings(properties(ssl="false", password_file="password"), tmp_path)


def test_a_client_certificate_needs_somebody_to_trust(tmp_path: Path) -> None:
    given = properties(authenticate="false", ssl_need_client_auth="true")
    with pytest.raises(ConfigurationError, match=r"needs javax\.net\.ssl\.trustStore"):
        read_settings({**given, "javax.net.ssl.keyStore": "keys.p12"}, tmp_path)


def test_a_file_of_properties_stands_behind_the_command_line(tmp_path: Path) -> None:
    lines = [f"{PREFIX}.port=9999", f"{PREFIX}.ssl=false", f"{PREFIX}.authenticate=false", f"{PREFIX}.nope=1"]
    (tmp_path / "management.properties").write_text("\n".join(lines))
    given = {"com.sun.management.config.file": "management.properties", f"{PREFIX}.port": "9010"}
    settings = read_settings(given, tmp_path)
    assert settings is not None
    assert settings.port == 9010
    assert f"{PREFIX}.nope means nothing here" in settings.remarks
