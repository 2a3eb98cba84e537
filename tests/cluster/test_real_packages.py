"""Applications with packages of PyPI side by side in a node as it is installed: each has processes of its own.

Each of them broke another one, or itself, when all shared an interpreter: a reload of compiled packages,
``dictConfig``, ``sys.path.insert``, monkey patches, plug-ins of ``pkg_resources``, children of multiprocessing, an
endless loop.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from catalina.startup import control_client
from tests.cluster.node import Node
from tests.support.frameworks import need_environment
from tests.support.waiting import wait_until

NEW, OLD = need_environment("new"), need_environment("old")

pytestmark = pytest.mark.cluster

#: A second import of each of these in one process raised, or gave wrong answers.
PACKAGES = """
import json
import os

import cryptography, numpy, sqlalchemy, yaml
from cryptography.fernet import Fernet
from sqlalchemy import Column, Integer, create_engine, select
from sqlalchemy.orm import Session, declarative_base

Base = declarative_base()

class Item(Base):
    __tablename__ = "items"
    id = Column(Integer, primary_key=True)

def application(environ, start_response):
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Item(id=7))
        session.commit()
        found = session.scalars(select(Item)).one().id
    box = Fernet(Fernet.generate_key())
    done = [
        int(numpy.arange(4).sum()), box.decrypt(box.encrypt(b"x")).decode(), found,
        yaml.load("a: [1, 2.5, x]", Loader=yaml.CSafeLoader)["a"][1],
    ]
    versions = [each.__version__ for each in (numpy, cryptography, sqlalchemy, yaml)]
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({"done": done, "versions": versions, "process": os.getpid()}).encode()]
"""
DONE = [6, "x", 7, 2.5]

DJANGO = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "mysite.settings"
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
"""
SETTINGS = """
SECRET_KEY = "test"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "mysite.urls"
INSTALLED_APPS = [f"django.contrib.{name}" for name in ("admin", "auth", "contenttypes", "sessions", "messages")]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [{
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "APP_DIRS": True,
    "OPTIONS": {"context_processors": [
        "django.template.context_processors.request",
        "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages",
    ]},
}]
STATIC_URL = "/static/"
"""
URLS = """
from django.contrib import admin
from django.urls import path
urlpatterns = [path("admin/", admin.site.urls)]
"""

TRAC = """
import os
os.environ["TRAC_ENV"] = {environment!r}
from trac.web.main import dispatch_request as application
"""

#: The snippet of Flask's documentation; ``disable_existing_loggers`` is true by default.
LOGGING = """
from logging.config import dictConfig

dictConfig({
    "version": 1,
    "handlers": {"wsgi": {"class": "logging.StreamHandler"}},
    "root": {"level": "INFO", "handlers": ["wsgi"]},
})
from flask import Flask

app = Flask(__name__)

@app.get("/")
def index():
    app.logger.info("its own line")
    return "configured"

@app.get("/loop")
def loop():
    while True:
        pass
"""

GEVENT = """
import gevent
from gevent.pool import Pool

def application(environ, start_response):
    found = Pool(10).map(lambda number: (gevent.sleep(0.2), number)[1], range(10))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(sum(found)).encode()]
"""
#: It does not start.
PATCHED = "from gevent import monkey\nmonkey.patch_all()\n" + GEVENT

SPAWN = """
import multiprocessing

def square(number):
    return number * number

def application(environ, start_response):
    method = environ["PATH_INFO"].strip("/")
    with multiprocessing.get_context(method).Pool(1) as pool:
        found = pool.map(square, [2, 3])
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(found).encode()]
"""

#: As mod_wsgi's documentation has it, without a word about packages.
PATH = """
import sys
sys.path.insert(0, {place!r})
from config import NAME

def application(environ, start_response):
    if environ["PATH_INFO"] == "/fails":
        raise RuntimeError("of {name}")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{name} has {{NAME}}".encode()]
"""


#: The applications that have processes of their own.
POOLS = ("new", "old", "site", "trac", "log", "green", "spawn", "path-a", "path-b")


def write(directory: Path, files: dict[str, str], environment: Path | None = None) -> None:
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)
    if environment is not None:
        (directory / ".venv").symlink_to(environment)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    base = tmp_path_factory.mktemp("packages")
    node = Node("n1", base / "n1", workers=1)
    webapps = node.base / "webapps"
    write(webapps / "new", {"wsgi.py": PACKAGES}, NEW)
    write(webapps / "old", {"wsgi.py": PACKAGES}, OLD)
    django = {"mysite/__init__.py": "", "mysite/settings.py": SETTINGS, "mysite/urls.py": URLS}
    write(webapps / "site", {"wsgi.py": DJANGO, **django}, NEW)
    trac = str(base / "trac")
    subprocess.run([NEW / "bin" / "python", "-m", "trac.admin.console", trac, "initenv", "tea", "sqlite:db/trac.db"],
                   check=True, capture_output=True, timeout=120)  # fmt: skip
    write(webapps / "trac", {"wsgi.py": TRAC.format(environment=trac)}, NEW)
    timeout = {"META-INF/context.xml": '<Context requestTimeout="1500"/>'}
    write(webapps / "log", {"app.py": LOGGING, **timeout}, NEW)
    write(webapps / "green", {"wsgi.py": GEVENT}, NEW)
    write(webapps / "patched", {"wsgi.py": PATCHED}, NEW)
    write(webapps / "spawn", {"wsgi.py": SPAWN})
    for name in ("a", "b"):
        write(base / name, {"config.py": f"NAME = {name!r}\n"})
        write(webapps / f"path-{name}", {"wsgi.py": PATH.format(place=str(base / name), name=name)})
    try:
        node.start(wait=False)
        wait_until(lambda: serves(node), "everything serves", 90)
        yield node
    finally:
        node.close()


