from __future__ import annotations

from pathlib import Path

import pytest

from catalina.digester.class_names import find_class
from catalina.loader.virtual_webapp_loader import VirtualWebappLoader
from tests.deploy.archives import make_wheel
from tests.loader.applications import FakeContext, running, write_application


def loader(tmp_path: Path, **values: object) -> VirtualWebappLoader:
    root = write_application(tmp_path / "a", {"tilly_virtual.py": "WHO = 'application'\n"})
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "tilly_virtual.py").write_text("WHO = 'project'\n")
    (tmp_path / "project" / "tilly_beside.py").write_text("WHO = 'beside'\n")
    make_wheel(tmp_path / "wheels", "tilly_wheel", "1", {"tilly_wheel.py": "WHO = 'wheel'\n"})
    path = f"{tmp_path}/project; {tmp_path}/wheels/*.jar;{tmp_path}/missing"
    made = VirtualWebappLoader(virtual_classpath=path, **values)
    made.context = FakeContext("/a", root, tmp_path / "work")  # type: ignore[assignment]  # what a loader asks of one
    return made


def test_what_lies_outside_is_imported_after_the_applications_own(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with running(loader(tmp_path)) as (made,):
        assert made.load("tilly_virtual:WHO") == "application"
        assert made.load("tilly_beside:WHO") == "beside"
        assert made.load("tilly_wheel:WHO") == "wheel"
    assert f"virtualClasspath names [{tmp_path}/missing], which does not exist" in caplog.text


def test_it_is_imported_first_when_so_configured(tmp_path: Path) -> None:
    with running(loader(tmp_path, search_virtual_first=True)) as (made,):
        assert made.load("tilly_virtual:WHO") == "project"


def test_tomcats_name_leads_to_it() -> None:
    assert find_class("org.apache.catalina.loader.VirtualWebappLoader") is VirtualWebappLoader
