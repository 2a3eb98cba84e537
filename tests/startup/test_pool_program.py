"""The program of a pool's worker as far as it goes without a node; tests/cluster/test_other_pythons.py has more."""

from __future__ import annotations

import base64
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalina.startup.application_packages import server_imports
from catalina.startup.executed_worker import PROGRAM
from catalina.startup.node_life import NodeLife
from catalina.workers.shared_parts import SharedParts


class Birth:
    """The program gets this."""

    def __init__(self, base: Path) -> None:
        self.life = NodeLife()
        self.shared = SharedParts.make(1)
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        self.told: dict[str, Any] = {
            "python": {"program": sys.executable, "version": version, "imports": []},
            "home": str(base), "base": str(base), "config_file": str(base / "conf/server.xml"), "properties": {},
            "files": {}, "temporary": str(base), "place": 513, "parent": 1, "life": self.life.memory.descriptor,
            "shared": self.shared.told(),
        }  # fmt: skip

    def run(self) -> subprocess.CompletedProcess[str]:
        memory = os.memfd_create("birth")
        try:
            os.write(memory, json.dumps(self.told).encode())
            os.lseek(memory, 0, os.SEEK_SET)
            command = [sys.executable, "-I", "-S", "-c", PROGRAM, str(memory), *server_imports()]
            descriptors = (memory, self.life.memory.descriptor, *self.shared.descriptors)
            return subprocess.run(command, capture_output=True, text=True, timeout=60, pass_fds=descriptors)
        finally:
            os.close(memory)


@pytest.fixture
def birth(tmp_path: Path) -> Iterator[Birth]:
    made = Birth(tmp_path)
    yield made
    made.shared.close()
    made.life.memory.close()


def test_a_python_of_another_version_than_its_environment_says_is_refused_before_anything_is_imported(
    birth: Birth,
) -> None:
    birth.told["python"]["version"] = "3.99"
    ended = birth.run()
    assert ended.returncode == 3
    ours = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert ended.stderr.strip() == (
        f"[{sys.executable}] is Python {ours}, and the pyvenv.cfg beside it says 3.99: make this virtual "
        "environment anew"
    )


def test_a_configuration_that_this_python_cannot_make_is_named_in_the_log(birth: Birth) -> None:
    text = b'<Server port="-1"><Listener className="nosuch.Listener"/><Service name="a"><Engine name="a" '
    text += b'defaultHost="localhost"><Valve className="nosuch.Valve"/></Engine></Service></Server>'
    birth.told["files"] = {birth.told["config_file"]: base64.b64encode(text).decode()}
    ended = birth.run()
    assert ended.returncode == 3
    assert f"Python {platform.python_version()} of [{sys.executable}] cannot run the server: " in ended.stderr
    assert "nosuch.Valve" in ended.stderr
