"""Applications whose processes run as users of their own, as real processes: what they can do, and what they cannot."""

from __future__ import annotations

import base64
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.cluster import test_workers
from tests.cluster.node import Node
from tests.support.needs import need_root
from tests.support.waiting import wait_until

pytestmark = pytest.mark.cluster

#: Two users that every Debian has.
SHOP, OTHER = "daemon", "games"
#: In server.xml, in tomcat-users.xml, and in the environment of the server.
SECRET, USER_SECRET, VARIABLE = "resource-4711-secret", "login-4712-secret", "variable-4713-secret"

APPLICATION = '''
import gc, json, os, resource, socket, stat, struct, sys, tempfile, urllib.parse

def frames_of(keep, *said):
    """Say frames to the keeper after the HELLO of this process; the frames that it answers, as long as it does."""
    gc.unfreeze()
    queries = next(each for each in gc.get_objects() if type(each).__name__ == "KeeperQueries")
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(10)
    sock.connect(queries._address)
    sock.sendall(keep(queries._hello))
    found = []
    for kind, payload in said:
        sock.sendall(struct.pack(">IBI", len(payload), kind, 1) + payload)
        head = sock.recv(9, socket.MSG_WAITALL)
        if len(head) < 9:
            found.append("closed")
            break
        size, kind, number = struct.unpack(">IBI", head)
        found.append((kind, number, sock.recv(size, socket.MSG_WAITALL) if size else b""))
    sock.close()
    return found

def call(service, argument):
    return (12, struct.pack(">H", len(service)) + service.encode() + json.dumps(argument).encode())

def application(environ, start_response):
    code = urllib.parse.unquote(environ.get("QUERY_STRING") or "")
    try:
        answer = eval(code, {**globals(), "environ": environ, "session": environ["catalina.session"]}) if code else 0
    except BaseException as error:
        answer = f"{type(error).__name__}: {error}"
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(answer).encode()]
'''

DESCRIPTOR = """<Context user="{user}" umask="0077" maxOpenFiles="300" maxProcesses="400" maxAddressSpace="4G"
    requestTimeout="60000"><Environment name="SHOP_MODE" value="test" type="java.lang.String"/></Context>"""
LOGIN_XML = test_workers.WEB_XML.replace(
    "</web-app>",
    """<security-constraint><web-resource-collection><web-resource-name>in</web-resource-name>
    <url-pattern>/in/*</url-pattern></web-resource-collection><auth-constraint><role-name>buyer</role-name>
    </auth-constraint></security-constraint><login-config><auth-method>BASIC</auth-method></login-config></web-app>""",
)
ENGINE = f"""<Realm className="org.apache.catalina.realm.MemoryRealm"/>
<Valve className="org.apache.catalina.valves.AccessLogValve" prefix="access" suffix=".txt" pattern="common"
    buffered="false"/>
<!-- password {SECRET} in a comment -->"""


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    """``/app`` has the user SHOP, ``/other`` the user OTHER, ``/all`` none."""
    need_root()
    directory = Path(tempfile.mkdtemp(prefix="pool-users-"))
    directory.chmod(0o755)
    shop = test_workers.write_application(directory / "shop", web_xml=LOGIN_XML, source=APPLICATION)
    node = Node("n1", directory / "n1", webapp=shop, workers=1, engine_cluster=ENGINE)
    conf = node.base / "conf"
    server = conf / "server.xml"
    server.write_text(
        server.read_text().replace(
            "<Service",
            f'<GlobalNamingResources><Resource name="db" type="javax.sql.DataSource" url="jdbc:sqlite:x" '
            f'username="sa" password="{SECRET}"/></GlobalNamingResources><Service',
            1,
        )
    )
    (conf / "tomcat-users.xml").write_text(
        f'<tomcat-users><user username="anna" password="{USER_SECRET}" roles="buyer"/></tomcat-users>'
    )
    for name, user in (("app", SHOP), ("other", OTHER), ("all", None)):
        if name != "app":
            shutil.copytree(shop, node.base / "webapps" / name)
        text = "<Context/>" if user is None else DESCRIPTOR.format(user=user)
        file = conf / "Catalina" / "localhost" / f"{name}.xml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        application = node.base / "webapps" / name
        for each in (application, *application.rglob("*")):
            each.chmod(0o750 if each.is_dir() else 0o640)
    conf.chmod(0o750)
    node.options = "-Dcatalina.keeper=true"
    os.environ["SHOP_SERVER_PASSWORD"] = VARIABLE
    try:
        node.start(wait=False)
        wait_until(lambda: all(serves(node, app) for app in ("/app", "/other", "/all")), "it serves", seconds=60)
        yield node
    finally:
        del os.environ["SHOP_SERVER_PASSWORD"]
        if node.process is not None and node.process.poll() is None:
            node.stop()
        node.close()
        shutil.rmtree(directory)