def serves(node: Node) -> bool:
    """True when the last application does; requests for the others wait until they have started."""
    try:
        return node.get("/", app="/path-b").status == 200
    except OSError:
        return False


def text(node: Node, app: str, path: str = "/", status: int = 200) -> str:
    answer = node.get(path, app=app, timeout=60)
    assert answer.status == status, (app, answer.status, answer.body[-500:], node.log[-5000:])
    return answer.body.decode()


def reload(node: Node, app: str) -> None:
    assert control_client.main("reload", [app], node.base) == 0


def rows(node: Node) -> dict[str, dict[str, str]]:
    """The rows of ``catalina list`` by application."""
    head, *lines = (re.split("  +", line) for line in node.catalina("list").stdout.splitlines())
    return {line[0]: dict(zip(head, line, strict=False)) for line in lines}


def memory(processes: list[int]) -> int:
    """Bytes that processes have for themselves, and their shares of what they have in common."""
    texts = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in processes]
    return sum(int(found.split()[1]) * 1024 for each in texts for found in re.findall("^Pss:.*", each, re.MULTILINE))


def test_who_brings_nothing_shares_the_nodes_worker_and_the_others_have_processes(node: Node) -> None:
    found = rows(node)
    pools = [found.pop(f"/{name}")["WORKERS"] for name in POOLS]
    assert all(re.fullmatch(r"p\d+", each) for each in pools), pools
    assert len(set(pools)) == len(pools)
    assert found["/app"]["WORKERS"] == "all"
    assert node.log.count("[/spawn] has [1] processes of its own, because of wsgi.py, which has import multiproc") == 1


def test_two_versions_of_everything_answer_side_by_side(node: Node) -> None:
    new, old = json.loads(text(node, "/new")), json.loads(text(node, "/old"))
    assert (new["done"], old["done"]) == (DONE, DONE)
    both = zip(new["versions"], old["versions"], strict=True)
    assert all(first != second for first, second in both), (new, old)
    assert (new["versions"][2][:4], old["versions"][2][:4]) == ("2.1.", "1.4.")


def test_ten_reloads_of_compiled_packages(node: Node) -> None:
    seen = [json.loads(text(node, "/new"))]
    for _ in range(10):
        reload(node, "/new")
        seen.append(json.loads(text(node, "/new")))
    assert [each["done"] for each in seen] == [DONE] * 11
    assert len({each["process"] for each in seen}) == 11
    assert "load only once" not in node.log


def test_thirty_reloads_of_a_django_admin_take_no_memory(node: Node) -> None:
    used = []
    for _ in range(30):
        reload(node, "/site")
        assert "Django administration" in text(node, "/site", "/admin/login/")
        wait_until(lambda: len(node.named_processes("catalina-p")) == len(POOLS), "the old process has ended", 60)
        used.append(memory(node.named_processes("catalina-")))
    grown = max(used[-5:]) - max(used[:5])
    assert grown < 6 * 2**20, f"{grown} bytes in 25 reloads: {used}"


def test_trac_finds_its_plug_ins(node: Node) -> None:
    assert "Welcome to Trac" in text(node, "/trac", "/wiki")
    assert "Trac" in text(node, "/trac", "/about")
    assert "Timeline" in text(node, "/trac", "/timeline")


def test_gevent_in_one_application_while_others_serve(node: Node) -> None:
    with ThreadPoolExecutor(8) as pool:
        green = [pool.submit(text, node, "/green") for _ in range(8)]
        assert [text(node, f"/path-{name}") for name in "abab"] == ["a has a", "b has b"] * 2
        assert [each.result() for each in green] == ["45"] * 8
    assert node.get("/", app="/patched").status == 404
    assert "gevent.monkey.patch_all() is refused" in rows(node)["/patched"]["REASON"]


@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
def test_children_of_multiprocessing_find_the_applications_modules(node: Node, method: str) -> None:
    assert text(node, "/spawn", f"/{method}") == "[4, 9]"


def test_places_that_an_application_inserts_into_sys_path_are_its_own(node: Node) -> None:
    assert [text(node, f"/path-{name}") for name in "ab"] == ["a has a", "b has b"]
    reload(node, "/path-a")
    assert [text(node, f"/path-{name}") for name in "ab"] == ["a has a", "b has b"]


def test_one_applications_logging_is_not_that_of_the_others(node: Node) -> None:
    assert text(node, "/log") == "configured"
    assert "its own line" in node.log
    text(node, "/path-a", "/fails", status=500)
    files = list((node.base / "logs").glob("localhost.*.log"))
    wait_until(lambda: any("RuntimeError: of a" in file.read_text() for file in files), "the traceback is in the log")
    before = node.log.count("Reloading Context with name [/log] is completed")
    reload(node, "/log")
    assert node.log.count("Reloading Context with name [/log] is completed") > before


def test_an_endless_loop_ends_with_its_stack_in_the_log_and_without_the_others(node: Node) -> None:
    others = [node.named_processes("catalina-w"), text(node, "/new")]
    assert "takes too long" in text(node, "/log", "/loop", status=503)
    assert "app.py" in node.log.partition("takes longer than requestTimeout")[2]
    assert text(node, "/log") == "configured"
    assert [node.named_processes("catalina-w"), text(node, "/new")] == others
