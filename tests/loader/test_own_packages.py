"""Applications that want processes of their own, because they say so or bring packages."""

from pathlib import Path

import pytest

from catalina.core.standard_context import StandardContext
from catalina.loader import own_packages
from catalina.loader.own_packages import pool_reason, reason_in, reason_in_archive

NEEDS = "flask>=3\n"


def test_a_few_modules_are_no_packages(tmp_path: Path) -> None:
    (tmp_path / "WEB-INF" / "classes").mkdir(parents=True)
    (tmp_path / "WEB-INF" / "lib").mkdir()
    (tmp_path / "WEB-INF" / "classes" / "shop.py").touch()
    (tmp_path / "requirements.txt").write_text("# none yet\n")
    assert not reason_in(tmp_path)
    assert not reason_in(tmp_path / "none")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("requirements.txt", NEEDS),
        ("requirements.txt", "not a requirement !\n"),
        ("pyproject.toml", '[project]\nname = "shop"\nversion = "1"\ndependencies = ["flask"]\n'),
        ("META-INF/requirements.txt", NEEDS),
        (".venv/pyvenv.cfg", ""),
        ("venv/pyvenv.cfg", ""),
        ("WEB-INF/lib/flask.whl", ""),
        ("WEB-INF/classes/fast/_c.abi3.so", ""),
        ("fast/_c.abi3.so", ""),
        ("bottle-0.13.dist-info/METADATA", ""),
    ],
)
def test_what_needs_packages_or_has_them(tmp_path: Path, file: str, text: str) -> None:
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(text)
    assert reason_in(tmp_path)


def test_a_pyproject_that_only_sets_tools_needs_nothing(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\nline-length = 120\n")
    assert not reason_in(tmp_path)


def test_the_search_for_compiled_modules_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_packages, "MOST_ENTRIES", 3)
    directory = tmp_path
    for _ in range(5):
        directory = directory / "deeper"
        directory.mkdir()
    (directory / "_c.abi3.so").touch()
    assert not reason_in(tmp_path)


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"wsgi.py": "", "WEB-INF/lib/": "", "shop/requirements.txt": NEEDS}, ""),
        ({"wsgi.py": "", "pyproject.toml": "[tool.ruff]"}, ""),
        ({"wsgi.py": "", "requirements.txt": NEEDS}, "requirements.txt"),
        ({"pyproject.toml": "[project]\ndependencies = []"}, "pyproject.toml"),
        ({"WEB-INF/lib/flask.whl": ""}, "WEB-INF/lib/flask.whl"),
        ({"shop/_c.abi3.so": ""}, "shop/_c.abi3.so"),
        ({"wsgi.py": "sys.path.insert(0, '/srv/a')"}, "wsgi.py, which has sys.path.insert"),
    ],
)
def test_an_archive_is_judged_without_unpacking(files: dict[str, str], reason: str) -> None:
    assert reason_in_archive(files, lambda name: files[name].encode()) == reason


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import sys; sys.path.insert(0, '/srv/a')", "sys.path.insert"),
        ("sys.path += ['/srv/a']", "sys.path +="),
        ("sys.path[:0] = ['/srv/a']", "sys.path[:0] ="),
        ("from multiprocessing import Pool", "from multiprocessing"),
        ("import multiprocessing as mp", "import multiprocessing"),
        ("logging.config.dictConfig(SETTINGS)", "dictConfig("),
        ("site.addsitedir('/srv/a')", "addsitedir"),
        ("print(sys.path)", ""),
        ("# sys.path.insert(0, '/srv/a')", ""),
        ("if '/srv' in sys.path[0] == 1: pass", ""),
        ("config.dictConfigs(1)", ""),
    ],
)
def test_own_code_may_need_a_process(tmp_path: Path, source: str, found: str) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "pages.py").write_text(f"import logging\n{source}\n")
    assert reason_in(tmp_path) == (f"shop/pages.py, which has {found}" if found else "")


def application(root: Path, **values: object) -> StandardContext:
    context = StandardContext()
    context.give(**values)
    context.document_root = root
    return context


def test_by_default_an_application_that_brings_nothing_shares_the_nodes_workers(tmp_path: Path) -> None:
    context = application(tmp_path)
    assert context.isolation == "auto"
    assert not pool_reason(context)
    context.loader.installed = ["/packages"]
    assert pool_reason(context)
    context.loader.installed, context.loader.venv = [], "/srv/venv"
    assert pool_reason(context)


def test_with_packages_it_has_a_pool_unless_it_says_shared_or_reaches_others(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(NEEDS)
    assert pool_reason(application(tmp_path))
    assert not pool_reason(application(tmp_path, isolation="shared"))
    assert not pool_reason(application(tmp_path, cross_context=True))
    assert not pool_reason(application(tmp_path, privileged=True))
    assert pool_reason(application(tmp_path / "none", isolation="process"))