def serves(node: Node, app: str) -> bool:
    try:
        return node.get("/", app=app).status == 200
    except OSError:
        return False


def ask(node: Node, code: str, app: str = "/app", session: str | None = None) -> str:
    """The value of an expression in an application's process."""
    answer = node.get(f"/?{quote(code)}", session, app=app, timeout=30)
    assert answer.status == 200, answer
    return answer.body.decode()


def status_of(node: Node, name: str, app: str = "/app") -> str:
    text = ask(node, "open('/proc/self/status').read()", app)
    found = re.search(rf"^{name}:\s*(.*)$", text, re.MULTILINE)
    assert found is not None
    return found[1]


def test_it_is_its_user_for_good(node: Node) -> None:
    for app, name in (("/app", SHOP), ("/other", OTHER)):
        known = pwd.getpwnam(name)
        assert status_of(node, "Uid", app).split() == [str(known.pw_uid)] * 4
        assert status_of(node, "Gid", app).split() == [str(known.pw_gid)] * 4
        assert status_of(node, "Groups", app).split() == [str(known.pw_gid)]
        assert (status_of(node, "NoNewPrivs", app), int(status_of(node, "CapEff", app), 16)) == ("1", 0)
        assert ask(node, "os.setuid(0)", app).startswith("PermissionError")
        assert ask(node, "os.setgid(0)", app).startswith("PermissionError")
    assert status_of(node, "Uid", "/all").split() == ["0"] * 4


def test_its_umask_and_limits_hold(node: Node) -> None:
    assert status_of(node, "Umask") == "0077"
    assert ask(node, "resource.getrlimit(resource.RLIMIT_NOFILE)") == "(300, 300)"
    assert ask(node, "resource.getrlimit(resource.RLIMIT_NPROC)") == "(400, 400)"
    assert ask(node, "resource.getrlimit(resource.RLIMIT_AS)") == f"({4 * 2**30}, {4 * 2**30})"
    assert ask(node, "resource.getrlimit(resource.RLIMIT_CORE)") == "(0, 0)"
    assert ask(node, "[os.dup(0) for _ in range(400)]").startswith("OSError")
    assert ask(node, "bytearray(6 * 2**30)").startswith("MemoryError")


def test_its_temporary_directory_is_its_own_and_goes_with_it(node: Node) -> None:
    place = Path(ask(node, "tempfile.gettempdir()"))
    assert str(place) == ask(node, "os.environ['TMPDIR']")
    for directory in (place, place.parent):
        status = directory.stat()
        assert (status.st_uid, status.st_mode & 0o777) == (pwd.getpwnam(SHOP).pw_uid, 0o700)
    assert ask(node, f"os.listdir({str(place)!r})", "/other").startswith("PermissionError")
    assert ask(node, "len(tempfile.mkdtemp()) > 1") == "True"
    before = int(ask(node, "os.getpid()"))
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: int(ask(node, "os.getpid()")) != before, "another process serves it", seconds=30)
    wait_until(lambda: not place.parent.exists(), "the directory has gone", seconds=10)


def test_it_has_the_variables_of_its_application_and_none_of_the_server(node: Node) -> None:
    assert ask(node, "os.environ['SHOP_MODE'], os.environ['USER']") == f"('test', '{SHOP}')"
    assert VARIABLE not in ask(node, "open('/proc/self/environ').read()")
    assert "SHOP_SERVER_PASSWORD" not in ask(node, "dict(os.environ)")


