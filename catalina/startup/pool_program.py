"""The program that a pool's worker executes, with its application's Python; ``executed_worker.py`` has the design.

It imports little before it knows that it runs in the Python for which this software's packages were installed.
"""

from __future__ import annotations

import base64
import json
import logging
import mmap
import os
import platform
import site
import socket
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from catalina.startup.executed_worker import tell_failure
from catalina.startup.process_control import BOOT_FAILED

if TYPE_CHECKING:
    from catalina.startup.node_application import NodeApplication

__all__ = ["main"]

log = logging.getLogger("org.apache.catalina.startup.Catalina")


def main(memory: int) -> None:
    """Be the worker, and exit with its code.

    Args:
        memory: descriptor of what ``executed_worker.execute`` has written.
    """
    with open(memory, "rb") as file:
        birth = json.load(file)
    del sys.argv[1:]
    shared = birth["shared"]
    pairs = (descriptor for pair in shared["pairs"].values() for descriptor in pair)
    for descriptor in (birth["life"], shared["listening"], shared["counts"], *pairs):
        os.set_inheritable(descriptor, False)  # it is not for the programs that the application starts
    program, expected = birth["python"]["program"], birth["python"]["version"]
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if version != expected:
        _fail(birth, f"[{program}] is Python {version}, and the pyvenv.cfg beside it says {expected}: make this "
                     "virtual environment anew")  # fmt: skip
    _do_as_site(os.path.dirname(os.path.dirname(program)))
    try:
        application = _make_application(birth)
    except Exception as error:
        log.exception("[%s] cannot run the server", program)
        _fail(birth, f"Python {platform.python_version()} of [{program}] cannot run the server: {error}")
    application.become(birth["place"], birth["parent"])


def _fail(birth: dict[str, Any], why: str) -> NoReturn:
    """Tell the keeper why this process ends, and end."""
    print(why, file=sys.stderr)
    with socket.socket(fileno=birth["shared"]["listening"]) as listening:
        tell_failure(listening.getsockname(), birth["place"] - 1, why)
    sys.exit(BOOT_FAILED)


def _do_as_site(directory: str) -> None:
    """Do what the module site does besides extending the import path.

    Args:
        directory: of the virtual environment.
    """
    sys.prefix = sys.exec_prefix = directory
    site.setquit()
    site.setcopyright()
    site.sethelper()


def _make_application(birth: dict[str, Any]) -> NodeApplication:
    """Make the components anew from the files that the arbiter has read."""
    # Imported here, because the packages that they need are there only in the right Python.
    from catalina.juli.class_loader_log_manager import configure_logging
    from catalina.startup.catalina import Catalina
    from catalina.startup.node_application import NodeApplication
    from catalina.startup.node_life import NodeLife
    from catalina.startup.version_logger_listener import VersionLoggerListener
    from catalina.workers.connection_counts import SharedMemory
    from catalina.workers.shared_parts import SharedParts

    configure_logging(birth["properties"])
    tempfile.tempdir = birth["temporary"]
    catalina = Catalina(Path(birth["home"]), Path(birth["base"]), birth["properties"], birth["config_file"])
    server = catalina.load_again({path: base64.b64decode(text) for path, text in birth["files"].items()})
    for listener in tuple(server.lifecycle_listeners):
        if isinstance(listener, VersionLoggerListener):  # the arbiter's has said it
            server.remove_lifecycle_listener(listener)
    life = NodeLife(SharedMemory("", mmap.PAGESIZE, birth["life"]))
    return NodeApplication(catalina, life, SharedParts.heard(birth["shared"]))
