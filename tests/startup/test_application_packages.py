"""Applications bring a declaration of their packages, and run."""

from __future__ import annotations

import os
import shutil
import venv
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from catalina.core.standard_context import StandardContext
from catalina.deploy.virtual_environment import VirtualEnvironment, environment_in
from catalina.startup import application_packages
from catalina.startup.application_packages import environments_of
from catalina.startup.application_states import application_states
from catalina.startup.control_commands import ControlCommands
from tests.deploy.archives import hello, make_wheel, make_zip
from tests.startup.hosts import Base, running
from tests.support.narrowing import there
from tests.support.stand_in import stand_in

IMPORTING = "import tilly_lib\n" + hello("x").replace("b'x'", "tilly_lib.NAME.encode()")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with two versions of a package, the only one that pip installs from."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    for version in ("3.1", "4.0"):
        make_wheel(tmp_path / "index", "tilly-lib", version, {"tilly_lib.py": f"NAME = 'tilly {version}'\n"})
    return tmp_path / "index"


def project(directory: Path, requirements: str) -> Path:
    directory.mkdir(parents=True)
    (directory / "app.py").write_text(IMPORTING)
    (directory / "requirements.txt").write_text(requirements)
    return directory


def test_a_directory_as_its_developer_has_it_and_again_without_an_index(tmp_path: Path, index: Path) -> None:
    base = Base(tmp_path / "base")
    project(base.webapps / "shop", "tilly-lib==3.1\n")
    (base.webapps / "old/WEB-INF").mkdir(parents=True)
    (base.webapps / "old/wsgi.py").write_text(IMPORTING)
    (base.webapps / "old/pyproject.toml").write_text('[project]\ndependencies = ["tilly-lib<5"]\n')
    with running(base):
        assert (base.ask("/shop"), base.ask("/old")) == ("tilly 3.1", "tilly 4.0")
    shutil.rmtree(index)
    again = Base(tmp_path / "base")
    shutil.copytree(base.webapps / "shop", base.webapps / "copy")
    with running(again):
        assert (again.ask("/shop"), again.ask("/copy"), again.ask("/old")) == ("tilly 3.1", "tilly 3.1", "tilly 4.0")
        again.config.undeploy("/copy")
        assert os.listdir(again.host.work_path / "copy/environments") == []


def test_a_changed_file_reloads_and_what_cannot_be_installed_changes_nothing(
    tmp_path: Path, index: Path, caplog: pytest.LogCaptureFixture
) -> None:
    base = Base(tmp_path / "base")
    shop = project(base.webapps / "shop", "tilly-lib==3.1\n")
    with running(base):
        (shop / "requirements.txt").write_text("tilly-lib==9\n")
        base.wait_for(lambda: "No matching distribution found for tilly-lib==9" in caplog.text)
        assert base.ask("/shop") == "tilly 3.1"
        (shop / "requirements.txt").write_text("tilly-lib==4.0\n")
        base.wait_for(lambda: base.ask("/shop") == "tilly 4.0")


def test_an_archive_says_in_the_answer_what_was_installed_and_its_next_version_needs_no_pip(
    tmp_path: Path, index: Path
) -> None:
    base = Base(tmp_path / "base", auto_deploy=False)
    with running(base):
        answers: list[str] = []
        for version in ("1", "2"):
            wheel = make_wheel(tmp_path / "dist", "shop", version, {"shop.py": IMPORTING}, requires=["tilly-lib==3.1"])
            with wheel.open("rb") as opened:
                asked = {"file": wheel.name}
                done = ControlCommands(base.server).run("deploy", asked, opened, lambda *_: None)
                assert isinstance(done, list)
                answers += done
            assert base.ask(f"/shop##{version}") == "tilly 3.1"
    assert answers[0].startswith("pip has installed 1 package of the wheel's metadata in ")
    assert answers[1:] == ["deployed [/shop##1]", "deployed [/shop##2]"]


def test_the_state_of_an_application_says_what_pip_could_not_do(tmp_path: Path, index: Path) -> None:
    base = Base(tmp_path / "base")
    make_zip(base.webapps / "shop.zip", {"wsgi.py": IMPORTING, "requirements.txt": "tilly-none\n"})
    project(base.webapps / "bare", "flask ==\n")
    with running(base):
        bare, shop = application_states(base.host)
        assert "requirements.txt:1: expected a requirement, got 'flask =='" in bare.reason
        assert "pip cannot install the requirements of requirements.txt: No matching distribution" in shop.reason
        (base.webapps / "bare/requirements.txt").write_text("tilly-lib==3.1\n")
        base.wait_for(lambda: base.ask("/bare") == "tilly 3.1")


