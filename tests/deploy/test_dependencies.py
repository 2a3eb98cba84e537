"""pip installs what an application requires, beside the container's environment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from catalina.deploy.dependencies import install_dependencies
from catalina.errors import DeploymentError
from tests.deploy.archives import make_wheel


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of wheels that pip installs from; it asks nobody else."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    return tmp_path / "index"


def test_what_is_required_is_installed_with_what_that_requires(tmp_path, index):
    make_wheel(index, "tilly-lib", "1.0", {"tilly_lib.py": ""}, requires=["tilly-deep"])
    make_wheel(index, "tilly-deep", "2.0", {"tilly_deep.py": ""})
    install_dependencies("shop.whl", [Requirement("tilly-lib>=1")], str(tmp_path / "work/site-packages"))
    assert {"tilly_lib.py", "tilly_deep.py"} <= set(os.listdir(tmp_path / "work/site-packages"))


def test_what_pip_cannot_find_is_named_in_one_line_and_nothing_changes(tmp_path, index):
    index.mkdir()
    target = tmp_path / "work/site-packages"
    target.mkdir(parents=True)
    (target / "kept.py").touch()
    with pytest.raises(
        DeploymentError, match="pip cannot install tilly-none: ERROR: No matching distribution"
    ) as error:
        install_dependencies("shop.whl", [Requirement("tilly-none")], str(target))
    assert "\n" not in str(error.value)
    assert os.listdir(target) == ["kept.py"]
    assert os.listdir(tmp_path / "work") == ["site-packages"]
