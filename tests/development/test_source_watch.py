"""Changes of an application's source."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalina.development.source_watch import SourceWatch


@pytest.mark.parametrize("name", ["a.py", "pk/m.py", "templates/cart.html", ".env", "pyproject.toml"])
def test_sources_count(name: str) -> None:
    assert SourceWatch(Path("/srv/shop")).counts(f"/srv/shop/{name}")


@pytest.mark.parametrize(
    "name",
    ["__pycache__/a.py", ".venv/lib/x.py", ".git/x.py", "db.sqlite3", "app.log", "data.json", ".#a.py", "dist/a.py",
     "shop.egg-info/x.toml", "../other/a.py"],
)  # fmt: skip
def test_what_tools_and_the_application_write_does_not(name: str) -> None:
    assert not SourceWatch(Path("/srv/shop")).counts(f"/srv/shop/{name}")


def test_an_archive_is_its_own_source() -> None:
    watch = SourceWatch(Path(__file__))
    assert watch.counts(__file__)
    assert not watch.counts(str(Path(__file__).with_name("other.py")))


def test_many_changes_are_told_together_also_a_file_that_comes_by_a_rename(tmp_path: Path) -> None:
    (tmp_path / "pk").mkdir()
    watch = SourceWatch(tmp_path)
    watch.start()
    try:
        assert watch.changed(0.01) == []
        (tmp_path / "pk" / "new.part").write_text("x = 1")
        (tmp_path / "pk" / "new.part").rename(tmp_path / "pk" / "m.py")
        (tmp_path / "a.py").write_text("x = 1")
        found: set[str] = set()
        while len(found) < 2:
            changed = watch.changed(30)
            assert changed
            found.update(changed)
        assert found == {str(tmp_path / "pk" / "m.py"), str(tmp_path / "a.py")}
        (tmp_path / "a.py").read_text()
        assert watch.changed(0.3) == []
    finally:
        watch.stop()
