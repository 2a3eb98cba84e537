"""A host's settings for deployment, and archives that are broken, half copied or do not start."""

from __future__ import annotations

import logging
import os
import re
import stat
import threading
import zipfile
from typing import Any

import pytest

from catalina.connector.connector import Connector
from catalina.errors import DeploymentError
from catalina.lifecycle import LifecycleState
from catalina.startup.host_config import HostConfig
from catalina.util.context_name import ContextName
from tests.deploy.archives import hello, make_wheel, make_zip
from tests.startup.hosts import Base, running
from tests.startup.test_application_deployer import application_files, write_directory
from tests.support.narrowing import there
from tests.support.waiting import assert_stays, take_time, wait_until


def shop(base: Base, text: str, version: str = "1", **more: Any) -> None:
    make_wheel(base.webapps, "shop", version, {"shop.py": hello(text)}, **more)


# -- settings ----------------------------------------------------------------------------------------------------


def test_without_deploy_on_startup_a_look_deploys(tmp_path):
    base = Base(tmp_path, deploy_on_startup=False)
    write_directory(base.webapps / "a")
    with running(base):
        assert base.context("/a") is None
        base.wait_for(lambda: base.runs("/a"))


def test_without_auto_deploy_a_look_does_nothing(tmp_path):
    base = Base(tmp_path, auto_deploy=False)
    write_directory(base.webapps / "a")
    with running(base):
        write_directory(base.webapps / "b")
        base.config.check()
        assert base.runs("/a")
        assert base.context("/b") is None


def test_deploy_ignore_is_matched_against_the_whole_name(tmp_path):
    base = Base(tmp_path, deploy_ignore=re.compile("a.*|b"))
    for name in ("a", "ab", "b", "bc"):
        write_directory(base.webapps / name)
    make_zip(base.webapps / "ac.war", application_files(False))
    with running(base):
        assert [context.name for context in base.host.children] == ["/bc"]


def test_create_dirs_makes_both_bases(tmp_path):
    with running(Base(tmp_path / "with")) as base:
        assert base.webapps.is_dir()
        assert base.descriptors.is_dir()


def test_without_app_base_deployment_is_switched_off_and_said(tmp_path, caplog):
    with running(Base(tmp_path, create_dirs=False)) as base:
        assert not base.webapps.exists()
        assert not base.host.auto_deploy
    assert (
        f"Application base [{base.webapps}] for host [localhost] does not exist or is not a directory." in caplog.text
    )


def test_names_that_are_never_applications(tmp_path):
    base = Base(tmp_path)
    for name in ("META-INF", "WEB-INF", ".catalina-old-x"):
        write_directory(base.webapps / name)
    (base.webapps / "readme.txt").write_text("x")
    with running(base):
        assert base.host.children == ()
        assert (base.webapps / ".catalina-old-x").exists()


def test_work_in_progress_that_was_left_over_goes_at_the_next_start(tmp_path):
    base = Base(tmp_path)
    left = base.host.brought.stage(str(base.webapps), "unpacking")
    again = Base(tmp_path)
    with running(again):
        assert not os.path.exists(left)


def test_applications_start_at_the_same_time_with_start_stop_threads(tmp_path):
    base = Base(tmp_path, start_stop_threads=3)
    meeting = "import threading\nfrom tests.startup import test_host_config\ntest_host_config.barrier.wait(10)\n"
    for name in "abc":
        make_wheel(base.webapps, f"meet-{name}", "1", {f"meet_{name}.py": meeting + hello(name)})
    with running(base):
        assert [base.ask(f"/meet-{name}##1") for name in "abc"] == ["a", "b", "c"]


barrier = threading.Barrier(3)


def test_the_listener_of_a_host_is_found(tmp_path):
    base = Base(tmp_path)
    assert HostConfig.of(base.host) is base.config


