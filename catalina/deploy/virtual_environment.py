"""Reads a virtual environment that somebody has made for an application (PEP 405): its version, its packages.

The server's own interpreter can import its packages when its Python has the same version. In processes of its own an
application runs on the environment's Python. Nothing of the environment is run here.
"""

from __future__ import annotations

import logging
import os
import platform
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import packaging

from catalina.errors import DeploymentError

__all__ = ["OwnPython", "VirtualEnvironment", "environment_in"]

log = logging.getLogger("org.apache.catalina.startup.HostConfig")

#: Names under which developers have it in a project.
NAMES = (".venv", "venv")
CONFIG = "pyvenv.cfg"

#: The oldest Python that runs this software (``requires-python`` of pyproject.toml).
OLDEST = (3, 11)
#: The directory of the server's own packages.
SERVER_PACKAGES = os.path.realpath(os.path.dirname(os.path.dirname(packaging.__file__)))

#: Limits of files that are read here.
MAX_BYTES = 2**16
MAX_PTH_FILES = 200

_CURE = f"make it with a Python {sys.version_info[0]}.{sys.version_info[1]} of this machine (python -m venv)"


@dataclass(frozen=True, slots=True)
class OwnPython:
    """The Python that the processes of one application run on.

    Args:
        program: its interpreter.
        version: of the virtual environment to which it belongs, such as ``3.13``.
        imports: directories with this software, and with the packages that it needs there.
    """

    program: str
    version: str
    imports: tuple[str, ...]

    @classmethod
    def heard(cls, told: dict[str, Any]) -> OwnPython:
        """The opposite of ``dataclasses.asdict``, after JSON. Raises TypeError or KeyError: it is none."""
        return cls(**{**told, "imports": tuple(told["imports"])})


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
    def numbers(self) -> tuple[int, int]:
        """The first two numbers of its version; this process's when the file does not say."""
        found = re.match(r"(\d+)\.(\d+)", self.version)
        return (int(found[1]), int(found[2])) if found else sys.version_info[:2]

    @property
    def short_version(self) -> str:
        """Its version as directories and pip have it, ``3.13``."""
        return ".".join(map(str, self.numbers))

    @property
    def site_packages(self) -> str:
        """The directory of its packages."""
        return os.path.join(self.directory, "lib", f"python{self.short_version}", "site-packages")

    @property
    def is_server_version(self) -> bool:
        """Its Python has the version of this process, so this process can import its packages."""
        return self.numbers == sys.version_info[:2]

    @property
    def is_other_python(self) -> bool:
        """Its interpreter is another program than that of this process."""
        return os.path.realpath(self.python) != os.path.realpath(sys.executable)

    @property
    def unfit(self) -> str:
        """The reason why this process cannot import its packages, with the cure; empty when it can."""
        if self.is_server_version:
            return self._lack
        if self.numbers < OLDEST:
            return self._too_old
        return (
            f"[{self.directory}] is of Python {self.version}, and the server runs {platform.python_version()}: give "
            f'the application processes of its own (isolation="process", in a node with a keeper), or {_CURE}'
        )

    @property
    def unfit_alone(self) -> str:
        """The reason why no process can run its Python for an application, with the cure; empty when one can."""
        return self._too_old if self.numbers < OLDEST else self._lack

    @property
    def _too_old(self) -> str:
        oldest = ".".join(map(str, OLDEST))
        return (
            f"[{self.directory}] is of Python {self.version}, and the server runs {platform.python_version()}; "
            f"processes of the application's own could run {oldest} or later: {_CURE}"
        )

    @property
    def _lack(self) -> str:
        if not os.path.exists(self.python):
            return f"[{self.directory}] was made on another machine, its Python is not here: {_CURE}"
        if not os.path.isdir(self.site_packages):
            return f"[{self.directory}] has no [{os.path.relpath(self.site_packages, self.directory)}]: {_CURE}"
        return ""

    def imports(self) -> list[str]:
        """Its packages' directory, and the directories that .pth files in it name. Lines with code are not run.

        There are none when the server itself runs in it: its packages are the server's environment.
        """
        site = self.site_packages
        if os.path.realpath(site) == SERVER_PACKAGES:
            return []
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
