"""Applications that people have: from PyPI, and Flask and Django projects, deployed by copying their wheels.

The test builds and downloads with pip, as an operator would; what the applications require, the container installs
into their work directories (``installDependencies``).
"""

from __future__ import annotations

import base64
import http.client
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.node import Node
from tests.support.needs import missing
from tests.support.waiting import wait_until

pytestmark = pytest.mark.cluster

PYPROJECT = """
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"
[project]
name = "{name}"
version = "{version}"
dependencies = ["{requires}"]
[project.entry-points."catalina.webapp.distributable"]
{name} = "{target}"
[tool.setuptools.packages.find]
include = ["*"]
[tool.setuptools.package-data]
"*" = ["*.html"]
"""

FLASK = {
    "site_pages/__init__.py": """
from flask import Flask, render_template, request, session, url_for
from site_pages.greeting import greeting

app = Flask(__name__)
app.secret_key = "test"

@app.route("/")
def index():
    cart = request.environ["catalina.session"]
    cart["visits"] = cart.get("visits", 0) + 1
    return render_template("index.html", visits=cart["visits"], link=url_for("hello", name="you"))

@app.route("/hello/<name>")
def hello(name):
    return greeting(name)

@app.route("/flask")
def flask_session():  # Flask's own session, without a word about the container: one cookie for both
    session.setdefault("said", []).append("@WHO@")
    return f"{session['said']} {request.environ['catalina.session']['said']} {sorted(request.cookies)}"

@app.route("/late")
def late():
    from site_pages import settings
    app.config.from_object("site_pages.settings")
    return app.config["WHO"]
""",
    "site_pages/greeting.py": "def greeting(name):\n    return f'Hello {name} from @WHO@'\n",
    "site_pages/settings.py": "WHO = '@WHO@'\n",
    "site_pages/templates/index.html": "@WHO@, visit {{ visits }}, {{ link }}",
}

DJANGO = {
    "mysite/__init__.py": "",
    "mysite/settings.py": """
SECRET_KEY = "test"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "mysite.urls"
INSTALLED_APPS = ["polls"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
SITE = "@WHO@"
""",
    "mysite/urls.py": "from django.urls import include, path\nurlpatterns = [path('polls/', include('polls.urls'))]\n",
    "mysite/wsgi.py": """
import os
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
""",
    "polls/__init__.py": "",
    "polls/models.py": """
from django.db import models

class Poll(models.Model):
    question = models.CharField(max_length=100)
""",
    "polls/urls.py": """
from django.urls import path
from . import views
urlpatterns = [path("", views.index, name="index")]
""",
    "polls/views.py": """
from django.conf import settings
from django.db import connection
from django.http import HttpResponse
from django.urls import reverse
from polls.models import Poll

def index(request):
    with connection.schema_editor() as editor:
        if Poll._meta.db_table not in connection.introspection.table_names():
            editor.create_model(Poll)
    Poll.objects.create(question="why?")
    from polls.late import WHO
    return HttpResponse(f"{settings.SITE} {WHO} {Poll.objects.count() > 0} {reverse('index')}")
""",
    "polls/late.py": "WHO = '@WHO@'\n",
}


#: Radicale takes any password here.
ANNA = "Basic " + base64.b64encode(b"anna:").decode()
CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test
BEGIN:VEVENT
UID:1
SUMMARY:Tea
DTSTART:20261124T160000Z
DTSTAMP:20261124T060000Z
END:VEVENT
END:VCALENDAR
"""


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if done.returncode:
        missing(f"pip {' '.join(arguments)}: {done.stderr.strip()}")


def build(directory: Path, name: str, requires: str, target: str, files: dict[str, str]) -> Path:
    """A project's wheel, built from its sources by pip."""
    for file, text in files.items():
        (directory / name / file).parent.mkdir(parents=True, exist_ok=True)
        (directory / name / file).write_text(text.replace("@WHO@", name))
    pyproject = PYPROJECT.format(name=name, version="1.0", requires=requires, target=target)
    (directory / name / "pyproject.toml").write_text(pyproject)
    pip("wheel", "--no-deps", "--wheel-dir", str(directory / "dist"), str(directory / name))
    return next((directory / "dist").glob(f"{name}-*.whl"))


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    base = tmp_path_factory.mktemp("real")
    node = Node("real", base / "real")
    server_xml = node.base / "conf/server.xml"
    attributes = 'autoDeploy="true" installDependencies="true"'
    server_xml.write_text(server_xml.read_text().replace('autoDeploy="false"', attributes))
    with pytest.MonkeyPatch.context() as patch:
        (base / "radicale.ini").write_text(
            f"[auth]\ntype = none\n[storage]\nfilesystem_folder = {base}/collections\n[rights]\ntype = authenticated\n"
        )
        patch.setenv("RADICALE_CONFIG", str(base / "radicale.ini"))
        node.start()
    try:
        yield node
    finally:
        node.close()


