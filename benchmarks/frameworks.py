"""Requests per second of Flask and Django pages with the container's sessions, and with sessions in Redis.

    python benchmarks/frameworks.py [--seconds 6] [--rounds 3] [--only flask,django,plain] [--pool] [--json FILE]

A page reads one attribute of its session and writes it; 16 keep-alive connections, each with four sessions of its own,
as browsers have (with ``--pool`` all 64 come on all connections, as from a balancer), all requests to the first of two
nodes on loopback. Ours: DeltaManager with options 8 (asynchronous) and 6 (the answer waits until the other
node has applied the change), and BackupManager, each with one process and with two workers. Beside it gunicorn
(gthread, 8 threads) with one and with two workers: Flask-Session on Redis, Django's engines ``cache`` and ``cached_db``
on Redis (the latter with its table in SQLite). ``plain``: a page without a session, ours, gunicorn's and granian's. The
contenders take turns in every round, so that a busy machine is busy for all of them; the medians are printed, with CPU
time per request, and the ratios of those that serve with as many processes.

Needs: wrk, redis-server (Debian: wrk redis-server). The packages of the others are installed into a virtual environment
of their own, once.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from benchmarks.replication import Contender, as_json, idle_memory, load, print_table  # noqa: E402 -- see above
from tests.cluster.clusters import full  # noqa: E402
from tests.cluster.node import Node  # noqa: E402
from tests.support.frameworks import need_frameworks  # noqa: E402
from tests.support.ports import free_port, free_udp_port  # noqa: E402

BACKUP = '<Manager className="org.apache.catalina.ha.session.BackupManager"/>'
#: The ratios that we aim at, by the kind of page.
TARGETS = {"flask": 2.0, "django": 2.0, "plain flask": 1.0, "plain django": 1.0}

FLASK = """
import os
from flask import Flask, session
app = Flask(__name__)
app.secret_key = "benchmark"
distributable = True
if "REDIS_PORT" in os.environ:
    import redis
    from flask_session import Session
    app.config.update(SESSION_TYPE="redis", SESSION_REDIS=redis.Redis(port=int(os.environ["REDIS_PORT"])))
    Session(app)

def count():
    count = session["count"] = session.get("count", 0) + 1
    return str(count), 200, {"Content-Type": "text/plain"}

def plain():
    return "hello", 200, {"Content-Type": "text/plain"}

for start in ("", "/app"):  # gunicorn has no context path
    app.add_url_rule(f"{start}/count", f"count{start}", count)
    app.add_url_rule(f"{start}/plain", f"plain{start}", plain)
"""

DJANGO = """
import os
import django
from django.conf import settings
from django.http import HttpResponse

distributable = True
port = os.environ.get("REDIS_PORT")
chosen = {} if port is None else {
    "SESSION_ENGINE": "django.contrib.sessions.backends." + os.environ["DJANGO_ENGINE"],
    "CACHES": {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache",
                           "LOCATION": f"redis://127.0.0.1:{port}"}},
}
settings.configure(
    SECRET_KEY="benchmark",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.sessions"],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ.get("DATABASE", ":memory:"),
                           "OPTIONS": {"timeout": 20}}},
    USE_TZ=True,
    **chosen,
)
django.setup()

def count(request):
    count = request.session["count"] = request.session.get("count", 0) + 1
    return HttpResponse(str(count), content_type="text/plain")

def plain(request):
    return HttpResponse("hello", content_type="text/plain")

from django.core.handlers.wsgi import WSGIHandler
from django.urls import path

pages = {"count": count, "plain": plain}
urlpatterns = [path(start + name, page) for start in ("", "app/") for name, page in pages.items()]
app = WSGIHandler()
"""

SOURCES = {"flask": FLASK, "django": DJANGO}
MIGRATE = "import wsgi; from django.core.management import call_command; call_command('migrate', verbosity=0)"


def ours(directory: Path, framework: str, what: str, workers: int, page: str = "count") -> Contender:
    """Two nodes of ours with a framework's application; ``what`` is options 8, options 6 or BackupManager."""
    manager = {"manager": BACKUP} if what == "BackupManager" else {}
    options = 6 if what == "options 6" else 8
    cluster = full(free_udp_port(), send_options=options, **manager)
    webapp = directory.with_name(f"{directory.name}-app")
    webapp.mkdir()
    (webapp / "wsgi.py").write_text(SOURCES[framework])
    names = ("n1", "n2") if page == "count" else ("n1",)
    nodes = [Node(name, directory / name, cluster=cluster, webapp=webapp, workers=workers) for name in names]
    for node in nodes:
        node.start(wait=False)
    for node in nodes:
        node.wait_started()
    pids = {node.name: node.processes()[-1:] if workers == 1 else node.processes()[1:] for node in nodes}

    def close() -> None:
        for node in nodes:
            node.close()

    name = f"{framework}, ours, {what}" if page == "count" else f"plain {framework}, ours"
    name += f", {workers} workers" if workers > 1 else ""
    cookie = "JSESSIONID" if page == "count" else ""
    return Contender(name, nodes[0].http_port, cookie, pids, close, path=f"/app/{page}")


def served(
    directory: Path, name: str, framework: str, command: list[str], cookie: str, **environment: str
) -> Contender:
    """Another server: the words of its command, ``PORT`` for the port."""
    directory.mkdir()
    (directory / "wsgi.py").write_text(SOURCES[framework])
    port = free_port()
    values = {**os.environ, "PYTHONPATH": "", **environment}
    if environment.get("DJANGO_ENGINE") == "cached_db":
        values["DATABASE"] = str(directory / "sessions.sqlite3")
        subprocess.run([other_python(), "-c", MIGRATE], cwd=directory, env=values, check=True)
    words = [word.replace("PORT", str(port)) for word in command]
    process = subprocess.Popen([other_python(), "-m", *words], cwd=directory, env=values)
    path = "/app/count" if cookie else "/app/plain"
    wait_for(f"http://127.0.0.1:{port}{path}", name)

    def close() -> None:
        process.terminate()
        process.wait(10)

    return Contender(name, port, cookie, {"app": children_of(process.pid)}, close, path=path)


