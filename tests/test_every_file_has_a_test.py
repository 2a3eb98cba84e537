"""Every source file has its test file: ``catalina/x/y.py`` is tested by ``tests/x/test_y.py``."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[1]


def expected_test(source: Path) -> Path:
    inside = source.relative_to(ROOT / "catalina")
    return ROOT / "tests" / inside.with_name(f"test_{inside.stem.strip('_')}.py")


def test_every_source_file_has_its_test_file() -> None:
    sources = (path for path in (ROOT / "catalina").rglob("*.py") if path.name != "__init__.py")
    missing = [
        f"{source.relative_to(ROOT)} has no {expected_test(source).relative_to(ROOT)} with tests in it"
        for source in sorted(sources)
        if not expected_test(source).is_file() or "def test_" not in expected_test(source).read_text("utf-8")
    ]
    assert missing == []
