from __future__ import annotations

from pathlib import Path

import pytest

from catalina.tomcat.util.digester.service_binding_property_source import ServiceBindingPropertySource


@pytest.fixture(autouse=True)
def bindings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "password").write_text("s3cret\n")
    (tmp_path / "outside").write_text("x")
    monkeypatch.setenv("SERVICE_BINDING_ROOT", str(tmp_path))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("db.password", "s3cret\n"),
        ("chomp:db.password", "s3cret"),
        ("db.user", None),
        ("db", None),
        ("..outside", None),
        ("db.../outside", None),
        ("...outside", None),
    ],
)
def test_a_name_is_a_file_of_a_binding_and_nothing_outside(name: str, value: str | None) -> None:
    assert ServiceBindingPropertySource().get_property(name) == value


def test_without_the_variable_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SERVICE_BINDING_ROOT")
    assert ServiceBindingPropertySource().get_property("db.password") is None
