from __future__ import annotations

import sys
from pathlib import Path

import pytest

from catalina.errors import ConfigurationError
from catalina.startup.catalina_properties import extend_import_path, load_catalina_properties


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "conf").mkdir()
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


def properties(base: Path, **more: str) -> dict[str, str]:
    return {"catalina.base": str(base), "catalina.home": str(base / "home"), **more}


def test_the_file_of_the_base_wins_over_the_command_line(base: Path) -> None:
    (base / "conf" / "catalina.properties").write_text("a=file\nb=file")
    found = properties(base, a="line")
    load_catalina_properties(found)
    assert (found["a"], found["b"]) == ("file", "file")


def test_a_base_without_the_file_has_no_such_properties(base: Path) -> None:
    found = properties(base)
    load_catalina_properties(found)
    assert found == properties(base)


@pytest.mark.parametrize("form", ["{path}", "file:{path}", "file://{path}"])
def test_another_file_may_be_named(base: Path, form: str) -> None:
    (base / "my props").write_text("a=other")
    path = form.format(path=base / "my props").replace(" ", "%20" if form != "{path}" else " ")
    found = properties(base, **{"catalina.config": path})
    load_catalina_properties(found)
    assert found["a"] == "other"


def test_a_named_file_that_is_not_there_stops_the_start(base: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot read the properties file '/nowhere/x': No such file"):
        load_catalina_properties(properties(base, **{"catalina.config": "/nowhere/x"}))


def test_lib_of_base_and_home_is_importable_with_the_archives_in_it(base: Path) -> None:
    for lib in (base / "lib", base / "home" / "lib"):
        lib.mkdir(parents=True)
    (base / "lib" / "shop-1-py3-none-any.whl").touch()
    (base / "lib" / "driver.jar").touch()
    before = list(sys.path)
    extend_import_path(properties(base))
    assert sys.path[len(before) :] == [
        str(base / "lib"),
        str(base / "lib" / "shop-1-py3-none-any.whl"),
        str(base / "home" / "lib"),
    ]


def test_a_loader_written_for_java_finds_wheels_and_zips(base: Path) -> None:
    (base / "extra, dir").mkdir()
    (base / "extra, dir" / "x.zip").touch()
    before = list(sys.path)
    found = properties(base, **{"common.loader": "", "shared.loader": '"${catalina.base}/extra, dir/*.jar",/nowhere'})
    extend_import_path(found)
    assert sys.path[len(before) :] == [str(base / "extra, dir" / "x.zip")]
