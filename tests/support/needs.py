"""Needs of tests: if the machine lacks something, skip with the reason, but fail under ``CI=true``.

A machine that is meant to run everything must not go green by skipping.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

__all__ = [
    "missing",
    "need_command",
    "need_file",
    "need_java_tomcat",
    "need_module",
    "need_network_namespaces",
    "need_root",
    "other_peoples",
]

TOMCAT_JARS = Path("/usr/share/tomcat10/lib")


def missing(reason: str) -> NoReturn:
    """End the test: skipped with ``reason``, or failed where everything has to run."""
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(f"CI=true, so nothing may be skipped: {reason}", pytrace=False)
    pytest.skip(reason)


def other_peoples(path: Path) -> Path:
    """Files of other people, which are not ours to copy; where they are not beside the repository the test is left out.

    Under ``CI=true``, too: what must not be missing is in the repository.
    """
    if not path.exists():
        pytest.skip(f"{path} is not beside the repository")
    return path


def need_command(name: str, package: str = "") -> str:
    """The path of a program; ``package`` is the Debian package that brings it."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin:/usr/local/bin")
    if path is None:
        missing(f"{name} is not installed (Debian package {package or name})")
    return path


def need_file(path: str | Path, package: str) -> Path:
    """A file that the Debian package ``package`` brings."""
    if not Path(path).exists():
        missing(f"{path} is not there (Debian package {package})")
    return Path(path)


def need_module(name: str) -> None:
    """A Python module that is an optional dependency."""
    try:
        __import__(name)
    except ImportError as error:
        missing(f"the Python module {name} cannot be imported: {error}")


def need_java_tomcat(least: tuple[int, ...] = ()) -> Path:
    """The directory with the jars of the real Tomcat, at least of that version, with Java and its compiler on the
    PATH."""
    need_command("java", "default-jre-headless")
    need_command("javac", "default-jdk-headless")
    jar = need_file(TOMCAT_JARS / "catalina.jar", "libtomcat10-java, tomcat10-common").resolve()
    version = tuple(int(number) for number in re.findall(r"\d+", jar.stem.rpartition("-")[2]))
    if version < least:  # Debian may not have it yet: that is nobody's omission
        pytest.skip(f"Tomcat {'.'.join(map(str, least))} is needed, {jar.name} is here")
    return TOMCAT_JARS


def need_network_namespaces() -> None:
    """Root's right to make network namespaces, tried for real."""
    ip = need_command("ip", "iproute2")
    name = f"need-{os.getpid()}"
    made = subprocess.run([ip, "netns", "add", name], capture_output=True, text=True)
    if made.returncode != 0:
        missing(f"no network namespaces here: {made.stderr.strip()}")
    subprocess.run([ip, "netns", "delete", name], check=True, capture_output=True)


def need_root() -> None:
    """The right to become another user."""
    if os.geteuid() != 0:
        missing("only root can start processes of other users")