def test_an_application_cannot_switch_on_what_its_operator_has_switched_off(
    tmp_path: Path, index: Path, caplog: pytest.LogCaptureFixture
) -> None:
    base = Base(tmp_path / "base", install_dependencies=False)
    shop = project(base.webapps / "shop", "tilly-lib==3.1\n")
    (shop / "META-INF").mkdir()
    (shop / "META-INF/context.xml").write_text('<Context installDependencies="true"/>')
    with running(base):
        assert base.ask("/shop") == "(FAILED)"
    assert 'requires what is not here: tilly-lib==3.1. installDependencies="false" keeps pip' in caplog.text
    assert not environments_of(Base(tmp_path / "base").host, False).rules.allowed


def test_a_directory_of_files_needs_no_packages(tmp_path: Path) -> None:
    base = Base(tmp_path / "base")
    (base.webapps / "docs").mkdir(parents=True)
    (base.webapps / "docs/index.html").write_text("docs")
    (base.webapps / "docs/requirements.txt").write_text("--no-such-option\n")
    with running(base):
        assert base.runs("/docs")
        assert there(base.context("/docs")).loader.installed == []


def test_a_virtual_environment_in_the_directory_has_all_packages(tmp_path: Path) -> None:
    base = Base(tmp_path / "base")
    shop = project(base.webapps / "shop", "tilly-none\n")
    venv.EnvBuilder(symlinks=True).create(shop / ".venv")
    site = Path(there(environment_in(str(shop))).site_packages)
    (site / "tilly_lib.py").write_text("NAME = 'of the venv'\n")
    with running(base):
        assert base.ask("/shop") == "of the venv"
        assert there(base.context("/shop")).loader.installed == [str(site)]


def test_one_elsewhere_is_each_applications_own_and_nothing_is_installed_beside_it(tmp_path: Path) -> None:
    base = Base(tmp_path / "base")
    venv.EnvBuilder(symlinks=True).create(tmp_path / "env")
    site = Path(VirtualEnvironment.read(str(tmp_path / "env")).site_packages)
    (site / "tilly_lib.py").write_text("import itertools\nNAME = 'of one venv'\nCOUNT = itertools.count()\n")
    base.descriptors.mkdir(parents=True)
    counting = IMPORTING.replace("tilly_lib.NAME.encode()", "str(next(tilly_lib.COUNT)).encode()")
    for name in ("a", "b"):
        make_zip(tmp_path / f"{name}.zip", {"app.py": counting, "requirements.txt": "tilly-none\n"})
        text = f'<Context docBase="{tmp_path}/{name}.zip"><Loader venv="{tmp_path}/env"/></Context>'
        (base.descriptors / f"{name}.xml").write_text(text)
    with running(base):
        assert [base.ask(path) for path in ("/a", "/a", "/b")] == ["0", "1", "0"]
    (site / f"tilly_c{EXTENSION_SUFFIXES[0]}").touch()
    again = Base(tmp_path / "base")
    with running(again):
        assert (again.ask("/a"), again.ask("/b")) == ("0", "(FAILED)")
        assert (
            "has compiled modules, which one process can load only once, and [/a] uses"
            in there(again.context("/b")).failure
        )


def test_one_that_does_not_fit_is_left_out_for_a_declaration_and_refused_without(
    tmp_path: Path, index: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    base = Base(tmp_path / "base")
    shop = project(base.webapps / "shop", "tilly-lib==3.1\n")
    bare = project(base.webapps / "bare", "")
    for directory in (shop, bare):
        (directory / ".venv").mkdir()
        (directory / ".venv/pyvenv.cfg").write_text("version = 2.7.18\n")
    with running(base):
        assert base.ask("/shop") == "tilly 3.1"
        (state,) = [each for each in application_states(base.host) if each.name == "/bare"]
        assert ".venv] is of Python 2.7.18, and the server runs" in state.reason
    assert "It is left out, as the application declares its packages" in caplog.text


@pytest.mark.parametrize(
    ("isolation", "given", "may"),
    [("process", (), True), ("auto", (), True), ("shared", (), False), ("process", ("user",), False)],
)
def test_the_keeper_lets_another_python_run_where_the_servers_user_runs_processes_of_the_application(
    isolation: str, given: tuple[str, ...], may: bool
) -> None:
    context = stand_in(StandardContext, deploys_here=True, runs_here=False, isolation=isolation, given=set(given))
    assert application_packages._may_run_other(context) is may
