"""A new state of an archive in the place of a running one."""

from __future__ import annotations

from catalina.startup.archive_exchange import ArchiveExchange
from tests.deploy.archives import hello, make_wheel
from tests.startup.hosts import Base, running


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
