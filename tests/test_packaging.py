"""The wheel and the sdist build, and what pip installs from the wheel works without the source tree."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def tracked_files() -> list[str]:
    """The files that git has or would have, without build directories and logs of this tree."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode == 0:
        return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]
    skipped = {".venv", "build", "dist", "logs", "temp", "work"}
    files = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return [str(path) for path in files if path.parts[0] not in skipped and "__pycache__" not in path.parts]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dist directory of a copy of the project."""
    copy = tmp_path_factory.mktemp("project")
    for name in tracked_files():
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
    command = [sys.executable, "-m", "build", "--no-isolation", str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return copy / "dist"


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with what pip installs from the wheel."""
    target = tmp_path_factory.mktemp("site")
    (wheel,) = built.glob("*.whl")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--no-index",
            "--target",
            str(target),
            str(wheel),
        ],
        check=True,
        timeout=120,
    )
    return target


def catalina(installed: Path, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CATALINA_")}
    return subprocess.run(
        [sys.executable, "-c", "import sys; from catalina.__main__ import main; sys.exit(main())", *words],
        env={**environment, "PYTHONPATH": str(installed)},  # in front of the source tree
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_wheel_has_the_package_its_data_and_the_home_directory(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "catalina/py.typed",
        "catalina/digester/recognised.toml",
        "catalina_home/bin/catalina.sh",
        "catalina_home/conf/server.xml",
    } <= names
    assert not [name for name in names if name.startswith("tests/") or name.endswith(".pyc")]
    # A package without __init__.py would be left out, and the tests would find it in the source tree all the same.
    assert {name for name in tracked_files() if name.startswith("catalina/") and name.endswith(".py")} <= names


def test_the_sdist_has_everything_that_the_tests_need(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "pyproject.toml",
        "setup.py",
        "bin/test.sh",
        "conf/server.xml",
        "tests/test_packaging.py",
        "LICENSE",
    } <= names


def test_the_installed_command_knows_its_version(installed: Path, tmp_path: Path) -> None:
    done = catalina(installed, "version", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Server version: Catalina for Python/")


def test_the_installed_scripts_find_their_python(installed: Path, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CATALINA_")}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    script = installed / "catalina_home" / "bin" / "version.sh"
    done = subprocess.run([str(script)], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Server version: Catalina for Python/")
    assert not list(installed.glob("catalina_home/.venv*"))


def test_the_installed_command_makes_a_base_that_passes_configtest(installed: Path, tmp_path: Path) -> None:
    assert catalina(installed, "configtest", cwd=tmp_path).returncode == 1
    made = catalina(installed, "create", "shop", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert f"Created CATALINA_BASE directory at {tmp_path}/shop" in made.stdout
    checked = catalina(installed, "configtest", cwd=tmp_path / "shop")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "0 errors, 0 warnings" in checked.stdout