def test_it_cannot_read_the_server_or_other_applications(node: Node) -> None:
    conf, webapps = node.base / "conf", node.base / "webapps"
    for path in (
        conf / "server.xml",
        conf / "tomcat-users.xml",
        conf / "Catalina" / "localhost" / "other.xml",
        webapps / "other" / "WEB-INF" / "web.xml",
        webapps / "all" / "WEB-INF" / "classes" / "counting.py",
        next((node.base / "logs").glob("access*")),
    ):
        assert path.exists()
        assert ask(node, f"open({str(path)!r}).read()").startswith("PermissionError"), path
    for directory in (conf, webapps / "other", node.base / "work" / "Catalina" / "localhost" / "other"):
        assert ask(node, f"os.listdir({str(directory)!r})").startswith("PermissionError"), directory
    assert "def application" in ask(node, f"open({str(webapps / 'app' / 'WEB-INF/classes/counting.py')!r}).read()")
    other = int(ask(node, "os.getpid()", "/other"))
    assert ask(node, f"open('/proc/{other}/mem', 'rb')").startswith("PermissionError")


def memory_of(process: int) -> Iterator[bytes]:
    """The readable memory of a process, in pieces that overlap."""
    with open(f"/proc/{process}/mem", "rb", buffering=0) as memory:
        for line in Path(f"/proc/{process}/maps").read_text().splitlines():
            bounds, rights, *_ = line.split()
            start, end = (int(each, 16) for each in bounds.split("-"))
            if "r" not in rights or end > 2**63:
                continue
            try:
                memory.seek(start)
                yield memory.read(end - start)
            except OSError:
                continue  # the kernel's own pages


def holds(process: int, text: str) -> bool:
    wanted = text.encode()
    return any(wanted in piece or text.encode("utf-16-le") in piece for piece in memory_of(process))


def test_no_secret_of_the_server_is_in_its_memory(node: Node) -> None:
    process = int(ask(node, "os.getpid()"))
    (keeper,) = node.named_processes("catalina-keeper")
    assert holds(keeper, SECRET), "the search finds what is there"
    assert holds(process, "SHOP_MODE")
    for secret in (SECRET, USER_SECRET, VARIABLE):
        assert not holds(process, secret), secret


def test_it_has_no_connection_of_a_client_and_no_port(node: Node) -> None:
    process = int(ask(node, "os.getpid()"))
    inodes = set()
    for name in os.listdir(f"/proc/{process}/fd"):
        target = os.readlink(f"/proc/{process}/fd/{name}")
        assert target.startswith(("socket:", "pipe:", "anon_inode:", "/dev/null", "/memfd:", "/proc")), target
        if target.startswith("socket:"):
            inodes.add(target[8:-1])
    for table in ("tcp", "tcp6", "udp", "udp6"):
        rows = Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        assert not inodes & {row.split()[9] for row in rows}


def test_its_sessions_survive_its_process(node: Node) -> None:
    counted = "session.__setitem__('count', session.get('count', 0) + 1) or session['count']"
    first = node.get(f"/?{quote(counted)}")
    assert first.body == b"1"
    assert first.session_id is not None
    assert ask(node, counted, session=first.session_id) == "2"
    os.kill(int(ask(node, "os.getpid()")), signal.SIGKILL)
    wait_until(lambda: serves(node, "/app"), "another process serves it", seconds=30)
    assert ask(node, counted, session=first.session_id) == "3"


def test_a_login_is_checked_by_the_keeper(node: Node) -> None:
    def log_in(password: str) -> int:
        text = base64.b64encode(f"anna:{password}".encode()).decode()
        return node.get("/in/", Authorization=f"Basic {text}").status

    assert node.get("/in/").status == 401
    assert log_in("wrong") == 401
    assert log_in(USER_SECRET) == 200


