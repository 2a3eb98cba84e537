"""Virtual environments that developers made, read without running their Python."""

from __future__ import annotations

import platform
import venv
from pathlib import Path

import pytest

from catalina.deploy import virtual_environment as module
from catalina.deploy.virtual_environment import VirtualEnvironment, environment_in
from catalina.errors import DeploymentError
from tests.support.narrowing import there


@pytest.fixture
def made(tmp_path: Path) -> VirtualEnvironment:
    """One of this Python, in a project's directory."""
    venv.EnvBuilder(symlinks=True).create(tmp_path / "shop/.venv")
    return there(environment_in(str(tmp_path / "shop")))


def config(made: VirtualEnvironment, text: str) -> str:
    """The reason why it cannot be used with another pyvenv.cfg."""
    Path(made.directory, "pyvenv.cfg").write_text(text)
    return VirtualEnvironment.read(made.directory).unfit


def test_one_of_the_same_python_is_used(made: VirtualEnvironment) -> None:
    assert (made.version, made.unfit) == (platform.python_version(), "")
    assert made.imports() == [made.site_packages]
    assert Path(made.python).exists()


def test_the_servers_own_has_nothing_to_add(made: VirtualEnvironment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SERVER_PACKAGES", made.site_packages)
    assert made.imports() == []


@pytest.mark.parametrize("text", ["version = 3.9.2\n", "home = /usr/bin\nversion_info = 3.9.2.final.0\n"])
def test_one_of_an_old_python_is_refused_in_one_line(made: VirtualEnvironment, text: str) -> None:
    why = config(made, text)
    assert ".venv] is of Python 3.9.2" in why
    assert f"the server runs {platform.python_version()}; processes of the application's own could run 3.11 or" in why
    assert "make it with a Python 3." in why
    assert VirtualEnvironment.read(made.directory).unfit_alone == why
    assert "\n" not in why


def test_one_of_a_newer_python_fits_a_process_of_its_own(made: VirtualEnvironment) -> None:
    site = Path(made.site_packages)
    site.parent.rename(site.parent.with_name("python3.99"))
    assert 'give the application processes of its own (isolation="process"' in config(made, "version = 3.99.0+\n")
    other = VirtualEnvironment.read(made.directory)
    assert (other.short_version, other.is_server_version, other.unfit_alone) == ("3.99", False, "")
    assert other.imports() == [other.site_packages]
    assert other.site_packages.endswith(".venv/lib/python3.99/site-packages")


def test_another_program_of_the_same_version_is_another_python(made: VirtualEnvironment, tmp_path: Path) -> None:
    assert not made.is_other_python
    venv.EnvBuilder(symlinks=False).create(tmp_path / "copied")
    copied = VirtualEnvironment.read(str(tmp_path / "copied"))
    assert (copied.is_other_python, copied.is_server_version, copied.unfit) == (True, True, "")


def test_one_of_another_machine_or_without_packages_is_refused(made: VirtualEnvironment) -> None:
    Path(made.site_packages).rename(Path(made.directory, "elsewhere"))
    assert "has no [lib/python3." in config(made, "")
    Path(made.python).unlink()
    Path(made.python).symlink_to("/opt/homebrew/bin/python3")
    assert "was made on another machine" in config(made, "")


def test_a_directory_that_is_none(tmp_path: Path) -> None:
    assert environment_in(str(tmp_path)) is None
    with pytest.raises(DeploymentError, match=r"is no virtual environment: it has no pyvenv\.cfg"):
        VirtualEnvironment.read(str(tmp_path))


def test_files_of_paths_name_directories_and_their_code_is_not_run(
    made: VirtualEnvironment, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "library").mkdir()
    ran = tmp_path / "ran"
    site = Path(made.site_packages)
    (site / "__editable__.library-1.pth").write_text(f"# a comment\n{tmp_path / 'library'}\n/gone\n../\n\n")
    (site / "__editable__.shop-1.pth").write_text(f"import os; open({str(ran)!r}, 'w')\n")
    (site / "distutils-precedence.pth").write_text(f"import os; open({str(ran)!r}, 'w')\n")
    assert made.imports() == [str(site), str(tmp_path / "library"), str(site.parent)]
    assert not ran.exists()
    assert ["editable install [__editable__.shop-1.pth]" in text for text in caplog.messages] == [True]
