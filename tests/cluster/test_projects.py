"""A Flask and a Django project as their developers have them, on three nodes by the farm, without a network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.cluster.browser import Browser
from tests.cluster.node import PROJECT, Node
from tests.cluster.test_farm import Farm
from tests.support.frameworks import need_frameworks
from tests.support.waiting import wait_until
from tests.support.wheels import pack_wheels

FRAMEWORKS = need_frameworks()

pytestmark = pytest.mark.cluster

FLASK = """\
import os

from flask import Flask, session
from importlib.metadata import version

distributable = True
app = Flask(__name__)


@app.get("/")
def index():
    session["visits"] = session.get("visits", 0) + 1
    return {"flask": version("flask"), "visits": session["visits"], "greeting": os.environ["GREETING"]}
"""
DJANGO = """\
import os

import django
from django.http import JsonResponse
from django.urls import path


def index(request):
    request.session["visits"] = request.session.get("visits", 0) + 1
    found = {"django": django.__version__, "visits": request.session["visits"]}
    return JsonResponse(found | {"greeting": os.environ["GREETING"]})


urlpatterns = [path("", index)]
"""


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of wheels, the only place from which pip installs; the nodes have no framework themselves."""
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    return tmp_path / "index"


@pytest.fixture
def flask_project(tmp_path: Path, index: Path) -> Path:
    """``app.py`` and a requirements.txt with hashes."""
    root = tmp_path / "hello"
    root.mkdir()
    (root / "app.py").write_text(FLASK)
    packages = ("flask", "werkzeug", "jinja2", "markupsafe", "click", "itsdangerous", "blinker")
    (root / "requirements.txt").write_text("".join(pack_wheels(FRAMEWORKS, packages, index)))
    (root / ".env").write_text("GREETING=hello\n")
    return root


@pytest.fixture
def django_project(tmp_path: Path, index: Path) -> Path:
    """The output of ``startproject``, with a view, and with Django in its requirements.txt."""
    root = tmp_path / "polls"
    root.mkdir()
    command = [sys.executable, "-m", "django", "startproject", "mysite", str(root)]
    environment = os.environ | {"PYTHONPATH": str(FRAMEWORKS)}
    subprocess.run(command, check=True, timeout=60, env=environment)
    (root / "mysite/urls.py").write_text(DJANGO)
    with (root / "mysite/wsgi.py").open("a") as wsgi:
        wsgi.write("distributable = True\n")
    pack_wheels(FRAMEWORKS, ("django", "asgiref", "sqlparse"), index)
    (root / "requirements.txt").write_text("Django>=5.2,<6  # LTS\n")
    (root / ".env").write_text("GREETING=polls\n")
    return root


@pytest.fixture
def farm(tmp_path: Path, index: Path) -> Iterator[Farm]:
    farm = Farm(tmp_path / "farm", "abc", watchers="a", send_options=6)  # an answer is everywhere
    try:
        farm.start("a", "b", "c")
        yield farm
    finally:
        farm.close()


def test_projects_run_on_all_nodes_with_shared_sessions_and_again_without_an_index(
    farm: Farm, flask_project: Path, django_project: Path, index: Path
) -> None:
    browsers = {}
    for project in (flask_project, django_project):
        done = farm.nodes["a"].catalina("deploy", "--farm", str(project))
        assert done.returncode == 0, done.stderr
        browsers[project.name] = Browser(f"/{project.name}")
    for name, browser in browsers.items():
        for visit, node in enumerate(farm.nodes.values(), 1):
            wait_until(partial(answers, browser.app, node), f"{name} on {node.name}", 60)
            seen = browser.get(node)
            assert (seen["visits"], seen["greeting"]) == (visit, name)
    for node in farm.nodes.values():
        assert len(list(node.base.glob("work/Catalina/localhost/.environments/*"))) == 2
        assert node.log.count("pip has installed") == 2
    shutil.rmtree(index)
    again = farm.nodes["c"]
    again.stop()
    again.start()
    assert [browser.get(again)["visits"] for browser in browsers.values()] == [4, 4]
    assert again.log.count("pip has installed") == 2


def answers(app: str, node: Node) -> bool:
    """True when an application serves, seen by a browser of its own."""
    return Browser(app).ask(node)[0] == 200
