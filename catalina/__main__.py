"""The ``catalina`` command: the verbs of bin/catalina.sh for a package that pip installed, and ``catalina create DIR``.

The server works in CATALINA_BASE, otherwise in the current directory if it has a ``conf/server.xml``, otherwise in the
source tree.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from catalina.startup.home_directory import INSTALLED_HOME, SOURCE_TREE, home_directory

__all__ = ["main"]

_SCRIPT_VERBS = ("run", "start", "stop", "restart", "logs", "configtest", "version")

_USAGE = """\
Usage: catalina COMMAND
  create DIR [-w]   make a new CATALINA_BASE in DIR; -w copies the web applications, too
  new NAME          begin a project: --flask, --django or --wsgi
  run               serve in the foreground
  run PATH          serve one application in the foreground, in place: catalina run --help
  start             serve in the background; waits until the server serves or has failed
  stop [n] [-force] stop, wait up to n seconds, then kill
  restart           stop and start
  logs [-f] [NAME]  the end of catalina.out, or of the newest log whose name begins so; -f goes on showing
  configtest        check conf/server.xml
  version           show versions
{control}
  reference [NAME ...]  every attribute of the named classes (Connector, or the full className), or of all
The server's directory is $CATALINA_BASE, or the current one when it has a conf/server.xml."""


def _base_directory(home: Path) -> Path | None:
    """The base directory; None when there is none: site-packages is no place for logs and applications."""
    named = os.environ.get("CATALINA_BASE")
    if named:
        return Path(named)
    here = Path.cwd()
    if (here / "conf" / "server.xml").is_file():
        return here
    return home if (home / "conf" / "server.xml").is_file() and home.name != INSTALLED_HOME else None


def main(words: Sequence[str] | None = None) -> int:
    """Run a command; the verbs of catalina.sh replace this process by the script."""
    verb, *rest = (list(sys.argv[1:] if words is None else words)) or [""]
    if verb == "--version":
        verb = "version"
    if verb == "run" and rest and (rest[0].startswith("--") or not rest[0].startswith("-")):
        from catalina.development import run_command

        return run_command.main(rest)
    if verb == "new":
        from catalina.development import new_command

        return new_command.main(rest)
    if verb in _SCRIPT_VERBS or verb == "create":
        return _run_script(verb, rest)
    # The other verbs import the container; a verb of a script must not wait for that.
    from catalina.startup import control_client, exec_command, reference

    if verb == "cluster" and rest[:1] == ["doctor"]:  # the same: it examines the group, too
        verb, *rest = rest
    if verb == "reference":
        return reference.main(rest)
    if verb in control_client.VERBS or verb == "exec":
        base = _base_directory(SOURCE_TREE)
        if base is None and verb != "exec" and any(word.startswith("--url") for word in rest):
            base = Path.cwd()  # the command asks a manager application, not a node of this machine
        if base is None:
            return _no_base()
        return exec_command.main(rest, base) if verb == "exec" else control_client.main(verb, rest, base)
    print(_USAGE.format(control=f"{control_client.USAGE}\n{exec_command.USAGE}"))
    return 0 if verb in ("-h", "--help", "help") else 1


def _run_script(verb: str, rest: Sequence[str]) -> int:
    try:
        home = home_directory()
    except FileNotFoundError as error:
        print(f"catalina: {error}", file=sys.stderr)
        return 1
    base = home if verb in ("create", "version") else _base_directory(home)
    if base is None:
        return _no_base()
    script, arguments = ("makebase.sh", rest) if verb == "create" else ("catalina.sh", [verb, *rest])
    environment = {"CATALINA_HOME": str(home), "CATALINA_BASE": str(base), "CATALINA_PYTHON": sys.executable}
    sys.stdout.flush()
    _replace_process(["sh", str(home / "bin" / script), *arguments], {**os.environ, **environment})
    return 0


def _no_base() -> int:
    print("catalina: no conf/server.xml here; make a base with: catalina create DIR", file=sys.stderr)
    return 1


def _replace_process(words: Sequence[str], environment: Mapping[str, str]) -> None:
    os.execve("/bin/sh", list(words), dict(environment))  # noqa: S606  # our own script


if __name__ == "__main__":
    sys.exit(main())