def ask(
    node: Node, path: str, method: str = "GET", body: str = "", cookies: dict[str, str] | None = None
) -> tuple[int, str]:
    """Status and body; ``cookies`` are sent, and gets those of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", node.http_port, timeout=30)
    try:
        headers = {"Depth": "0", "Authorization": ANNA}
        if cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        connection.request(method, path, body.encode(), headers)
        response = connection.getresponse()
        for text in response.headers.get_all("Set-Cookie") or () if cookies is not None else ():
            cookies[text.partition("=")[0]] = text.partition("=")[2].partition(";")[0]  # type: ignore[index]
        return response.status, response.read().decode()
    finally:
        connection.close()


def copy_and_wait(node: Node, wheel: Path, path: str) -> None:
    shutil.copy(wheel, node.base / "webapps")
    wait_until(lambda: answers(node, path), f"{wheel.name} answers at {path}\n{node.log[-3000:]}", 180)


def answers(node: Node, path: str) -> bool:
    """True when an application serves. The first one with packages has the node started again, with a keeper."""
    try:
        return ask(node, path)[0] == 200
    except OSError:
        return False


def test_radicale_from_pypi(node: Node, tmp_path: Path) -> None:
    pip("download", "--no-deps", "--dest", str(tmp_path), "radicale>=3.5,<4")
    copy_and_wait(node, next(tmp_path.glob("radicale-*.whl")), "/radicale/.web/")
    assert ask(node, "/radicale/.web/")[0] == 200
    status, body = ask(node, "/radicale/", "PROPFIND")
    assert status == 207
    assert "<href>/radicale/</href>" in body
    assert ask(node, "/radicale/anna/tea/", "PUT", CALENDAR)[0] == 201
    status, body = ask(node, "/radicale/anna/tea/")
    assert (status, "SUMMARY:Tea" in body) == (200, True)


def test_two_flask_projects_of_one_module_name(node: Node, tmp_path: Path) -> None:
    for name in ("first", "second"):
        copy_and_wait(node, build(tmp_path, name, "flask>=3", "site_pages:app", FLASK), f"/{name}/")
    for name in ("first", "second"):
        assert ask(node, f"/{name}/") == (200, f"{name}, visit 1, /{name}/hello/you")
        assert ask(node, f"/{name}/hello/you") == (200, f"Hello you from {name}")
        assert ask(node, f"/{name}/late") == (200, name)
        cookies: dict[str, str] = {}
        assert ask(node, f"/{name}/flask", cookies=cookies) == (200, f"['{name}'] ['{name}'] []")
        expected = f"['{name}', '{name}'] ['{name}', '{name}'] ['JSESSIONID']"
        assert ask(node, f"/{name}/flask", cookies=cookies) == (200, expected)


def test_two_django_projects_of_one_name(node: Node, tmp_path: Path) -> None:
    for name in ("alpha", "beta"):
        copy_and_wait(node, build(tmp_path, name, "django>=4.2", "mysite.wsgi:application", DJANGO), f"/{name}/polls/")
    for name in ("alpha", "beta", "alpha"):
        assert ask(node, f"/{name}/polls/") == (200, f"{name} {name} True /{name}/polls/")
