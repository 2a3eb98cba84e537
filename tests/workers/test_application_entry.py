"""How the keeper describes an application to its workers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from catalina.core.standard_context import StandardContext
from catalina.core.standard_engine import StandardEngine
from catalina.core.standard_host import StandardHost
from catalina.deploy.virtual_environment import OwnPython
from catalina.errors import ProtocolError
from catalina.workers.application_entry import ApplicationEntry, ContextSource, application_key, files_of, manager_key

SOURCE = ContextSource("/shop", "2", "shop##2", None, "2", must_start=False)


def test_an_entry_comes_back_from_json_as_it_was() -> None:
    entry = ApplicationEntry("Catalina/localhost", "/shop##2", "1:2", 3, True, False, SOURCE)
    assert ApplicationEntry.heard(json.loads(json.dumps(entry.told()))) == entry


def test_an_entry_of_server_xml_has_no_source() -> None:
    entry = ApplicationEntry("Catalina/localhost", "", "1:2", 1, True, False, None)
    assert ApplicationEntry.heard(entry.told()) == entry


def test_an_entry_says_which_workers_run_the_application() -> None:
    entry = ApplicationEntry("Catalina/localhost", "", "1:2", 1, True, False, None, (0, 2))
    assert ApplicationEntry.heard(json.loads(json.dumps(entry.told()))) == entry
    assert [entry.runs_in(index) for index in range(3)] == [True, False, True]
    everywhere = ApplicationEntry("Catalina/localhost", "", "1:2", 1, True, False, None)
    assert everywhere.runs_in(7)
    assert not everywhere.runs_in(512), "the worker of a pool runs its own application"


@pytest.mark.parametrize("told", [None, {}, {"source": None, "colour": "red"}])
def test_what_is_no_entry_is_refused(told: Any) -> None:
    with pytest.raises(ProtocolError, match="expected the entry of an application"):
        ApplicationEntry.heard(told)


def test_the_key_has_engine_host_and_context() -> None:
    engine = StandardEngine(name="Catalina", default_host="localhost")
    host = StandardHost(name="localhost")
    engine.add_child(host)
    context = StandardContext(path="/shop", web_app_version="2")
    host.add_child(context)
    assert manager_key(context).decode() == application_key("Catalina/localhost", "/shop##2")


def test_a_source_says_what_deployment_has_given() -> None:
    context = StandardContext()
    context.give(path="/shop", web_app_version="2", doc_base="shop##2", fail_ctx_if_servlet_start_fails=True)
    context.version_key = "2"
    context.config_file = Path("/conf/shop.xml")
    assert ContextSource.of(context) == ContextSource("/shop", "2", "shop##2", "/conf/shop.xml", "2", must_start=True)


def test_files_are_others_when_the_directory_is_exchanged_and_the_same_when_it_is_put_back(tmp_path: Path) -> None:
    context = StandardContext()
    context.document_root = tmp_path / "shop"
    (tmp_path / "shop").mkdir()
    before = files_of(context)
    (tmp_path / "shop").rename(tmp_path / "old")
    (tmp_path / "shop").mkdir()
    assert files_of(context) != before
    (tmp_path / "shop").rmdir()
    (tmp_path / "old").rename(tmp_path / "shop")
    assert files_of(context) == before


def test_an_entry_says_which_python_the_application_has() -> None:
    python = OwnPython("/srv/venv/bin/python", "3.13", ("/srv/server",))
    entry = ApplicationEntry("Catalina/localhost", "", "1:2", 1, True, False, None, (512,), python)
    assert ApplicationEntry.heard(json.loads(json.dumps(entry.told()))) == entry
