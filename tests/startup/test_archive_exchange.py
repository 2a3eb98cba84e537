"""A new state of an archive in the place of a running one."""

from __future__ import annotations

import pytest

from catalina.deploy.brought_files import COMMAND, FARM
from catalina.startup.archive_exchange import ArchiveExchange
from tests.deploy.archives import hello, make_wheel, make_zip
from tests.loader.applications import compiled_module
from tests.startup.hosts import Base, running
from tests.support.narrowing import there
from tests.support.waiting import wait_until


def exchange(base, files):
    application = base.config.deployed["/shop##1"]
    file = make_wheel(base.webapps, "shop", "1", files)
    context = base.context("/shop##1")
    made = ArchiveExchange(
        base.host, base.config.deployer, application, context, base.config.sources.archive(str(file))
    )
    made.run()
    return made


def started(tmp_path):
    base = Base(tmp_path, auto_deploy=False)
    make_wheel(base.webapps, "shop", "1", {"shop.py": hello("one")})
    return running(base)


def test_requests_find_the_context_paused_and_never_missing(tmp_path):
    with started(tmp_path) as base:
        seen = []
        context = base.context("/shop##1")
        context.add_lifecycle_listener(lambda event: seen.append((event.type, base.config.host.find_child(context.name),
                                                                  context.paused)))  # fmt: skip
        made = exchange(base, {"shop.py": hello("two")})
        assert made.good
        assert {(child, paused) for _, child, paused in seen} == {(context, True)}
        assert base.ask("/shop##1") == "two"
        assert not context.paused


def test_sessions_of_a_manager_that_keeps_them_are_kept(tmp_path):
    with started(tmp_path) as base:
        manager = base.context("/shop##1").manager
        manager.pathname = "SESSIONS.ser"
        session = manager.create_session(None)
        session.set_attribute("n", 1)
        exchange(base, {"shop.py": hello("two")})
        found = base.context("/shop##1").manager.find_session(session.id)
        assert found is not None
        assert found.get_attribute("n") == 1


def test_what_does_not_start_gives_way_to_what_ran(tmp_path):
    with started(tmp_path) as base:
        made = exchange(base, {"shop.py": "application = 1/0\n"})
        assert not made.good
        assert base.ask("/shop##1") == "one"
        assert made.application.refused is not None


def compiled(file, text):
    module = compiled_module()
    own: dict[str, str | bytes] = {"fast/__init__.py": "", f"fast/{module.name}": module.read_bytes()}
    return make_zip(file, {"wsgi.py": f"import fast.{module.name.partition('.')[0]}\n" + hello(text), **own})


@pytest.fixture
def with_compiled(tmp_path):
    base = Base(tmp_path / "base", auto_deploy=False)
    compiled(base.webapps / "fast.zip", "one")
    with running(base):
        yield base


@pytest.mark.parametrize(("by", "limited"), [("", True), (COMMAND, False)])
def test_a_new_state_with_compiled_modules_is_left_to_a_new_process(with_compiled, tmp_path, by, limited):
    asked = []
    with_compiled.server.restarter = lambda limited: asked.append(limited) is None
    new = compiled(tmp_path / "fast.zip", "two")
    if by:
        assert with_compiled.config.install_archive(str(new), "fast.zip", with_compiled.config.deployed["/fast"].name)
    else:
        new.replace(with_compiled.webapps / "fast.zip")
        with_compiled.config.exchange(with_compiled.config.deployed["/fast"])
    assert asked == [limited]
    assert with_compiled.ask("/fast") == "one"
    again = Base(with_compiled.directory, auto_deploy=False)
    with running(again):  # as the new process does
        assert again.ask("/fast") == "two"


def test_the_farm_does_not_restart_all_nodes_at_once(with_compiled, tmp_path):
    asked = []
    with_compiled.server.restarter = lambda limited: asked.append(limited) is None
    with_compiled.host.brought.note(
        str(with_compiled.webapps / "fast.zip"), FARM, str(with_compiled.webapps / "fast.zip")
    )
    before = (with_compiled.webapps / "fast.zip").read_bytes()
    new = compiled(tmp_path / "fast.zip", "two")
    name = with_compiled.config.deployed["/fast"].name
    assert not with_compiled.config.install_archive(str(new), "fast.zip", name, FARM)
    assert asked == []
    assert with_compiled.ask("/fast") == "one"
    assert (with_compiled.webapps / "fast.zip").read_bytes() == before
    assert "Farm it as another version (fast##2.war" in with_compiled.config.why_not("/fast")


def test_an_exchanged_archive_with_a_context_of_its_own_is_left_alone_by_the_next_look(tmp_path):
    base = Base(tmp_path / "base")
    make_zip(base.webapps / "shop.zip", {"wsgi.py": hello("one"), "META-INF/context.xml": "<Context/>"})
    with running(base):
        new = make_zip(tmp_path / "shop.zip", {"wsgi.py": hello("two"), "META-INF/context.xml": "<Context/>"})
        assert base.config.install_archive(str(new), "shop.zip", base.config.deployed["/shop"].name)
        context = base.context("/shop")
        assert base.ask("/shop") == "two"
        base.settle()
        assert base.context("/shop") is context


def test_an_archive_that_comes_while_another_one_is_tried_is_tried_next(tmp_path):
    base = Base(tmp_path / "base", auto_deploy=False)
    file = base.webapps / "shop.zip"
    make_zip(file, {"wsgi.py": hello("one")})
    with running(base):
        make_zip(file, {"wsgi.py": hello("two and more")})
        context = there(base.context("/shop"))

        def replace(event):
            if event.type == "before_start":
                make_zip(file, {"wsgi.py": hello("3")})

        def looked(text):
            base.config.check_now("/shop")
            return base.ask("/shop") == text

        context.add_lifecycle_listener(replace)
        wait_until(lambda: looked("two and more"), "it is exchanged", seconds=30)
        context.remove_lifecycle_listener(replace)
        wait_until(lambda: looked("3"), "the next one is tried", seconds=30)