def test_an_application_in_somebody_elses_work_is_left_alone(tmp_path):
    with running(Base(tmp_path)) as base:
        assert base.config.try_add_serviced("/a")
        assert not base.config.try_add_serviced("/a")
        write_directory(base.webapps / "a")
        base.config.check()
        assert base.context("/a") is None
        base.config.remove_serviced("/a")
        base.wait_for(lambda: base.runs("/a"))


def test_a_context_of_server_xml_is_not_deployed_again(tmp_path):
    from catalina.core.standard_context import StandardContext

    base = Base(tmp_path)
    write_directory(base.webapps / "a")
    own = StandardContext(path="/a", doc_base="a")
    own.settle_name()
    base.host.add_child(own)
    with running(base):
        assert base.context("/a") is own
        assert not base.config.is_deployed("/a")


def test_undeploy_deletes_what_is_in_app_base(tmp_path):
    base = Base(tmp_path)
    make_zip(base.webapps / "a.war", application_files(False))
    with running(base):
        base.config.undeploy("/a")
        assert os.listdir(base.webapps) == []
        with pytest.raises(DeploymentError, match=r"no application \[/a\]"):
            base.config.undeploy("/a")


def test_check_now_deploys_without_auto_deploy(tmp_path):
    with running(Base(tmp_path, auto_deploy=False)) as base:
        shop(base, "one")
        base.config.check_now("/shop##1")
        assert base.ask("/shop##1") == "one"


# -- archives that are not as they should be ---------------------------------------------------------------------


