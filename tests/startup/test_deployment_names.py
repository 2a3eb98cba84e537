"""Whatever things are called: deploying and undeploying touch only what was deployed. Real functions, real files."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from catalina.deploy.archive import read_archive
from catalina.deploy.brought_files import COMMAND, FARM
from catalina.errors import CatalinaError
from catalina.ha.deploy.farm_directory import FarmDirectory
from catalina.ha.deploy.farm_inbox import FarmInbox
from catalina.ha.deploy.file_message import FileMessage
from catalina.util.context_name import ContextName
from tests.deploy.archives import hello, make_wheel, make_zip
from tests.ha.deploy.farm import member
from tests.startup.hosts import Base, running
from tests.startup.test_application_deployer import application_files, write_directory

DOTS = [".", "..", "...", "/", "#", "##", ".catalina-", "%2e%2e", "~"]
NAMES = ["a", "mine", "ROOT", "conf", "work", "webapps", "META-INF", "WEB-INF", "1.0", "x" * 120]
ODD = ["\\", "\0", "\n", "\x7f", "\u2028", "\udc80", " ", "ü"]
pieces = st.sampled_from([*DOTS, *NAMES, *ODD])
names = st.lists(pieces, max_size=5).map("".join)

SETTINGS = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture
def base(tmp_path):
    """A running host, with things of an operator in and around its directories."""
    base = Base(tmp_path / "server/base")
    for place in ("conf", "logs", "webapps", "conf/Catalina/localhost", ".", ".."):
        (base.directory / place).mkdir(parents=True, exist_ok=True)
        (base.directory / place / "mine.txt").write_text("mine")
    write_directory(base.webapps / "mine")
    make_zip(base.webapps / "also.war", application_files(False))
    (base.webapps / "link").symlink_to(base.directory / "conf")
    base.host.auto_deploy = False
    with running(base):
        base.config.sources.settling.quiet = 0.0
        yield base


def everything(base: Base) -> dict[str, bytes | None]:
    """Every file around and in the base but the work directory: path and content."""
    found: dict[str, bytes | None] = {}
    for directory, names, files in os.walk(base.directory.parent):
        if directory == str(base.directory):
            names.remove("work")
        found[directory] = None
        found.update((os.path.join(directory, name), None) for name in names)
        found.update((path, Path(path).read_bytes()) for path in (os.path.join(directory, name) for name in files))
    return found


def undeployed(base: Base) -> None:
    """Looks until what the test has laid and taken away is undeployed."""
    base.host.auto_deploy = True
    try:
        for _ in range(3):
            base.config.check()
    finally:
        base.host.auto_deploy = False


@SETTINGS
@given(name=names, suffix=st.sampled_from([".war", ".zip", "", ".xml"]), ask=st.booleans())
@example(name="..", suffix=".war", ask=False)
@example(name=".", suffix=".war", ask=False)
@example(name="...", suffix=".war", ask=True)
@example(name="ROOT##..", suffix=".war", ask=False)
@example(name="a#..", suffix=".zip", ask=False)
def test_a_file_in_app_base_of_any_name(base, name, suffix, ask):
    before = everything(base)
    place = (base.descriptors if suffix == ".xml" else base.webapps) / "x"
    target = os.path.join(os.path.dirname(place), name + suffix)
    if "/" in name or os.path.lexists(target):
        return
    try:
        if suffix == ".xml":
            Path(target).write_text("<Context/>")
        elif suffix:
            made = make_zip(
                base.directory.parent.parent / "made/x", {**application_files(False), "wsgi.py": hello("x")}
            )
            os.rename(made, target)
        else:
            write_directory(Path(target))
    except (OSError, ValueError):
        return  # the file system has no such name
    with contextlib.suppress(CatalinaError):
        base.config.deploy_apps(at_start=True)
    new = [each for each in base.config.deployed if each not in ("/mine", "/also", "/link")]
    if ask:
        for context in new:
            base.config.undeploy(context)
    for kept in base.descriptors.glob(".catalina-kept-*"):  # an operator's own, moved aside
        kept.unlink()
    if os.path.isdir(target):
        os.rename(target, base.directory.parent.parent / f"away-{len(os.listdir(base.directory.parent.parent))}")
    elif os.path.lexists(target):
        os.unlink(target)
    undeployed(base)
    for kept in base.webapps.glob(".catalina-kept-mine-*"):  # moved aside for an archive of its name
        kept.rename(base.webapps / "mine")
        base.config.check_now("/mine")
    assert everything(base) == before


@SETTINGS
@given(file_name=names, entry=names, by=st.sampled_from([COMMAND, FARM]))
@example(file_name="a", entry="..", by=FARM)
@example(file_name="..", entry="a", by=COMMAND)
def test_a_wheel_whose_entry_point_has_any_name(base, file_name, entry, by):
    before = everything(base)
    one_line = entry.encode("utf-8", "replace").decode().replace("\n", "").replace("=", "")
    made = make_wheel(
        base.directory.parent.parent / "made",
        "shop",
        "1",
        {"shop.py": hello("x")},
        entry_point=(one_line, "shop:application"),
    )
    try:
        name = read_archive(str(made)).name
        base.config.install_archive(str(made), file_name + ".whl", name, by)
        base.config.remove_archive(name, by)
    except (CatalinaError, ValueError):
        pass
    for context in [each for each in base.config.deployed if each not in ("/mine", "/also", "/link")]:
        base.config.undeploy(context)
    base.host.brought.discard(os.path.join(base.webapps, file_name + ".whl"))  # put there, but no application
    assert everything(base) == before


@SETTINGS
@given(file_name=names, context=names)
@example(file_name="../../conf/x", context="/..")
@example(file_name="mine", context="/mine")
@example(file_name="also", context="/also")
def test_what_the_farm_is_told_with_any_name(base, file_name, context):
    before = everything(base)
    (base.directory / "work/inbox").mkdir(exist_ok=True)
    inbox = FarmInbox(str(base.directory / "work/inbox"), 1_000_000, 60)
    directory = FarmDirectory(base.host, str(base.webapps))
    content = make_zip(base.directory.parent.parent / "made/x.war", application_files(False)).read_bytes()
    with contextlib.suppress(CatalinaError):
        received = inbox.take(FileMessage(file_name + ".war", context, content, 1, 1), member(1), 0.0)
        if received is not None:
            try:
                name = read_archive(received.path).name
                directory.install(received.path, received.file(), name, keep_source=False)
                directory.remove(name.name)
            finally:
                received.discard()
    directory.remove(context)
    directory.remove("/" + context)
    with contextlib.suppress(CatalinaError):
        base.config.remove_archive(ContextName.of_path(context), FARM)
    assert everything(base) == before


@SETTINGS
@given(name=names)
def test_a_command_that_names_anything_but_an_application(base, name):
    before = everything(base)
    with contextlib.suppress(CatalinaError):
        found = ContextName.of_path(*(name.split("##", 1)))
        if found.name not in base.config.deployed:
            base.config.undeploy(found.name)
    assert everything(base) == before


def test_an_operator_can_undeploy_what_he_laid_and_no_more(base):
    before = everything(base)
    base.config.undeploy("/mine")
    left = everything(base)
    assert {path for path in before if path not in left} == {
        path for path in before if path.startswith(str(base.webapps / "mine")) and not path.endswith("mine.txt")
    }
    base.config.undeploy("/link")
    assert (base.directory / "conf/mine.txt").exists()
    assert not os.path.lexists(base.webapps / "link")
