"""Values are the same bytes for every version of Python: two nodes of a group may run two."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from catalina.tribes.io.java import EncodedValue, decode_value, encode_value
from tests.support.pythons import need_other_python

HERE = Path(__file__).parent
#: Runs in the other Python: takes our bytes, says which values are the same there, and gives its own.
SCRIPT = """
import importlib.util, json, sys
project, values, = sys.argv[1:]
sys.path.append(project)
spec = importlib.util.spec_from_file_location("shop_values", values)
module = sys.modules["shop_values"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
from catalina.tribes.io.java import EncodedValue, decode_value, encode_value

same = []
for name, (text, handles, fixups) in json.load(sys.stdin).items():
    found = decode_value(EncodedValue(bytes.fromhex(text), handles, tuple(fixups)), lambda name: True)
    expected = module.values()[name]
    if found == expected and repr(found) == repr(expected):
        same.append(name)
encoded = {name: encode_value(value) for name, value in module.values().items()}
print(json.dumps({"same": same, "given": {name: [each.data.hex(), *each[1:]] for name, each in encoded.items()}}))
"""


@pytest.fixture
def module() -> Iterator[ModuleType]:
    """The module of the values, under the name that an application's module would have."""
    spec = importlib.util.spec_from_file_location("shop_values", HERE / "session_values.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["shop_values"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules["shop_values"]


def test_another_python_reads_what_this_one_has_written_and_the_other_way_round(module: ModuleType) -> None:
    python = need_other_python()
    encoded = {name: encode_value(value) for name, value in module.values().items()}
    given = {name: [each.data.hex(), *each[1:]] for name, each in encoded.items()}
    asked = subprocess.run(
        [python, "-I", "-S", "-c", SCRIPT, str(HERE.parents[3]), str(HERE / "session_values.py")],
        input=json.dumps(given), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert asked.returncode == 0, asked.stderr
    told = json.loads(asked.stdout)
    assert told["same"] == list(given)
    for name, value in module.values().items():
        text, handles, fixups = told["given"][name]
        found = decode_value(EncodedValue(bytes.fromhex(text), handles, tuple(fixups)), lambda _: True)
        assert found == value
        assert repr(found) == repr(value)
