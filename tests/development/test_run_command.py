"""``catalina run``, as processes."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from pathlib import Path

import pytest

from catalina.development import run_command
from catalina.development.new_command import write_project
from tests.deploy.archives import make_wheel
from tests.development.running import COUNTER, Running, running
from tests.support.frameworks import need_frameworks
from tests.support.waiting import wait_until

pytestmark = pytest.mark.cluster


@pytest.fixture
def counter(tmp_path: Path) -> Path:
    """A directory with the counter."""
    directory = tmp_path / "counter"
    directory.mkdir()
    (directory / "wsgi.py").write_text(COUNTER)
    (directory / "word.py").write_text('word = "one"\n')
    return directory


def test_a_directory_is_served_reloaded_with_its_sessions_and_leaves_nothing(
    counter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with running(".", "--path", "/shop", "--reload", directory=counter, environment={"TMPDIR": str(temporary)}) as run:
        run.ready()
        assert [run.get("/shop/"), run.get("/shop/")] == ["one 1", "one 2"]
        (counter / "word.py").write_text('word = "two"\n')
        run.wait_for("word.py: reloading")
        wait_until(lambda: run.request("/shop/echo")[0] == 200 and run.get("/shop/").startswith("two"), "new code", 60)
        assert int(run.get("/shop/").split()[1]) >= 4
        (counter / "word.py").write_text("word = (\n")
        run.wait_for("SyntaxError")
        (counter / "word.py").write_text('word = "three"\n')
        wait_until(lambda: run.request("/shop/")[1].startswith("three"), "code without the mistake", 60)
        assert '"GET /shop/ HTTP/1.1" 200' in run.output
        assert run.end() == 0
    assert [name for name in os.listdir(temporary) if name.startswith("catalina-run-")] == []
    assert sorted(path.name for path in counter.iterdir() if path.name != "__pycache__") == ["word.py", "wsgi.py"]


def test_the_traceback_is_for_this_machine_only(counter: Path) -> None:
    with running("wsgi:application", directory=counter) as run:
        run.ready()
        status, page, _ = run.request("/boom")
        assert status == 500
        assert "raise RuntimeError(&quot;what nobody else may see&quot;)" in page
        for headers in ({"X-Forwarded-For": "192.0.2.1"}, {"Host": "evil.example"}):
            status, page, _ = run.request("/boom", headers=headers)
            assert status == 500
            assert "nobody else" not in page
            assert "RuntimeError" not in page


FLASK = """
from flask import Flask

app = Flask(__name__)


@app.get("/boom")
def boom():
    raise RuntimeError("inside of a view")
