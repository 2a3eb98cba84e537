"""pip installs what an application requires, beside the container's environment."""

from __future__ import annotations

import os
import sys
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from catalina.deploy import dependencies
from catalina.deploy.declared_requirements import DeclaredRequirements, declared_requirements
from catalina.deploy.dependencies import InstallRules, install_dependencies
from catalina.deploy.progress import listening
from catalina.errors import DeploymentError
from tests.deploy.archives import make_wheel
from tests.support.narrowing import there


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of wheels that pip installs from; it asks nobody else."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    (tmp_path / "index").mkdir()
    return tmp_path / "index"


DEFAULT = InstallRules()


def declared(tmp_path: Path, text: str) -> DeclaredRequirements:
    (tmp_path / "shop").mkdir(exist_ok=True)
    (tmp_path / "shop/requirements.txt").write_text(text)
    return there(declared_requirements(str(tmp_path / "shop")))


def refused(tmp_path: Path, text: str, rules: InstallRules = DEFAULT) -> str:
    """The reason, in one line; nothing is left behind."""
    with pytest.raises(DeploymentError) as error:
        install_dependencies("/shop", declared(tmp_path, text), rules, str(tmp_path / "work/key"))
    assert not (tmp_path / "work").exists() or os.listdir(tmp_path / "work") == []
    assert "\n" not in str(error.value)
    return str(error.value)


def test_what_is_required_is_installed_with_what_that_requires(
    tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_USER", "1")  # as an operator's pip.conf may have it
    make_wheel(index, "tilly-lib", "1.0", {"tilly_lib.py": ""}, requires=["tilly-deep"])
    make_wheel(index, "tilly-deep", "2.0", {"tilly_deep.py": ""})
    steps: list[str] = []
    with listening(lambda what, done, total: steps.append(what)):
        install_dependencies("/shop", declared(tmp_path, "tilly-lib>=1"), InstallRules(), str(tmp_path / "work/key"))
    assert {"tilly_lib.py", "tilly_deep.py"} <= set(os.listdir(tmp_path / "work/key"))
    assert os.listdir(tmp_path / "work") == ["key"]
    assert any(step.startswith("Installing collected packages: tilly-deep, tilly-lib") for step in steps)


def test_what_pip_cannot_find_is_named_with_the_cure(tmp_path: Path, index: Path) -> None:
    text = refused(tmp_path, "tilly-none")
    assert "pip cannot install the requirements of requirements.txt: " in text
    assert "No matching distribution found for tilly-none as a wheel for this Python" in text


def test_a_wheel_that_is_not_the_hashed_one_is_refused(tmp_path: Path, index: Path) -> None:
    make_wheel(index, "tilly-lib", "1.0", {"tilly_lib.py": ""})
    assert "DO NOT MATCH THE HASHES" in refused(tmp_path, f"tilly-lib==1.0 --hash=sha256:{'0' * 64}")


def test_no_code_of_a_package_is_run_unless_the_operator_allows_it(tmp_path: Path, index: Path) -> None:
    with zipfile.ZipFile(index / "tilly-source-1.0.zip", "w") as source:
        source.writestr("tilly-source-1.0/setup.py", f"open({str(tmp_path / 'ran')!r}, 'w')\nraise SystemExit('built')")
    assert "as a wheel for this Python (a source archive needs buildDependencies" in refused(tmp_path, "tilly-source")
    assert "pip would have to run the package's own code" in refused(tmp_path, f"x @ file://{index}/x.zip")
    assert not (tmp_path / "ran").exists()


def test_an_installation_ends_with_its_time_and_with_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = "import time; print('Collecting a', flush=True); time.sleep(600)"
    monkeypatch.setattr(dependencies, "_command", lambda *_: [sys.executable, "-c", slow])
    text = refused(tmp_path, "a", InstallRules(seconds=0.5))
    assert "pip has not installed the requirements of requirements.txt in 0.5 s (installTimeout of the Host)" in text
    ending = threading.Event()
    with listening(lambda *_: ending.set()):
        assert "the server stops" in refused(tmp_path, "a", replace(InstallRules(), is_ending=ending.is_set))


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (["/x/python: No module named pip"], f"{sys.executable} has no pip"),
        (["WARNING: NewConnectionError", "ERROR: No matching distribution found for a"], "put the wheels into WEB-INF"),
        ([], "no output"),
        (["ERROR: first", "ERROR: last", "[notice] new pip"], "last"),
    ],
)  # fmt: skip
def test_the_fault_is_the_last_error_with_its_cure(lines: list[str], fault: str) -> None:
    assert fault in dependencies._fault(lines, builds=False)
