"""Reads a virtual environment that somebody has made for an application (PEP 405): its version, its packages.

Its packages are imported by the server's own interpreter, so its Python must have the same version. ``python`` and
``version`` say which interpreter a process of the application's own would need.
"""

from __future__ import annotations

import logging
import os
import platform
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass

from catalina.errors import DeploymentError

__all__ = ["VirtualEnvironment", "environment_in"]

log = logging.getLogger("org.apache.catalina.startup.HostConfig")

#: Names under which developers have it in a project.
NAMES = (".venv", "venv")
CONFIG = "pyvenv.cfg"

#: Limits of files that are read here.
MAX_BYTES = 2**16
MAX_PTH_FILES = 200


@dataclass(frozen=True, slots=True)
class VirtualEnvironment:
    """A directory with ``pyvenv.cfg``.

    Args:
        directory: absolute.
        version: of its Python, such as ``3.11.2``; empty when the file does not say.
    """

    directory: str
    version: str

    @classmethod
    def read(cls, directory: str) -> VirtualEnvironment:
        """Read its configuration.

        Raises:
            DeploymentError: the directory is no virtual environment.
        """
        text = _text_of(os.path.join(directory, CONFIG))
        if text is None:
            raise DeploymentError(f"[{directory}] is no virtual environment: it has no {CONFIG}")
        versions = [value for line in text.splitlines() if (value := _value_of(line, "version", "version_info"))]
        return cls(directory, versions[0] if versions else "")

    @property
    def python(self) -> str:
        """Its interpreter."""
        return os.path.join(self.directory, "bin", "python")

    @property
    def site_packages(self) -> str:
        """The directory of its packages for the Python version of this process."""
        base = {"base": self.directory, "platbase": self.directory, "installed_base": self.directory}
        return sysconfig.get_path("purelib", "posix_prefix", base)

    @property
    def unfit(self) -> str:
        """The reason why this process cannot import its packages, with the cure; empty when it can."""
        ours = platform.python_version()
        cure = f"make it with a Python {sys.version_info[0]}.{sys.version_info[1]} of this machine (python -m venv)"
        if self.version and self.version.split(".")[:2] != ours.split(".")[:2]:
            return f"[{self.directory}] is of Python {self.version}, and the server runs {ours}: {cure}"
        if not os.path.exists(self.python):
            return f"[{self.directory}] was made on another machine, its Python is not here: {cure}"
        if not os.path.isdir(self.site_packages):
            return f"[{self.directory}] has no [{os.path.relpath(self.site_packages, self.directory)}]: {cure}"
        return ""

    def imports(self) -> list[str]:
        """Its packages' directory, and the directories that .pth files in it name. Lines with code are not run.

        There are none when the server itself runs in it: its packages are the server's environment.
        """
        if os.path.realpath(self.directory) == os.path.realpath(sys.prefix):
            return []
        site = self.site_packages
        found = [site]
        for name in sorted(name for name in os.listdir(site) if name.endswith(".pth"))[:MAX_PTH_FILES]:
            for line in _lines_of(os.path.join(site, name)):
                if line.startswith(("import ", "import\t")):
                    if name.startswith("__editable__"):
                        log.warning("[%s]: the editable install [%s] runs code, which is left out: install the "
                                    "package itself, or with setuptools' option editable_mode=compat",
                                    self.directory, name)  # fmt: skip
                    continue
                path = os.path.normpath(os.path.join(site, line))
                if os.path.isdir(path) and path not in found:
                    found.append(path)
        return found


def environment_in(root: str) -> VirtualEnvironment | None:
    """The virtual environment in a project's directory, None when there is none."""
    for name in NAMES:
        directory = os.path.join(root, name)
        if os.path.isfile(os.path.join(directory, CONFIG)):
            return VirtualEnvironment.read(directory)
    return None


def _value_of(line: str, *names: str) -> str:
    """The value of a line ``name = value``; empty for another name."""
    name, _, value = line.partition("=")
    return value.strip() if name.strip() in names else ""


def _text_of(file: str) -> str | None:
    try:
        with open(file, "rb") as source:
            return source.read(MAX_BYTES).decode("utf-8", "replace")
    except OSError:
        return None


def _lines_of(file: str) -> Iterator[str]:
    """The lines of a file that are not empty or comments; none of a file that cannot be read."""
    for line in (_text_of(file) or "").splitlines():
        if line.strip() and not line.startswith("#") and "\0" not in line:
            yield line.strip()
