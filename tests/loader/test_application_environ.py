"""Environment variables of each application."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from catalina.loader.application_environ import ApplicationEnviron, environment_of
from tests.loader.applications import new_loader, running, write_application
from tests.support.narrowing import there

SOURCE = """
import os, subprocess, sys

def put(name, value):
    os.environ[name] = value

def put_default(name, value):
    return os.environ.setdefault(name, value)

def get(name):
    return os.environ.get(name), os.getenv(name), name in os.environ, name in dict(os.environ)

def drop(name):
    del os.environ[name]

def ask_child(name):
    code = f"import os; print(os.environ.get({name!r}))"
    return subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True).stdout.strip()

def names():
    return list(os.environ), len(os.environ)
"""
NOTHING = (None, None, False, False)


def something(value):
    return (value, value, True, True)


@pytest.fixture
def two(tmp_path, monkeypatch):
    monkeypatch.setenv("TILLY_SHARED", "container")
    roots = [write_application(tmp_path / name, {f"environ_{name}.py": SOURCE}) for name in ("a", "b")]
    with running(*map(new_loader, roots)) as loaders:
        yield [loader.load(f"environ_{name}") for loader, name in zip(loaders, ("a", "b"), strict=True)]
    assert type(os.environ) is os._Environ


def test_each_application_sees_what_it_has_set_itself(two):
    first, second = two
    assert first.put_default("TILLY_SETTINGS", "one") == "one"
    assert second.put_default("TILLY_SETTINGS", "two") == "two"
    assert first.get("TILLY_SETTINGS") == something("one")
    assert second.get("TILLY_SETTINGS") == something("two")
    assert "TILLY_SETTINGS" not in os.environ


def test_a_program_gets_the_variables_of_the_application_that_starts_it(two):
    first, second = two
    first.put("TILLY_SECRET", "of the first")
    assert (first.ask_child("TILLY_SECRET"), second.ask_child("TILLY_SECRET")) == ("of the first", "None")
    assert first.ask_child("TILLY_SHARED") == "container"


def test_an_application_is_given_variables_before_it_sets_its_own(tmp_path):
    root = write_application(tmp_path / "a", {"environ_a.py": SOURCE})
    with running(new_loader(root)) as (loader,):
        module = loader.load("environ_a")
        module.put("TILLY_OWN", "own")
        space = there(loader.space)
        ApplicationEnviron.give(space, {"TILLY_OWN": "given", "TILLY_GIVEN": "given"})
        assert (module.get("TILLY_OWN"), module.get("TILLY_GIVEN")) == (something("own"), something("given"))
        assert (module.ask_child("TILLY_GIVEN"), os.environ.get("TILLY_GIVEN")) == ("given", None)
        assert environment_of(space)["TILLY_GIVEN"] == "given"
    assert subprocess.Popen.__init__.__name__ == "__init__"


def test_an_application_alone_in_its_process_has_its_variables_for_everything_in_it(tmp_path):
    root = write_application(tmp_path / "a", {"environ_a.py": SOURCE})

    def inherited(name):
        code = f"import os; print(os.environ.get({name!r}))"
        return subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True).stdout.strip()

    with running(new_loader(root)) as (loader,):
        ApplicationEnviron.give(there(loader.space), {"TILLY_ALONE": "given", "TZ": "America/Chicago"}, alone=True)
        assert inherited("TILLY_ALONE") == "given"
        assert inherited("TZ") == str(os.environ.get("TZ"))
    assert inherited("TILLY_ALONE") == "None"


def test_the_containers_variables_are_seen_until_an_application_sets_its_own(two):
    first, second = two
    assert first.get("TILLY_SHARED") == something("container")
    first.put("TILLY_SHARED", "changed")
    assert first.get("TILLY_SHARED") == something("changed")
    assert second.get("TILLY_SHARED") == something("container")
    assert os.environ["TILLY_SHARED"] == "container"


def test_a_deleted_variable_is_deleted_for_its_application(two):
    first, second = two
    first.drop("TILLY_SHARED")
    assert first.get("TILLY_SHARED") == NOTHING
    assert second.get("TILLY_SHARED") == something("container")
    with pytest.raises(KeyError):
        first.drop("TILLY_SHARED")


def test_programs_that_it_starts_inherit_its_variables_and_the_container_keeps_its_time_zone(two):
    first, _ = two
    first.put("TILLY_CHILD", "inherited")
    assert first.ask_child("TILLY_CHILD") == "inherited"
    before = time.localtime(0).tm_hour
    first.put("TZ", "America/Chicago")
    assert first.get("TZ")[0] == "America/Chicago"
    assert first.ask_child("TZ") == "America/Chicago"
    time.tzset()
    assert time.localtime(0).tm_hour == before


def test_names_and_their_number_fit(two):
    first, _ = two
    first.put("TILLY_NEW", "x")
    first.drop("TILLY_SHARED")
    names, number = first.names()
    assert len(set(names)) == number == len(os.environ)
    assert "TILLY_NEW" in names


def test_after_the_application_has_gone_nothing_is_left_of_them(tmp_path, monkeypatch):
    monkeypatch.setenv("TILLY_SHARED", "container")
    code = "import os; print(os.environ.get('TILLY_NEW'), os.environ.get('TILLY_SHARED'))"
    with running(new_loader(write_application(tmp_path / "a", {"environ_a.py": SOURCE}))) as (loader,):
        loader.load("environ_a").put("TILLY_NEW", "x")
        loader.load("environ_a").put("TILLY_SHARED", "x")
    assert "TILLY_NEW" not in os.environ
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True)
    assert done.stdout == "None container\n"


@pytest.mark.parametrize("value", [1, None, b"x"])
def test_a_value_that_is_no_text_is_refused_as_always(two, value):
    with pytest.raises(TypeError):
        two[0].put("TILLY_BAD", value)
    assert two[0].get("TILLY_BAD") == NOTHING