def test_it_is_told_nothing_of_other_applications(node: Node) -> None:
    """A hostile process says what it likes on its socket: first as itself, then as others."""
    set_it = quote("session.__setitem__('cart', 'other')")
    foreign = node.get(f"/?{set_it}", app="/other").session_id
    key = "Catalina/localhost//other"
    question = (
        "(6, struct.pack('>H', len(key)) + key.encode() + __import__('catalina.tribes.ledger.wire', fromlist=['x'])"
        ".encode_question(session_id))"
    )
    asked = f"(lambda key, session_id: frames_of(bytes, {question}))({key!r}, {foreign!r})"
    assert ask(node, asked) == "[(7, 0, b'')]"
    assert ask(node, asked, "/other").startswith("[(7, ")
    assert "other" in ask(node, asked, "/other"), "its own application's session"
    for service, argument in (
        ("launch", None),
        ("bean-changes", None),
        ("sign-on", ["Catalina#SingleSignOn0", "get", "A", None]),
        ("knows-session", [key, foreign]),
        ("holder", [key, foreign]),
        ("state", ["FailedLogins", "Catalina#LockOutRealm /realm0", "forget", ["anna"]]),
        ("login", {"key": key, "how": "name", "facts": ["anna"]}),
        ("reload", {"key": key, "serial": 1, "by_command": True}),
        ("container-request", {"key": key, "servlet": "x", "environ": {}, "body": "/etc/shadow"}),
    ):
        answer = ask(node, f"frames_of(bytes, call({service!r}, {argument!r}))")
        assert "has no right to call" in answer, (service, answer)
    table = ask(node, "frames_of(bytes, call('join', None))")
    assert "/app" in table
    assert "other" not in table
    # another worker's number, no token, a wrong token
    for change in (
        "lambda hello: hello[:11] + bytes((hello[11], hello[12] + 1)) + hello[13:]",
        "lambda hello: struct.pack('>IBI', 8, 1, 0) + hello[9:17]",
        "lambda hello: hello[:-1] + b'?'",
    ):
        answer = ask(node, f"frames_of({change}, call('join', None))")
        assert "closed" in answer or "ConnectionResetError" in answer or "BrokenPipeError" in answer, answer
    assert "Refused: worker [p" in node.log
    assert ask(node, "session.get('cart')", "/other", foreign) == "other"


def test_a_process_of_the_user_without_the_token_is_let_go(node: Node) -> None:
    """Whoever else runs as that user can reach the socket."""
    address = ask(
        node, "gc.unfreeze() or next(o._address for o in gc.get_objects() if type(o).__name__ == 'KeeperQueries')"
    )
    code = f"""
import socket, struct
sock = socket.socket(socket.AF_UNIX); sock.settimeout(10); sock.connect({address})
sock.sendall(struct.pack(">IBIBBHI", 8, 1, 0, 1, 1, 512, 1))
print(sock.recv(1))
"""
    user = pwd.getpwnam(SHOP)
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, timeout=30, user=user.pw_uid,
        group=user.pw_gid, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == "b''" or "ConnectionResetError" in done.stderr, done


def test_the_access_log_is_written_by_the_server(node: Node) -> None:
    assert ask(node, "1 + 1") == "2"
    written = next((node.base / "logs").glob("access*.txt"))
    wait_until(lambda: "GET /app/?1%20%2B%201" in written.read_text(), "the line", seconds=10)
    assert written.stat().st_uid == 0


def test_a_reload_is_a_new_process_of_the_user(node: Node) -> None:
    before = ask(node, "os.getpid()")
    done = node.catalina("reload", "/app")
    assert done.returncode == 0, done.stdout + done.stderr
    after = ask(node, "os.getpid()")
    assert after != before
    assert status_of(node, "Uid").split()[0] == str(pwd.getpwnam(SHOP).pw_uid)
    wait_until(lambda: not Path(f"/proc/{before}").exists(), "the old process has ended", seconds=30)


def test_an_applications_own_file_chooses_no_user(node: Node, tmp_path: Path) -> None:
    chosen = test_workers.write_application(tmp_path / "chosen", '<Context user="games"/>', source=APPLICATION)
    archive = shutil.make_archive(str(tmp_path / "chosen"), "zip", chosen)
    done = node.catalina("deploy", archive)
    assert done.returncode != 0
    assert "an application with META-INF/context.xml cannot have a user" in done.stdout + done.stderr
    node.catalina("undeploy", "/chosen")