def complaints(caplog):
    """The server's own log lines that an operator would see as trouble."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.WARNING and "apache" in record.name
    ]


def test_a_half_copied_archive_is_not_deployed(tmp_path, caplog):
    with running(Base(tmp_path)) as base:
        whole = make_zip(tmp_path / "elsewhere/a.war", application_files(False)).read_bytes()
        with open(base.webapps / "a.war", "wb") as copy:
            copy.write(whole[:100])
            copy.flush()
            base.config.sources.settling.given_up = 3600.0
            quiet = base.config.sources.settling.quiet
            assert_stays(lambda: base.config.check() or base.context("/a") is None, "it waits", 5 * quiet, quiet)
            copy.write(whole[100:])
        base.wait_for(lambda: base.runs("/a"))
    assert not complaints(caplog)


def test_a_corrupt_archive_is_said_once(tmp_path, caplog):
    base = Base(tmp_path)
    base.webapps.mkdir()
    (base.webapps / "a.war").write_bytes(b"no zip")
    with running(base):
        base.settle()
        base.settle()
    assert [text for text in caplog.messages if "a.war" in text] == [
        f"Error deploying web application archive [{base.webapps}/a.war]: {base.webapps}/a.war: "
        "not a usable zip archive: File is not a zip file"
    ]


@pytest.mark.parametrize("fault", ["no zip", "bad content", "missing requirement", "other platform"])
def test_a_new_archive_that_is_refused_leaves_the_running_version(tmp_path, caplog, fault):
    base = Base(tmp_path, install_dependencies=False)
    shop(base, "one")
    with running(base):
        context = base.context("/shop##1")
        base.config.sources.settling.given_up = 0.5
        file = base.webapps / "shop-1-py3-none-any.whl"
        if fault == "no zip":
            file.write_bytes(b"no zip")
        elif fault == "bad content":
            data = bytearray(file.read_bytes())
            data[data.index(b"shop.py") + 30] ^= 0xFF
            file.write_bytes(data)
        elif fault == "missing requirement":
            shop(base, "two", requires=["tilly-none"])
        else:
            shop(base, "two", requires_python="<3")
        base.wait_for(lambda: complaints(caplog))
        base.settle()
        assert base.context("/shop##1") is context
        assert base.ask("/shop##1") == "one"
    assert len(complaints(caplog)) == 1
    assert not [name for name in os.listdir(base.webapps) if name.startswith(".catalina")]


def test_a_new_archive_that_does_not_start_is_replaced_by_the_previous_one(tmp_path, caplog):
    base = Base(tmp_path)
    shop(base, "one")
    with running(base):
        make_wheel(base.webapps, "shop", "1", {"shop.py": "application = 1/0\n"})
        said = "The new version of [/shop##1] did not start; the previous one is restored"
        base.wait_for(lambda: said in caplog.messages)
        assert base.ask("/shop##1") == "one"
        caplog.clear()
        base.settle()
        assert not complaints(caplog)
        shop(base, "three")
        base.wait_for(lambda: base.ask("/shop##1") == "three")


def test_an_archive_that_did_not_start_at_first_is_tried_again_when_it_changes(tmp_path):
    base = Base(tmp_path)
    make_wheel(base.webapps, "shop", "1", {"shop.py": "application = 1/0\n"})
    with running(base):
        assert base.ask("/shop##1") in ("(FAILED)", "(STOPPED)")
        shop(base, "two")
        base.wait_for(lambda: base.ask("/shop##1") == "two")


# -- versions ----------------------------------------------------------------------------------------------------


def test_two_versions_of_one_wheel_run_side_by_side(tmp_path):
    base = Base(tmp_path)
    shop(base, "nine", "1.9")
    shop(base, "ten", "1.10")
    with running(base):
        assert (base.ask("/shop##1.9"), base.ask("/shop##1.10")) == ("nine", "ten")
        newest = base.service.mapper.map("localhost", "/shop/").context
        assert newest is base.context("/shop##1.10")


def test_old_versions_go_when_nobody_uses_them(tmp_path, caplog):
    caplog.set_level("INFO")
    base = Base(tmp_path, undeploy_old_versions=True)
    shop(base, "nine", "1.9")
    with running(base):
        session = there(there(base.context("/shop##1.9")).manager).create_session(None)
        shop(base, "ten", "1.10")
        base.wait_for(lambda: base.runs("/shop##1.10"))
        base.settle()
        assert base.runs("/shop##1.9")
        session.expire()
        base.wait_for(lambda: base.context("/shop##1.9") is None)
        assert base.runs("/shop##1.10")
        assert [name for name in os.listdir(base.webapps) if "1.9" in name] == []
    said = "Undeploying old version of context [/shop##1.9] which has no active session"
    assert said in caplog.messages


# -- watching ----------------------------------------------------------------------------------------------------


def test_a_copied_file_runs_without_waiting_for_a_tick(tmp_path):
    with running(Base(tmp_path)) as base:
        deployed = threading.Event()
        base.host.add_container_listener(lambda event: deployed.set() if event.type == "addChild" else None)
        shop(base, "one")
        assert deployed.wait(10)


def test_one_bad_archive_stops_nothing_but_itself(tmp_path, caplog):
    base = Base(tmp_path)
    base.webapps.mkdir()
    bad = base.webapps / "bad.war"
    with zipfile.ZipFile(bad, "w") as archive:
        archive.writestr(zipfile.ZipInfo("WEB-INF/a", (2020, 13, 1, 0, 0, 0)), "x")
        info = zipfile.ZipInfo("WEB-INF/l")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, b"a\0b")
    make_wheel(base.webapps, "hard", "1", {"hard.py": "application=" + "-" * 100_000 + "1\n"})
    make_wheel(base.webapps, "harder", "1", {"harder/wsgi.py": "app = " + "(" * 100_000 + "\n"})
    (base.webapps / "wsgi").mkdir()
    (base.webapps / "wsgi/wsgi.py").write_text("application=" + "-" * 100_000 + "1\n")
    for name in (b"..war", b"...war", b"a\xff.war", b"a\nb.war", b".war", b"d\xff"):
        place = os.path.join(os.fsencode(base.webapps), name)
        if name.endswith(b".war"):
            os.link(bad, place)
        else:
            os.mkdir(place)
    shop(base, "good")
    write_directory(base.webapps / "zz")
    with running(base):
        assert base.ask("/shop##1") == "good"
        assert base.runs("/zz")
        assert not base.runs("/bad")
        make_wheel(base.webapps, "late", "1", {"late.py": hello("late")})
        base.wait_for(lambda: base.ask("/late##1") == "late")
    assert "has the character U+DCFF" in caplog.text
    assert "has the character U+000A" in caplog.text
    assert not any("\n" in record.getMessage() for record in caplog.records)


# -- directories that are being copied, and applications that do not start ---------------------------------------


def test_a_directory_that_is_being_copied_is_not_deployed(tmp_path, caplog):
    with running(Base(tmp_path)) as base:
        (base.webapps / "a").mkdir()
        (base.webapps / "a/wsgi.py").write_text("import a_package_that_comes_last\n" + hello("all of it"))
        for number in range(5):
            base.config.check()
            assert base.context("/a") is None
            (base.webapps / f"a/{number}.txt").write_text("x")
        (base.webapps / "a/a_package_that_comes_last").mkdir()
        (base.webapps / "a/a_package_that_comes_last/__init__.py").touch()
        base.wait_for(lambda: base.runs("/a"))
        assert base.ask("/a") == "all of it"
    assert not complaints(caplog)


def test_a_directory_that_is_moved_into_place_is_deployed_by_the_watcher(tmp_path):
    with running(Base(tmp_path)) as base:
        write_directory(tmp_path / "made")
        (tmp_path / "made").rename(base.webapps / "a")
        wait_until(lambda: base.runs("/a"), "it runs")


@pytest.mark.parametrize("repair", ["deep.py", "wsgi.py"])
def test_an_application_that_failed_is_tried_again_at_any_change_below_it(tmp_path, repair):
    base = Base(tmp_path)
    (base.webapps / "a/pk_retried/inner").mkdir(parents=True)
    deep = base.webapps / "a/pk_retried/inner/deep.py"
    deep.write_text("syntax error here\n")
    (base.webapps / "a/wsgi.py").write_text("import pk_retried.inner.deep\n" + hello("good"))
    with running(base):
        assert there(base.context("/a")).state is LifecycleState.FAILED
        base.settle()
        failed = base.context("/a")
        base.settle()
        assert base.context("/a") is failed, "nothing changed, so it is not tried again"
        if repair == "deep.py":
            deep.write_text("")
        else:
            (base.webapps / "a/wsgi.py").write_text(hello("good"))
        base.wait_for(lambda: base.runs("/a"))
        assert base.ask("/a") == "good"


def test_a_change_deep_below_a_failed_application_is_seen_by_the_watcher(tmp_path):
    base = Base(tmp_path)
    (base.webapps / "a/pk_watched").mkdir(parents=True)
    (base.webapps / "a/pk_watched/m.py").write_text("1/0\n")
    (base.webapps / "a/wsgi.py").write_text("import pk_watched.m\n" + hello("good"))
    with running(base):
        assert not base.runs("/a")
        (base.webapps / "a/pk_watched/m.py").write_text("")
        wait_until(lambda: base.runs("/a"), "it runs")


def test_an_application_that_changes_its_own_files_and_fails_is_not_tried_for_ever(tmp_path):
    base = Base(tmp_path)
    (base.webapps / "a").mkdir(parents=True)
    counting = "with open(__file__.replace('wsgi.py', 'count.txt'), 'a') as f: f.write('x')\n1/0\n"
    (base.webapps / "a/wsgi.py").write_text(counting)
    with running(base):
        base.config.sources.settling.quiet = 0.05
        base.settle()
        tries = len((base.webapps / "a/count.txt").read_text())
        assert tries <= 3
        base.settle()
        assert len((base.webapps / "a/count.txt").read_text()) == tries


def test_a_broken_context_xml_that_is_repaired_is_tried_again(tmp_path):
    base = Base(tmp_path)
    write_directory(base.webapps / "a", context_xml=True)
    (base.webapps / "a/META-INF/context.xml").write_text("<Context")
    with running(base):
        assert base.context("/a") is None
        (base.webapps / "a/META-INF/context.xml").write_text("<Context/>")
        base.wait_for(lambda: base.runs("/a"))


def test_a_removed_directory_of_a_running_application_is_no_trouble(tmp_path, caplog):
    base = Base(tmp_path)
    (base.webapps / "a").mkdir(parents=True)
    (base.webapps / "a/wsgi.py").write_text(hello("a"))
    for number in range(20):
        (base.webapps / f"a/{number}.txt").touch()
    caplog.set_level("INFO")
    with running(base):
        assert base.runs("/a")
        base.config.sources.settling.quiet = 0.1
        for file in sorted((base.webapps / "a").iterdir(), reverse=True):  # wsgi.py is the first one
            file.unlink()
            base.config.check()
            take_time(0.01)
        (base.webapps / "a").rmdir()
        base.wait_for(lambda: base.context("/a") is None)
    assert not complaints(caplog)
    assert "Undeploying context [/a]" in caplog.messages
    assert "Reloading context [/a]" not in caplog.messages


def test_an_application_whose_files_cannot_be_looked_at_keeps_no_other_from_it(tmp_path, monkeypatch, caplog):
    base = Base(tmp_path)
    for name in ("a", "b"):
        write_directory(base.webapps / name)
    with running(base):
        look = base.config.changes.look

        def fails_for_a(application, *more):
            if application.name.name == "/a":
                raise PermissionError(13, "Permission denied")
            return look(application, *more)

        monkeypatch.setattr(base.config.changes, "look", fails_for_a)
        write_directory(base.webapps / "c")
        base.wait_for(lambda: base.runs("/c"))
        assert base.runs("/a")
    assert "The files of [/a] cannot be looked at" in caplog.text


def test_a_directory_that_cannot_be_listed_for_a_moment_undeploys_nothing(tmp_path, monkeypatch, caplog):
    base = Base(tmp_path)
    write_directory(base.webapps / "a")
    with running(base):

        def refuse(directory):
            raise OSError(24, "Too many open files")

        with monkeypatch.context() as scarce:
            scarce.setattr("catalina.startup.application_sources.os.listdir", refuse)
            base.config.check()
        assert base.runs("/a")
    assert "cannot be listed: Too many open files" in caplog.text


HEALTHY = {"wsgi.py": hello("one"), "META-INF/context.xml": '<Context healthPath="/"/>'}
ILL = {"wsgi.py": "def application(environ, start_response):\n    start_response('503 Ill', [])\n    return []\n",
       "META-INF/context.xml": '<Context healthPath="/"/>'}  # fmt: skip


def test_a_new_version_is_asked_for_its_health_and_an_earlier_one_is_not(tmp_path, monkeypatch):
    base = Base(tmp_path / "base", auto_deploy=False)
    make_zip(base.webapps / "shop.zip", ILL)
    with running(base):
        monkeypatch.setattr(base.service, "connectors", [Connector(port=0)])
        assert base.runs("/shop"), "nobody is asked at the start of the host"
        name = base.config.deployed["/shop"].name
        worse = make_zip(tmp_path / "shop.zip", {**ILL, "more.txt": "more"})
        assert not base.config.install_archive(str(worse), "shop.zip", name)
        assert base.config.why_not("/shop") == "healthPath [/] answers 503, expected a status below 500"
        assert base.runs("/shop"), "the one before runs again, as ill as it was"
        assert base.config.install_archive(str(make_zip(tmp_path / "shop.zip", HEALTHY)), "shop.zip", name)
        assert base.ask("/shop") == "one"
        other = make_zip(tmp_path / "other.zip", ILL)
        assert not base.config.install_archive(str(other), "other.zip", ContextName("/other"))
        monkeypatch.undo()
