"""Logins at the real Tomcat and at ours, step by step: every answer has the same status, fields and body."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterator
from urllib.parse import urlencode, urlsplit

import pytest

from tests.interop.access.twin_sites import Site, both
from tests.interop.differential.raw_client import Answer, ask

pytestmark = pytest.mark.interop

COMPARED = (
    "www-authenticate", "location", "set-cookie", "cache-control", "pragma", "expires", "allow", "content-type",
    "authentication-info", "access-control-allow-origin",
)  # fmt: skip


def constraint(pattern: str, *roles: str, methods: str = "", guarantee: str = "", auth: bool = True) -> str:
    named = "".join(f"<role-name>{role}</role-name>" for role in roles)
    asked = f"<auth-constraint>{named}</auth-constraint>" if auth else ""
    data = (
        f"<user-data-constraint><transport-guarantee>{guarantee}</transport-guarantee></user-data-constraint>"
        if guarantee
        else ""
    )
    return (
        f"<security-constraint><web-resource-collection><web-resource-name>x</web-resource-name>"
        f"<url-pattern>{pattern}</url-pattern>{methods}</web-resource-collection>{asked}{data}</security-constraint>"
    )


RULES = (
    constraint("/user/*", "user")
    + constraint("/admin/*", "admin")
    + constraint("/any/*", "*")
    + constraint("/known/*", "**")
    + constraint("/nobody/*")
    + constraint("/open/*", auth=False)
    + constraint("*.secret", "admin")
    + constraint("/user/exact.txt", "admin")
    + constraint("/get/*", "user", methods="<http-method>GET</http-method>")
    + constraint("/notget/*", "user", methods="<http-method-omission>GET</http-method-omission>")
    + constraint("/tls/*", "user", guarantee="CONFIDENTIAL")
    + constraint("/nottls/*", "user", guarantee="NONE")
    + "<security-role><role-name>user</role-name></security-role>"
    + "<security-role><role-name>admin</role-name></security-role>"
)
FILES = {
    f"{directory}/a.txt": f"{directory}\n"
    for directory in ("user", "admin", "any", "known", "nobody", "open", "get", "notget", "tls", "nottls", "plain")
} | {"user/exact.txt": "exact\n", "user/a.secret": "secret\n", "index.html": "index\n"}


def login_config(method: str, more: str = "") -> str:
    return f"<login-config><auth-method>{method}</auth-method>{more}</login-config>"


def application(login: str, **files: str) -> dict[str, str]:
    return {**FILES, **files, "WEB-INF/web.xml": RULES + login}


FORM = (
    "<form-login-config><form-login-page>/login.html</form-login-page><form-error-page>/error.html</form-error-page>"
    "</form-login-config>"
)
APPS = {
    "basic": application(login_config("BASIC", '<realm-name>My "realm"</realm-name>')),
    "noname": application(login_config("BASIC")),
    "digest": application(login_config("DIGEST", "<realm-name>digest realm</realm-name>")),
    "form": application(
        login_config("FORM", FORM),
        **{"login.html": "please log in\n", "error.html": "wrong\n"},
    ),
    "landing": application(
        login_config("FORM", FORM),
        **{
            "login.html": "please log in\n",
            "error.html": "wrong\n",
            "META-INF/context.xml": '<Context><Valve className="org.apache.catalina.authenticator.FormAuthenticator"'
            ' landingPage="/open/a.txt"/></Context>',
        },
    ),
    "denied": application("<deny-uncovered-http-methods/>" + login_config("BASIC")),
    "none": application(""),
    "cert": application(login_config("CLIENT-CERT")),
    "always": application(
        login_config("BASIC"),
        **{
            "META-INF/context.xml": '<Context preemptiveAuthentication="true"><Valve'
            ' className="org.apache.catalina.authenticator.BasicAuthenticator" alwaysUseSession="true"/></Context>'
        },
    ),
}  # fmt: skip


class Client:
    """Keeps cookies; notes each answer as it must be on both sides."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.cookies: dict[str, str] = {}
        self.seen: list[object] = []

    def ask(
        self, method: str, target: str, *headers: str, form: dict[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        fields = list(headers)
        if self.cookies:
            fields.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        if form is not None:
            fields.append("Content-Type: application/x-www-form-urlencoded")
            body = urlencode(form).encode()
        answer = ask(self.site.port, method, target, tuple(fields), body)
        self.seen.append((method, self._same(target), self._shape(answer)))
        for line in answer.all("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    def get(self, target: str, *headers: str) -> Answer:
        return self.ask("GET", target, *headers)

    def follow(self, answer: Answer) -> Answer:
        parts = urlsplit(answer.get("location") or "")
        return self.get(parts.path + (f"?{parts.query}" if parts.query else ""))

    def _shape(self, answer: Answer) -> object:
        fields = {name: [self._same(value) for value in answer.all(name)] for name in COMPARED}
        fields["allow"] = sorted(", ".join(fields["allow"]).split(", "))
        body = re.sub(rb"<h3>[^<]*</h3>", b"", answer.body)
        return answer.status, {name: values for name, values in fields.items() if values}, body

    def _same(self, text: str) -> str:
        text = text.replace(f":{self.site.port}", ":PORT")
        text = re.sub(r'(nonce|opaque)="[^"]+"', r'\1="X"', text)
        return re.sub(r"[0-9A-F]{32}", "ID", text)


def basic(name: str, password: str, charset: str = "utf-8", scheme: str = "Basic") -> str:
    return f"Authorization: {scheme} " + base64.b64encode(f"{name}:{password}".encode(charset)).decode()


def digest(answer: Answer, name: str, password: str, method: str, target: str, number: int = 1, **changed: str) -> str:
    """The client's part of RFC 7616."""
    challenge = next(line for line in answer.all("www-authenticate") if changed.get("algorithm", "SHA-256") in line)
    said = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    algorithm = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}[changed.get("algorithm", "SHA-256")]

    def hashed(text: str) -> str:
        return algorithm(text.encode()).hexdigest()

    values = {
        "username": name, "realm": said["realm"], "nonce": said["nonce"], "uri": target, "nc": f"{number:08x}",
        "cnonce": "0a4f113b", "qop": "auth", "opaque": said["opaque"], **changed,
    }  # fmt: skip
    first = hashed(f"{name}:{said['realm']}:{password}")
    second = hashed(f"{method}:{values['uri']}")
    values["response"] = hashed(f"{first}:{values['nonce']}:{values['nc']}:{values['cnonce']}:{values['qop']}:{second}")
    values.setdefault("algorithm", "SHA-256")
    values.update({key: value for key, value in changed.items() if key == "response"})
    bare = ("nc", "qop", "algorithm")
    return "Authorization: Digest " + ", ".join(
        f"{key}={value}" if key in bare else f'{key}="{value}"' for key, value in values.items()
    )


JOE, ANN, MAX = basic("joe", "secret"), basic("ann", "pass:word"), basic("max", "x")


# -- the flows --------------------------------------------------------------------------------------------------------


def rules(client: Client) -> None:
    paths = [f"/basic/{name}" for name in FILES] + ["/basic", "/basic/", "/basic/nope", "/basic/user", "/basic/user/",
             "/basic/user/nope", "/basic/user/../admin/a.txt", "/basic/user;x=1/a.txt", "/basic/%75ser/a.txt",
             "/basic//user/a.txt", "/basic/user/deep/x.secret", "/basic/USER/a.txt"]  # fmt: skip
    for path in paths:
        for who in ((), (JOE,), (ANN,), (MAX,)):
            client.cookies.clear()
            client.get(path, *who)


def methods(client: Client) -> None:
    for app in ("basic", "denied"):
        for directory in ("get", "notget", "user", "nobody", "tls"):
            for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "BREW"):
                client.ask(method, f"/{app}/{directory}/a.txt")
                client.ask(method, f"/{app}/{directory}/a.txt", JOE)
                client.cookies.clear()


def odd_basic(client: Client) -> None:
    for line in (
        "Authorization: Basic", "Authorization: Basic ", "Authorization: Basic ====", "Authorization: Basic am9l",
        "Authorization: Basic !!!", "Authorization: Bearer abc", "Authorization: digest x", "Authorization:",
        basic("joe", "secret", scheme="basic"), basic("joe", "secret", scheme="BASIC"), basic("joe", "secret") + "  ",
        basic(" joe ", "secret"), basic("joe", " secret "), basic("", ""), basic("joe", ""), basic("", "secret"),
        basic("jörg", "gehéim"), basic("jörg", "gehéim", "iso-8859-1"), basic("ann", "pass"), basic("JOE", "secret"),
        basic("joe", "secret").replace("Basic ", "Basic    "), basic("joe", "secret").rstrip("="),
        basic("joe", "x" * 3000),
    ):  # fmt: skip
        client.cookies.clear()
        client.get("/basic/user/a.txt", line)
    client.cookies.clear()
    client.get("/basic/user/a.txt", JOE, ANN)


def basic_sessions(client: Client) -> None:
    client.get("/always/user/a.txt", JOE)
    client.get("/always/user/a.txt")
    client.get("/always/admin/a.txt")
    client.get("/always/open/a.txt")
    client.cookies["JSESSIONID"] = "0" * 32
    client.get("/always/user/a.txt")
    client.get("/always/user/a.txt", ANN)


def preemptive(client: Client) -> None:
    for app in ("always", "basic", "none", "digest", "form"):
        client.get(f"/{app}/plain/a.txt", JOE)
        client.get(f"/{app}/plain/a.txt", basic("joe", "wrong"))
        client.cookies.clear()


def no_name(client: Client) -> None:
    client.get("/noname/user/a.txt")
    client.get("/noname/user/a.txt", "Origin: http://example.org")


def no_method(client: Client) -> None:
    for directory in ("user", "open", "nobody", "any", "known", "plain"):
        client.get(f"/none/{directory}/a.txt")
        client.get(f"/none/{directory}/a.txt", JOE)


def certificates(client: Client) -> None:
    client.get("/cert/user/a.txt")
    client.get("/cert/open/a.txt")
    client.get("/cert/nobody/a.txt")


def digest_login(client: Client) -> None:
    uri = "/digest/user/a.txt"
    for algorithm in ("SHA-256", "MD5"):
        answer = client.get(uri)
        client.get(uri, digest(answer, "joe", "secret", "GET", uri, algorithm=algorithm))
        client.get(uri, digest(answer, "joe", "secret", "GET", uri, 2, algorithm=algorithm))
        client.get(uri, digest(answer, "joe", "secret", "GET", uri, 2, algorithm=algorithm))
        client.ask("HEAD", uri, digest(answer, "joe", "secret", "HEAD", uri, 3, algorithm=algorithm))
        client.get(
            "/digest/admin/a.txt", digest(answer, "joe", "secret", "GET", "/digest/admin/a.txt", 4, algorithm=algorithm)
        )
    answer = client.get(uri + "?a=1")
    client.get(uri + "?a=1", digest(answer, "ann", "pass:word", "GET", uri + "?a=1"))
    client.get(uri + "?a=1", digest(answer, "ann", "pass:word", "GET", uri, 2))


def odd_digest(client: Client) -> None:
    uri = "/digest/user/a.txt"
    answer = client.get(uri)
    for number, changed in enumerate(
        (
            {"nonce": "1:0"}, {"opaque": "x"}, {"realm": "other"}, {"qop": "auth-int"}, {"response": "0" * 64},
            {"uri": "/other"}, {"nc": "zz"}, {"cnonce": ""}, {"algorithm": "MD5", "response": "0"}, {"nonce": ""},
        ),
        start=1,
    ):  # fmt: skip
        client.get(uri, digest(answer, "joe", "secret", "GET", uri, number, **changed))
    client.get(uri, digest(answer, "joe", "wrong", "GET", uri, 20))
    client.get(uri, digest(answer, "nobody", "secret", "GET", uri, 21))
    client.get(uri, "Authorization: Digest")
    client.get(uri, 'Authorization: Digest username="joe')
    client.get(uri, JOE)


def form_login(client: Client) -> None:
    client.get("/form/user/a.txt?x=1&y=%20")
    wrong = client.ask("POST", "/form/j_security_check", form={"j_username": "joe", "j_password": "wrong"})
    assert wrong.status == 200
    right = client.ask("POST", "/form/j_security_check", form={"j_username": "joe", "j_password": "secret"})
    client.follow(right)
    client.get("/form/user/a.txt")
    client.get("/form/admin/a.txt")
    client.get("/form/known/a.txt")
    client.ask("POST", "/form/j_security_check", form={"j_username": "joe", "j_password": "secret"})


def form_post(client: Client) -> None:
    client.ask("POST", "/form/user/a.txt", form={"a": "1"})
    right = client.ask("POST", "/form/j_security_check", form={"j_username": "joe", "j_password": "secret"})
    client.follow(right)
    client.follow(right)


def form_without_page(client: Client) -> None:
    client.ask("POST", "/form/j_security_check", form={"j_username": "joe", "j_password": "secret"})
    client.cookies.clear()
    client.ask("POST", "/form/j_security_check", form={"j_username": "joe", "j_password": "wrong"})
    client.cookies.clear()
    client.ask("POST", "/form/user/j_security_check", form={"j_username": "joe", "j_password": "secret"})
    client.ask("POST", "/landing/j_security_check", form={"j_username": "joe", "j_password": "secret"})


def form_pages(client: Client) -> None:
    client.get("/form/login.html")
    client.get("/form/error.html")
    for directory in ("open", "plain", "nobody", "any", "tls"):
        client.get(f"/form/{directory}/a.txt")
        client.cookies.clear()
    client.ask("PUT", "/form/user/a.txt", body=b"x")
    client.ask("OPTIONS", "/form/user/a.txt")


def form_session_lost(client: Client) -> None:
    client.get("/form/user/a.txt")
    client.cookies["JSESSIONID"] = "A" * 32
    client.ask("POST", "/form/j_security_check", form={"j_username": "joe", "j_password": "secret"})


def form_wrong_role(client: Client) -> None:
    client.get("/form/admin/a.txt")
    client.follow(client.ask("POST", "/form/j_security_check", form={"j_username": "max", "j_password": "x"}))
    client.get("/form/known/a.txt")
    client.get("/form/any/a.txt")


def form_umlauts(client: Client) -> None:
    client.get("/form/user/a.txt")
    client.follow(client.ask("POST", "/form/j_security_check", form={"j_username": "jörg", "j_password": "gehéim"}))


def form_without_cookies(client: Client) -> None:
    """As a client that keeps no cookie: the id that it is told in a redirect is all it has."""
    for wanted in ("/form/user/a.txt?x=1", "/form/admin/a.txt", "/form/known/a.txt"):
        page = client.get(wanted)
        session_id = (page.get("set-cookie") or "").partition("=")[2].partition(";")[0]
        client.cookies.clear()
        login = f"/form/j_security_check;jsessionid={session_id}"
        right = client.ask("POST", login, form={"j_username": "joe", "j_password": "secret"})
        client.cookies.clear()
        client.follow(right)
        client.cookies.clear()
        client.follow(right)
        client.cookies.clear()
    client.ask("POST", "/landing/j_security_check", form={"j_username": "joe", "j_password": "secret"})


FLOWS: list[Callable[[Client], None]] = [
    rules, methods, odd_basic, basic_sessions, preemptive, no_name, no_method, certificates, digest_login, odd_digest,
    form_login, form_post, form_without_page, form_pages, form_session_lost, form_wrong_role,
    form_umlauts, form_without_cookies,
]  # fmt: skip


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Site]]:
    realm = '<Realm className="org.apache.catalina.realm.MemoryRealm"/>'
    with both(tmp_path_factory.mktemp("login"), APPS, engine=realm) as running:
        yield running


@pytest.mark.parametrize("flow", FLOWS, ids=[flow.__name__ for flow in FLOWS])
def test_every_step_is_answered_as_by_the_real_tomcat(sites: tuple[Site, Site], flow: Callable[[Client], None]) -> None:
    java, ours = (Client(site) for site in sites)
    flow(java)
    flow(ours)
    for here, there in zip(ours.seen, java.seen, strict=True):
        assert here == there
