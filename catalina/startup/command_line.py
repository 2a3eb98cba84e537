"""The ``catalina`` command: the verbs of bin/catalina.sh for a package that pip installed, and ``catalina create DIR``.

The directory the server works in is CATALINA_BASE, else the current directory when it has a ``conf/server.xml``, else the
CATALINA_HOME that came with the package.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import catalina

__all__ = ["home_directory", "main"]

_SCRIPT_VERBS = ("run", "start", "stop", "configtest", "version")

_USAGE = """\
Usage: catalina COMMAND
  create DIR [-w]   make a new CATALINA_BASE in DIR; -w copies the web applications, too
  run               serve in the foreground
  start             serve in the background
  stop [n] [-force] stop, wait up to n seconds, then kill
  configtest        check conf/server.xml
  version           show versions
The server's directory is $CATALINA_BASE, or the current one when it has a conf/server.xml."""


def home_directory() -> Path:
    """CATALINA_HOME: from the environment, a source tree, or what the wheel brought (``catalina_home``).

    Raises:
        FileNotFoundError: the installation lacks it.
    """
    package = Path(catalina.__file__).parent
    named = os.environ.get("CATALINA_HOME")
    candidates = [Path(named)] if named else [package.parent, package.parent / "catalina_home"]
    for candidate in candidates:
        if (candidate / "bin" / "catalina.sh").is_file():
            return candidate
    looked = " and ".join(str(candidate) for candidate in candidates)
    raise FileNotFoundError(f"no bin/catalina.sh in {looked}; set CATALINA_HOME")


def _base_directory(home: Path) -> Path:
    named = os.environ.get("CATALINA_BASE")
    if named:
        return Path(named)
    here = Path.cwd()
    return here if (here / "conf" / "server.xml").is_file() else home


def main(words: Sequence[str] | None = None) -> int:
    """Run a command; the verbs of catalina.sh replace this process by the script."""
    verb, *rest = (list(sys.argv[1:] if words is None else words)) or [""]
    if verb not in (*_SCRIPT_VERBS, "create"):
        print(_USAGE)
        return 0 if verb in ("-h", "--help", "help") else 1
    try:
        home = home_directory()
    except FileNotFoundError as error:
        print(f"catalina: {error}", file=sys.stderr)
        return 1
    script, arguments = ("makebase.sh", rest) if verb == "create" else ("catalina.sh", [verb, *rest])
    _replace_process(home / "bin" / script, arguments, home)
    return 0


def _environment(home: Path) -> Mapping[str, str]:
    return {
        **os.environ,
        "CATALINA_HOME": str(home),
        "CATALINA_BASE": str(_base_directory(home)),
        "CATALINA_PYTHON": sys.executable,
    }


def _replace_process(script: Path, arguments: Sequence[str], home: Path) -> None:
    sys.stdout.flush()
    os.execve("/bin/sh", ["sh", str(script), *arguments], dict(_environment(home)))  # noqa: S606  # our own script