def children_of(pid: int) -> list[int]:
    """The worker processes of a server, itself when it has none."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children] or [pid]


def wait_for(url: str, name: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        command = ["curl", "-s", "-o", "/dev/null", "-m", "5", "-w", "%{http_code}", url]
        if subprocess.run(command, capture_output=True, text=True).stdout == "200":
            return
        assert time.monotonic() < deadline, f"{name} does not answer"
        time.sleep(0.1)


def gunicorn(workers: int) -> list[str]:
    return ["gunicorn", "-k", "gthread", "--threads", "8", "-w", str(workers), "-b", "127.0.0.1:PORT",
            "--keep-alive", "60", "--log-level", "error", "wsgi:app"]  # fmt: skip


def granian(workers: int) -> list[str]:
    return ["granian", "--interface", "wsgi", "--port", "PORT", "--workers", str(workers), "--blocking-threads", "8",
            "--log-level", "error", "wsgi:app"]  # fmt: skip


def other_python() -> str:
    """The Python of a virtual environment with the others, made once and kept."""
    home = Path(tempfile.gettempdir()) / "catalina-benchmark-frameworks"
    python, done = home / "bin" / "python", home / "done"
    if not done.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        packages = ["flask", "flask-session", "msgspec", "django", "redis", "gunicorn", "granian"]
        subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True)
        done.touch()
    return str(python)


def redis_server(port: int) -> Contender:
    """Redis without a disk; no contender of its own, but ended like one."""
    process = subprocess.Popen(
        ["redis-server", "--port", str(port), "--save", "", "--appendonly", "no", "--bind", "127.0.0.1"],
        stdout=subprocess.DEVNULL,
    )

    def close() -> None:
        process.terminate()
        process.wait(10)

    return Contender("redis", port, "", {"redis": [process.pid]}, close)


def makers(only: set[str], directory: Path, redis: Contender) -> list[Callable[[], Contender]]:
    """All contenders, each started when its turn to start comes."""
    made: list[Callable[[], Contender]] = []
    with_redis = {"REDIS_PORT": str(redis.port)}

    def add(make: Callable[..., Contender], *values: Any, **more: Any) -> None:
        place = directory / str(len(made))
        made.append(lambda: make(place, *values, **more))

    for framework in ("flask", "django"):
        if framework in only:
            for what in ("options 8", "options 6", "BackupManager"):
                for workers in (1, 2):
                    add(ours, framework, what, workers)
        for workers in (1, 2) if "plain" in only else ():
            add(ours, framework, "options 8", workers, page="plain")
            add(served, f"plain {framework}, gunicorn {workers}", framework, gunicorn(workers), "")
            add(served, f"plain {framework}, granian {workers}", framework, granian(workers), "")
    for workers in (1, 2):
        if "flask" in only:
            name = f"flask, gunicorn {workers} + Redis"
            add(served, name, "flask", gunicorn(workers), "session", **with_redis)
        for engine in ("cache", "cached_db") if "django" in only else ():
            name = f"django, gunicorn {workers} + {engine}"
            add(served, name, "django", gunicorn(workers), "sessionid", DJANGO_ENGINE=engine, **with_redis)
    return made


def processes_of(name: str) -> int:
    """The number of processes that serve, by a contender's name."""
    return 2 if "2" in name.rpartition(", ")[2] else 1


def print_ratios(contenders: list[Contender]) -> None:
    """Ours beside each other one that serves with as many processes."""
    print("\nratios")
    for each in contenders:
        kind, _, rest = each.name.partition(", ")
        if not rest.startswith("ours"):
            continue
        for other in contenders:
            if processes_of(other.name) != processes_of(each.name):
                continue
            if other.name.startswith(f"{kind}, ") and ", ours" not in other.name:
                goal = "" if "granian" in other.name else f"   target {TARGETS[kind]:.1f}"
                print(f"  {each.name:40} / {other.name:34} {each.rate / other.rate:6.2f}{goal}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="flask,django,plain")
    parser.add_argument("--pool", action="store_true", help="all sessions come on all connections")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # end everything that was started
    other_python()
    os.environ["PYTHONPATH"] = f"{PROJECT}:{need_frameworks()}"
    directory = Path(tempfile.mkdtemp(prefix="frameworks-"))
    redis = redis_server(free_port())
    contenders: list[Contender] = []
    try:
        for make in makers(set(arguments.only.split(",")), directory, redis):
            contenders.append(replace(make(), browsers=not arguments.pool))
            print(f"{contenders[-1].name}: {idle_memory(contenders[-1]):.0f} MiB resident", flush=True)
        for number in range(arguments.rounds):
            for contender in contenders:
                load(contender, 1, count=False)
                load(contender, arguments.seconds)
                print(f"round {number + 1}: {contender.name}: {contender.rates[-1]:.0f} req/s", flush=True)
    finally:
        for contender in [*contenders, redis]:
            contender.close()
        shutil.rmtree(directory, ignore_errors=True)
    print_table(contenders)
    print_ratios(contenders)
    if arguments.json:
        arguments.json.write_text(json.dumps(as_json(contenders, {}), indent=1))


if __name__ == "__main__":
    main()
