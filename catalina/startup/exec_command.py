"""``catalina exec PATH -- COMMAND``: runs a command in the environment of an application of the running node.

The command gets the variables of the node's process and those that the application has set itself
(DJANGO_SETTINGS_MODULE). It can import the application's modules, ``python`` is the server's, and the current directory
is the application's.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from catalina.errors import CatalinaError
from catalina.startup.control_client import ask
from catalina.startup.control_socket import socket_path

__all__ = ["USAGE", "main"]

USAGE = (
    "  exec PATH -- COMMAND  run a command with an application's environment: exec /shop -- python -m django migrate"
)


def main(words: Sequence[str], base: Path) -> int:
    """Replace this process by the command; returns the exit code when that is not possible."""
    if len(words) < 3 or words[1] != "--":
        print(f"Usage: catalina\n{USAGE}", file=sys.stderr)
        return 2
    path = socket_path(base)
    try:
        found = json.loads(ask(path, {"verb": "environment", "name": words[0]})["lines"][0])
    except CatalinaError as error:
        print(f"catalina exec: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"catalina exec: no node answers on {path}: {error.strerror or error}", file=sys.stderr)
        return 1
    try:
        _replace_process(words[2:], found["directory"], command_environment(found))
    except OSError as error:
        print(f"catalina exec: {words[2]}: {error.strerror}", file=sys.stderr)
        return 127


def command_environment(found: Mapping[str, Any]) -> dict[str, str]:
    """The variables of the command, from the node's answer."""
    variables: dict[str, str] = dict(found["variables"])
    given = variables.get("PYTHONPATH", "").split(os.pathsep)
    variables["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(filter(None, [*found["imports"], *given])))
    own = os.path.dirname(found["python"])
    variables["PATH"] = os.pathsep.join(filter(None, [own, variables.get("PATH", os.defpath)]))
    return variables


def _replace_process(command: Sequence[str], directory: str, variables: Mapping[str, str]) -> NoReturn:
    os.chdir(directory)
    os.execvpe(command[0], list(command), dict(variables))  # noqa: S606  # what its user has typed