"""


def test_flask_gives_its_traceback_to_this_machine_only(tmp_path: Path) -> None:
    (tmp_path / "hello.py").write_text(FLASK)
    environment = {"PYTHONPATH": str(need_frameworks())}
    with running("hello.py", directory=tmp_path, environment=environment) as run:
        run.ready()
        assert "raise RuntimeError(&quot;inside of a view&quot;)" in run.request("/boom")[1]
        status, page, _ = run.request("/boom", headers={"X-Forwarded-For": "192.0.2.1"})
        assert status == 500
        assert "RuntimeError" not in page


ASGI = """
async def application(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"asynchronous"})
"""


def test_an_asgi_application_is_wrapped_and_the_log_says_what_works(tmp_path: Path) -> None:
    (tmp_path / "hello.py").write_text(ASGI)
    with running("hello.py", directory=tmp_path, environment={"PYTHONPATH": str(need_frameworks())}) as run:
        run.ready()
        assert run.get("/") == "asynchronous"
        assert "a2wsgi serves it: requests and streamed answers, but no WebSocket and no lifespan" in run.output


def test_a_django_project_is_loaded_anew_with_its_sessions(tmp_path: Path) -> None:
    project = write_project(tmp_path, "shop", "django")
    with running(".", "--reload", directory=project, environment={"PYTHONPATH": str(need_frameworks())}) as run:
        run.ready()
        assert "This is visit 1." in run.get("/")
        page, views = project / "shop" / "templates" / "index.html", project / "shop" / "views.py"
        page.write_text(page.read_text().replace("This is visit", "Now it is visit"))
        views.write_text(views.read_text().replace("visits: ", "so far: "))
        wait_until(lambda: answer_of(run, "/look") == "so far: 1", "the new view", 60)
        assert "Now it is visit 2." in run.get("/")


def answer_of(run: Running, path: str) -> str:
    """The body, empty as long as nobody listens."""
    with contextlib.suppress(OSError):
        return run.request(path)[1]
    return ""


COUNTING = """
def application(environ, start_response):
    session = environ["catalina.session"]
    session["count"] = session.get("count", 0) + 1
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{WORD} {session['count']}".encode()]
"""


@pytest.mark.parametrize("group", [[], ["--cluster", "2"]])
def test_a_wheel_is_served_and_a_new_one_takes_its_place_with_its_sessions(tmp_path: Path, group: list[str]) -> None:
    def build(word: str) -> Path:
        files = {"shop.py": f"WORD = {word!r}\n{COUNTING}"}
        return make_wheel(
            tmp_path / "dist", "shop", "1", files, entry_point=("shop", "shop:application"), distributable=True
        )

    with running(str(build("one")), "--reload", *group, directory=tmp_path) as run:
        run.wait_for("who served" if group else "Serving ")
        assert [run.get("/"), run.get("/")] == ["one 1", "one 2"]
        build("two")
        run.wait_for("shop-1-py3-none-any.whl: reloading")
        wait_until(lambda: run.request("/")[1].startswith("two"), "the new wheel", 60)
        assert int(run.get("/").split()[1]) >= 4
        assert "WARNING" not in run.output
        assert "may travel" not in run.output


def test_a_group_says_that_the_sessions_of_an_archive_do_not_travel(tmp_path: Path) -> None:
    files = {"shop.py": f"WORD = 'one'\n{COUNTING}"}
    wheel = make_wheel(tmp_path / "dist", "shop", "1", files, entry_point=("shop", "shop:application"))
    with running(str(wheel), "--cluster", "2", directory=tmp_path) as run:
        run.wait_for("who served")
        assert "does not say that its sessions may travel" in run.output


@pytest.mark.parametrize("application", [".", "wsgi:application"])
def test_what_does_not_start_ends_with_its_reason(counter: Path, application: str) -> None:
    (counter / "word.py").write_text("import nowhere\n")
    with running(application, directory=counter) as run:
        assert run.process.wait(90) == 1
        assert "No module named 'nowhere'" in run.output
        assert "word.py" in run.output
        assert run.output.endswith("catalina run: nothing to serve\n")


def test_a_port_that_is_taken_is_named(counter: Path) -> None:
    with running(".", directory=counter) as run:
        run.ready()
        assert run_command.main([str(counter), "--port", str(run.port)]) == 1


def test_a_number_of_workers_that_is_none_is_refused_in_one_line(
    counter: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        run_command.main([str(counter), "--workers", "some"])
    assert caught.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        "catalina run: error: argument --workers: some: expected auto, or a number from 1 to 512"
    )


def test_workers_are_reloaded_one_by_one_and_keep_the_sessions(counter: Path) -> None:
    code = (counter / "wsgi.py").read_text()
    (counter / "wsgi.py").write_text(f"distributable = True\n{code}")
    with running(".", "--workers", "2", "--reload", directory=counter) as run:
        run.ready()
        assert "with 2 workers" in run.output
        processes = two_processes(run, "one")
        assert [run.get("/"), run.get("/")] == ["one 1", "one 2"]
        cookie, run.cookie = run.cookie, ""
        (counter / "word.py").write_text('word = "two"\n')
        assert two_processes(run, "two") == processes
        run.cookie = cookie
        assert run.get("/") == "two 3"
        assert "raise RuntimeError(" in run.request("/boom")[1]
        assert run.end() == 0


def two_processes(run: Running, word: str) -> set[str]:
    """The processes with that code, once there are two."""
    seen: set[str] = set()

    def both() -> bool:
        process, _, code = run.request("/process")[1].partition(" ")
        seen.update({process} if code == word else ())
        return len(seen) == 2

    wait_until(both, f"{word} in two processes", 60)
    return seen


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--cluster", "1"], "--cluster 1: expected 2 to 9 nodes"),
        (
            ["--cluster", "2", "--address", "0.0.0.0"],
            "--cluster is for this machine only: --address 0.0.0.0 is no loop",
        ),
    ],
)
def test_what_cannot_be_is_refused(
    counter: Path, words: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command.main([str(counter), *words]) == 1
    assert reason in capsys.readouterr().err


def test_a_session_goes_on_when_a_key_kills_its_node_of_two_workers_and_another_key_revives_it(counter: Path) -> None:
    with running(".", "--cluster", "2", "--workers", "2", directory=counter, in_terminal=True) as run:
        run.wait_for("a node's number kills or revives it, q ends")
        assert "with 2 workers in each node" in run.output
        assert [run.get("/"), run.get("/")] == ["one 1", "one 2"]
        first = run.request("/echo")[2]["X-Served-By"]
        second = "node2" if first == "node1" else "node1"
        session = run.cookie.partition("=")[2].partition(".")[0]
        cells = re.sub("<[^>]*>", "|", run.get("/.catalina/"))
        assert re.search(rf"{session[:12]}\|+{first}\|+{second}\|", cells), cells
        run.press(first[-1])
        run.wait_for(f"{first} is dead")
        assert run.get("/") == "one 3"
        run.press(first[-1])
        run.wait_for(f"{first} is back")
        run.press(second[-1])
        run.wait_for(f"{second} is dead")
        assert run.get("/") == "one 4"
        run.press("q")
        assert run.process.wait(90) == 0


def test_a_session_goes_on_when_the_page_kills_its_node_and_the_killed_one_comes_back(counter: Path) -> None:
    with running(".", "--cluster", "2", "--reload", directory=counter) as run:
        run.wait_for("who served and who holds the backup")
        assert [run.get("/"), run.get("/")] == ["one 1", "one 2"]
        first = run.request("/echo")[2]["X-Served-By"]
        second = "node2" if first == "node1" else "node1"
        page = run.get("/.catalina/")
        session = run.cookie.partition("=")[2].partition(".")[0]
        cells = re.sub("<[^>]*>", "|", page)
        assert re.search(rf"{session[:12]}\|+{first}\|+{second}\|", cells), cells
        press(run, page, f"kill/{first}")
        run.wait_for(f"{first} is dead")
        assert run.get("/") == "one 3"
        assert run.request("/echo")[2]["X-Served-By"] == second
        press(run, page, f"revive/{first}")
        run.wait_for(f"{first} is back")
        (counter / "word.py").write_text('word = "two"\n')
        wait_until(lambda: run.get("/").startswith("two"), "new code", 60)
        assert int(run.get("/").split()[1]) >= 5
        assert run.request("/echo", "POST", b"x" * 200_000)[1] == "x" * 200_000
        run.process.send_signal(signal.SIGTERM)
        assert run.process.wait(90) == 128 + signal.SIGTERM


def press(run: Running, page: str, button: str) -> None:
    token = re.search('name="token" value="([^"]+)"', page)
    assert token is not None
    status, _, _ = run.request(f"/.catalina/{button}", "POST", f"token={token[1]}".encode())
    assert status == 303
    assert run.request(f"/.catalina/{button}", "POST", b"token=x")[0] == 403
