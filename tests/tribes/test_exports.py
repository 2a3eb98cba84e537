from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import catalina.tribes

README = Path(catalina.tribes.__file__).with_name("README.md")


@pytest.mark.parametrize("name", catalina.tribes.__all__)
def test_each_public_name_is_there(name: str) -> None:
    value = getattr(catalina.tribes, name)
    assert getattr(value, "__name__", name) == name


def test_another_name_is_none() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        catalina.tribes.Nothing  # noqa: B018


def test_mypy_knows_the_same_names() -> None:
    source = Path(catalina.tribes.__file__).read_text("utf-8")
    assert sorted(re.findall(r"import (\w+) as \1$", source, re.M)) == catalina.tribes.__all__


def test_the_package_alone_loads_neither_channel_nor_transport() -> None:
    code = (
        "import sys, catalina.tribes.member; print([name for name in sys.modules if name.endswith(('group', 'nio'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_the_imports_of_the_readme_work() -> None:
    lines = re.findall(r"^    (from catalina\S* import .+)$", README.read_text("utf-8"), re.M)
    assert lines
    for line in lines:
        exec(line, {})
