"""The application that asks for a module."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

import pytest

from catalina.loader.asker import CONTRIB, Asker
from catalina.loader.import_space import ImportSpace


@pytest.fixture
def asker():
    return Asker()


def space(asker, directory, name="/a"):
    made = ImportSpace(name, [], [str(directory)])
    asker.spaces.append(made)
    asker.spaces_changed()
    return made


def code_in(file, source="def ask(call):\n    return call()\n"):
    """A function whose code lies in ``file``."""
    names: dict[str, Any] = {}
    exec(compile(source, str(file), "exec"), names)
    return names["ask"]


def test_the_nearest_application_on_the_stack_asks(asker, tmp_path):
    one, other = space(asker, tmp_path / "one"), space(asker, tmp_path / "other")
    in_one, in_other = code_in(tmp_path / "one/a.py"), code_in(tmp_path / "other/a.py")
    assert in_one(lambda: asker.asks(False)) is one
    assert in_one(lambda: in_other(lambda: asker.asks(False))) is other


def test_what_the_environment_has_a_library_of_it_means_itself(asker, tmp_path):
    one = space(asker, tmp_path)
    in_one = code_in(tmp_path / "a.py")
    assert in_one(lambda: asker.asks(True)) is None  # this test file is the environment's
    assert in_one(lambda: asker.asks(False)) is one


def test_the_standard_library_acts_for_its_caller(asker, tmp_path):
    one = space(asker, tmp_path)
    ask = code_in(tmp_path / "a.py", "import functools\ndef ask(call):\n    return functools.reduce(call, [1, 2])\n")
    generated = code_in("<generated>")
    assert ask(lambda *_: generated(lambda: asker.asks(False))) is one


def test_without_an_application_nobody_asks(asker):
    assert asker.asks(False) is None


def test_a_thread_bound_to_an_application_asks_for_it(asker, tmp_path):
    one = space(asker, tmp_path)
    with asker.bound_to(one):
        assert asker.asks(False) is one
        with asker.bound_to(None):
            assert asker.asks(False) is None
        assert asker.bound is one
    assert asker.bound is None


def test_binding_concerns_one_thread(asker, tmp_path):
    seen = []
    with asker.bound_to(space(asker, tmp_path)):
        thread = threading.Thread(target=lambda: seen.append(asker.bound))
        thread.start()
        thread.join()
    assert seen == [None]


def test_an_application_inside_another_owns_its_own_files(asker, tmp_path):
    outer, inner = space(asker, tmp_path), space(asker, tmp_path / "inner")
    assert asker.owner_of(str(tmp_path / "a.py")) is outer
    assert asker.owner_of(str(tmp_path / "inner/a.py")) is inner


def test_after_an_application_has_gone_its_files_are_nobodys(asker, tmp_path):
    one = space(asker, tmp_path)
    ask = code_in(tmp_path / "a.py")
    assert ask(lambda: asker.asks(False)) is one
    asker.spaces.remove(one)
    asker.spaces_changed()
    assert ask(lambda: asker.asks(False)) is None


def test_a_thread_that_the_container_starts_is_no_applications(asker, tmp_path):
    from catalina import lifecycle

    one = space(asker, tmp_path)
    container = code_in(lifecycle.__file__)
    ask = code_in(tmp_path / "a.py")
    assert ask(lambda: asker.starts()) is one
    assert ask(lambda: container(asker.starts)) is None


def test_an_adapter_of_a_framework_acts_for_its_caller(asker, tmp_path):
    one = space(asker, tmp_path)
    application, adapter = code_in(tmp_path / "a.py"), code_in(f"{CONTRIB}flask.py")
    asks = partial(adapter, partial(asker.asks, True))
    assert application(asks) is one
    library = code_in(f"{asker._sites[0]}flask/app.py")
    assert application(partial(library, asks)) is None
