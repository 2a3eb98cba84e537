"""Packages of PyPI for tests, beside the server's environment and not in it: web frameworks, and virtual environments.

In the environment they would be every deployed application's: two Django projects would share one Django. They lie in a
directory of the virtual environment, installed once, with the frameworks' own source archives, whose test suites run
against ours. Virtual environments with packages of two ages stand there, too, for applications that have one.
``python -m tests.support.frameworks`` makes all of them, as bin/test.sh does.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

__all__ = ["need_environment", "need_framework_sources", "need_frameworks"]

#: The installed packages, with those that build their archives; a change of the list makes another directory.
REQUIREMENTS = (
    "django>=5.2,<5.3", "flask>=3.1,<3.2", "pyramid>=2.1,<2.2", "starlette>=1,<2", "beaker>=1.14,<2", "a2wsgi>=1.10",
    "httpx2>=2", "trio>=0.27", "flask-session>=0.8", "flask-login>=0.6.3", "redis>=5", "setuptools>=77,<82",
    "flit-core>=3.11", "hatchling>=1.27",
)  # fmt: skip
#: The distributions whose source archives are unpacked, in the installed version.
SOURCES = ("django", "flask", "pyramid", "starlette")


def _not_ours(requirement: str) -> str:
    """Another version than that of the server's environment, which an application with an equal one uses."""
    name = requirement.partition(">")[0]
    try:
        return f"{requirement},!={version(name)}"
    except PackageNotFoundError:
        return requirement


#: Virtual environments by name, with what people have: the second one is some years older.
ENVIRONMENTS = {
    "new": (
        "numpy>=2", _not_ours("cryptography>=44"), _not_ours("sqlalchemy>=2.1.0b1"), _not_ours("pyyaml>=6.0.2"),
        "flask>=3", "django>=5.2,<5.3", "gevent>=24", "trac>=1.6,<1.7", "setuptools<81",
    ),
    "old": ("numpy<2", "cryptography<44", "sqlalchemy<2", "pyyaml<6.0.2", "flask<3", "werkzeug<3"),
}  # fmt: skip

_HOME = Path(sys.prefix) / "test-frameworks"
_NAME = hashlib.sha256("\n".join(REQUIREMENTS).encode()).hexdigest()[:12]
#: A line that the installer has written last.
_DONE = "done"


def need_frameworks() -> Path:
    """The directory with the frameworks, on ``sys.path`` from now on, behind everything else. For the top of a module.

    Where they cannot be had the module is skipped; under ``CI=true`` it fails.
    """
    directory = _needed(_HOME / _NAME, _install)
    if str(directory) not in sys.path:
        sys.path.append(str(directory))
    return directory


def need_framework_sources(name: str) -> Path:
    """The unpacked source archive of an installed framework, with its tests."""
    installed = need_frameworks()
    info = next(installed.glob(f"{name}-*.dist-info")).name.removesuffix(".dist-info")
    return _needed(_HOME / f"{info}-source", _unpack)


def need_environment(name: str) -> Path:
    """A virtual environment of ENVIRONMENTS."""
    digest = hashlib.sha256("\n".join(ENVIRONMENTS[name]).encode()).hexdigest()[:12]
    return _needed(_HOME / f"{name}-{digest}", _make_environment)


def _make_environment(target: Path, name: str) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(target)], check=True, capture_output=True)
    packages = ENVIRONMENTS[name.partition("-")[0]]
    python = str(target / "bin" / "python")
    _pip("--python", python, "install", "--only-binary", ":all:", "--no-binary", "trac", *packages)


def _needed(directory: Path, make: object) -> Path:
    try:
        _HOME.mkdir(exist_ok=True)
        with open(_HOME / f"{directory.name}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (directory / _DONE).exists():
                _make_whole(directory, make)
    except (OSError, subprocess.SubprocessError) as error:
        why = f"{directory.name} cannot be had: {getattr(error, 'stderr', None) or error}"
        if os.environ.get("CI", "").lower() == "true":
            raise RuntimeError(f"CI=true, so nothing may be skipped: {why}") from error
        pytest.skip(why, allow_module_level=True)
    return directory


def _make_whole(directory: Path, make: object) -> None:
    """Whole or not at all: what a killed run has left behind is done again."""
    shutil.rmtree(directory, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=_HOME) as temporary:
        target = Path(temporary) / "target"
        make(target, directory.name)  # type: ignore[operator]
        (target / _DONE).touch()
        target.rename(directory)


def _pip(*arguments: str, **environment: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "--retries", "5", *arguments]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=600, env={**os.environ, **environment})


def _install(target: Path, name: str) -> None:
    del name
    _pip("install", "--target", str(target), *REQUIREMENTS)


def _unpack(target: Path, name: str) -> None:
    project, version = name.removesuffix("-source").split("-")
    archives = target.with_name("archives")
    # pip asks each archive for its metadata: with the builders that lie beside the frameworks it need not install any.
    _pip("download", "--no-deps", "--no-build-isolation", "--no-binary", ":all:", "--dest", str(archives),
         f"{project}=={version}", PYTHONPATH=str(need_frameworks()))  # fmt: skip
    unpacked = target.with_name("unpacked")
    unpacked.mkdir()
    subprocess.run(["tar", "-xzf", str(next(archives.glob("*.tar.gz"))), "-C", str(unpacked)], check=True)
    next(unpacked.iterdir()).rename(target)


if __name__ == "__main__":
    need_frameworks()
    with ThreadPoolExecutor() as pool:
        list(pool.map(need_framework_sources, SOURCES))
        list(pool.map(need_environment, ENVIRONMENTS))
