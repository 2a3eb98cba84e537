"""The words about code that cannot be loaded."""

from __future__ import annotations

import logging
import os
import traceback

import pytest

from catalina.errors import DeploymentError
from tests.loader.applications import new_loader, running, write_application

FILES = {
    "tilly/__init__.py": "",
    "tilly/deep.py": "def at_import():\n    return 1 / 0\n\nat_import()\n",
    "tilly/web.py": "from tilly import deep\n",
    "tilly/typo.py": "def application(:\n",
    "tilly/uses_typo.py": "import tilly.typo\n",
    "tilly/needs.py": "import importlib\nimportlib.import_module('no_such_module_at_all')\n",
    "tilly/half.py": "import tilly.not_written_yet\n",
}


@pytest.fixture
def root(tmp_path):
    return write_application(tmp_path / "a", FILES)


@pytest.fixture
def loader(root):
    with running(new_loader(root)) as (loader,):
        yield loader


def test_an_exception_at_import_is_logged_with_the_frames_of_the_application_alone(loader, root, caplog):
    with pytest.raises(DeploymentError):
        loader.load("tilly.web:application")
    (record,) = [record for record in caplog.records if record.exc_info]
    files = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(record.exc_info[2])]
    own = root / "WEB-INF" / "classes" / "tilly"
    assert files == [(str(own / "web.py"), 1), (str(own / "deep.py"), 4), (str(own / "deep.py"), 2)]
    assert record.levelno == logging.ERROR


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("tilly.web", "ZeroDivisionError: division by zero ({own}/deep.py, line 2)"),
        ("tilly.typo", "SyntaxError: invalid syntax ({own}/typo.py, line 1)"),
        ("tilly.uses_typo", "SyntaxError: invalid syntax ({own}/typo.py, line 1)"),
    ],
)
def test_the_error_names_the_file_and_the_line(loader, root, name, says):
    with pytest.raises(DeploymentError) as refused:
        loader.load(f"{name}:application")
    assert says.format(own=root / "WEB-INF" / "classes" / "tilly") in str(refused.value)


def test_imports_of_names_that_clash_and_by_importlib_leave_no_frames(root, tmp_path, caplog):
    other = write_application(tmp_path / "b", {"tilly/__init__.py": "", "tilly/other.py": ""})
    with running(new_loader(root), new_loader(other)) as (loader, _):
        for name in ("web", "needs"):
            with pytest.raises(DeploymentError):
                loader.load(f"tilly.{name}:application")
    tracebacks = [traceback.extract_tb(record.exc_info[2]) for record in caplog.records if record.exc_info]
    assert [[os.path.basename(frame.filename) for frame in frames] for frames in tracebacks] == [
        ["web.py", "deep.py", "deep.py"], ["needs.py"],
    ]  # fmt: skip


def test_a_module_that_nobody_has_comes_with_the_place_for_it(loader, root):
    with pytest.raises(DeploymentError, match="the module no_such_module_at_all belongs into") as refused:
        loader.load("tilly.needs:application")
    assert f"pip install --target {root / 'WEB-INF' / 'classes'} PACKAGE" in str(refused.value)


def test_a_module_missing_in_a_package_of_the_application_is_its_own_mistake(loader):
    with pytest.raises(DeploymentError, match=r"No module named 'tilly\.not_written_yet'") as refused:
        loader.load("tilly.half:application")
    assert "pip" not in str(refused.value)


def test_the_place_for_a_missing_module_is_web_inf_lib_where_there_is_one(root):
    (root / "WEB-INF" / "lib").mkdir()
    with running(new_loader(root)) as (loader,), pytest.raises(DeploymentError) as refused:
        loader.load("tilly.needs:application")
    assert f"pip install --target {root / 'WEB-INF' / 'lib'} PACKAGE" in str(refused.value)


def test_a_name_that_a_module_lacks_is_no_exception_of_the_application(loader, caplog):
    with pytest.raises(DeploymentError, match="has no attribute 'nothing'"):
        loader.load("tilly:nothing")
    assert not [record for record in caplog.records if record.exc_info]
