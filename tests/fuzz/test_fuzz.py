"""Each decoder of bytes from outside gives a value or its documented error, whatever the bytes are."""

from __future__ import annotations

import ast
import fnmatch
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.mutate import Change, changed
from tests.fuzz.target import CORPUS, Target
from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).parents[2]

#: Inputs for each target in the suite; `python -m tests.fuzz NAME` has no end.
EXAMPLES = 250

#: Functions and methods that look like decoders by their names.
_DECODER = re.compile(
    r"(decode|parse|unpack|loads|skim|decompress|unstamp|split_list|receive_data|from_ser)(_\w+)?"
    r"|decoder_for|(load|read)_\w+|(body|query)_parameters|check_conditions"
)
#: Those of an object that is given bytes and asked later.
_FEEDS = {"receive", "look"}

#: Entry points without a target, and why.
WITHOUT_TARGET = {
    "catalina.digester.*": "the operator's own files",
    "catalina.descriptor.*": "the application's own files",
    "catalina.deploy.*": "archives: tests/deploy",
    "catalina.startup.*": "the operator's own files and command line",
    "catalina.loader.*": "the application's own files",
    "catalina.users.*": "the operator's own file",
    "catalina.realm.*": "the operator's own files, or certificates that TLS has checked",
    "catalina.naming.*": "the operator's own files",
    "catalina.juli.*": "the operator's own file",
    "catalina.mbeans.*": "names from the operator's console",
    "catalina.jmx.password_realm:*": "the operator's own files",
    "catalina.jmx.remote_settings:*": "the operator's own properties",
    "catalina.manager.jolokia.policy:read_policy": "the operator's own file",
    "catalina.manager.status:read_status": "reads the beans of this node",
    "catalina.manager.asked:Asked.read_form": "urllib decodes it, with a bound: tests/manager",
    "catalina.filters.*": "the operator's own files",
    "catalina.valves.rewrite.*": "the operator's own rules",
    "catalina.valves.parameter_limit_valve:parse_limits": "the operator's own file",
    "catalina.tomcat.util.net.keystore:*": "the operator's own key store",
    "catalina.ha.deploy.file_message_factory:read_messages": "reads the file that is sent",
    "catalina.tribes.channel:parse_send_options": "an attribute in the operator's file",
    "catalina.tribes.membership.cloud.*": "the answer of the cluster's own API server",
}  # fmt: skip


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Silence the log: a decoder's words about broken bytes are not what is looked for."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("name", TARGETS)
def test_good_inputs_are_taken(name: str) -> None:
    seeds = TARGETS[name].seeds()
    assert seeds
    for seed in seeds:
        TARGETS[name].run(seed)


@pytest.mark.parametrize(
    ("name", "file"),
    [(name, file) for name, target in TARGETS.items() for file in target.corpus()],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_an_input_that_failed_once_fails_no_more(name: str, file: Path) -> None:
    TARGETS[name].run(file.read_bytes())


changes = st.lists(st.builds(Change, st.integers(0, 8), st.integers(0, 65535), st.binary(max_size=8)), max_size=6)


@pytest.mark.parametrize("name", TARGETS)
def test_any_bytes_give_a_value_or_the_documented_error(name: str) -> None:
    target = TARGETS[name]
    seeds = [*target.seeds(), *(file.read_bytes() for file in target.corpus())]

    @settings(max_examples=EXAMPLES, database=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(seeds), changes)
    def run(seed: bytes, operations: list[Change]) -> None:
        data = changed(seed, operations, seeds)
        try:
            target.run(data)
        except Exception as error:
            error.add_note(f"target {name}, input {data.hex()}")
            raise

    run()


def test_an_undocumented_exception_is_a_finding() -> None:
    def forgetful(data: bytes) -> None:
        raise KeyError("a case that nobody thought of")

    with pytest.raises(KeyError):
        Target("forgetful", forgetful, (), lambda: [b""]).run(b"")


def _entry_points() -> Iterator[str]:
    """``module:qualified name`` of everything public in the package that looks like a decoder."""
    for file in sorted((ROOT / "catalina").rglob("*.py")):
        module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
        for node in ast.parse(file.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef) and _DECODER.fullmatch(node.name):
                yield f"{module}:{node.name}"
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and not _is_protocol(node):
                for method in node.body:
                    if isinstance(method, ast.FunctionDef) and _is_decoder(method):
                        yield f"{module}:{node.name}.{method.name}"


def _is_decoder(method: ast.FunctionDef) -> bool:
    return bool(_DECODER.fullmatch(method.name)) or (method.name in _FEEDS and "data" in _names(method))


def _is_protocol(node: ast.ClassDef) -> bool:
    return any(isinstance(base, ast.Name) and base.id == "Protocol" for base in node.bases)


def _names(method: ast.stmt) -> list[str]:
    return [argument.arg for argument in method.args.args] if isinstance(method, ast.FunctionDef) else []


def _is_named(entry: str, patterns: set[str]) -> bool:
    return any(fnmatch.fnmatchcase(entry, pattern) for pattern in patterns)


def test_every_decoder_has_a_target_or_a_reason_to_have_none() -> None:
    covered = {pattern for target in TARGETS.values() for pattern in target.covers} | set(WITHOUT_TARGET)
    assert [entry for entry in _entry_points() if not _is_named(entry, covered)] == []


def test_every_target_and_every_reason_is_about_something_that_is_there() -> None:
    entries = list(_entry_points())
    named = {pattern for target in TARGETS.values() for pattern in target.covers} | set(WITHOUT_TARGET)
    gone = [pattern for pattern in named if not any(fnmatch.fnmatchcase(entry, pattern) for entry in entries)]
    assert sorted(gone) == []


def test_the_corpus_belongs_to_targets() -> None:
    assert {folder.name for folder in CORPUS.iterdir()} <= set(TARGETS)


def test_one_target_runs_by_itself() -> None:
    command = [sys.executable, "-m", "tests.fuzz", "member", "--runs", "200", "--seed", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "none failed" in done.stdout or "Done 200 runs" in done.stderr
