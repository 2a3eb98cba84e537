"""An application with protected pages in a whole container, and a browser that keeps cookies."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from catalina.core.standard_context import StandardContext
from tests.core.node import Answer, Node, web_xml
from tests.realm.realms import DictRealm

APPLICATION = '''
def application(environ, start_response):
    """Says who the user is; /change has a look at the request, /out ends the session."""
    session = environ["catalina.session"]
    path = environ["PATH_INFO"]
    if path == "/out":
        session.invalidate()
    elif path.startswith("/keep"):
        session["kept"] = "yes"
    body = environ["wsgi.input"].read().decode()
    lines = [
        environ.get("REMOTE_USER", "-"), environ.get("AUTH_TYPE", "-"), environ["REQUEST_METHOD"],
        path, environ["QUERY_STRING"], body, environ.get("CONTENT_TYPE", ""), environ.get("HTTP_X_ONCE", ""),
    ]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return ["|".join(lines).encode()]
'''

SERVLET = """
<servlet><servlet-name>app</servlet-name><servlet-class>pages:application</servlet-class></servlet>
<servlet-mapping><servlet-name>app</servlet-name><url-pattern>/</url-pattern></servlet-mapping>
"""
PROTECTED = """
<security-constraint>
  <web-resource-collection><web-resource-name>p</web-resource-name><url-pattern>/private/*</url-pattern></web-resource-collection>
  <auth-constraint><role-name>user</role-name></auth-constraint>
</security-constraint>
<security-role><role-name>user</role-name></security-role>
"""

USERS = {"bob": ("secret", ("user",)), "ann": ("x", ())}


def login_config(method: str, more: str = "") -> str:
    """``<login-config>``"""
    return f"<login-config><auth-method>{method}</auth-method>{more}</login-config>"


def add_application(node: Node, inner: str, name: str = "shop", **files: str | bytes) -> StandardContext:
    """The application with ``inner`` in its descriptor."""
    return node.add(
        name, {"WEB-INF/web.xml": web_xml(SERVLET + inner), "WEB-INF/classes/pages.py": APPLICATION, **files}
    )


def secure_node(base: Path, inner: str, users: Any = None, **files: str | bytes) -> Node:
    """A node, not started, with the users above and one application ``/shop``."""
    node = Node(base)
    node.engine.realm = DictRealm(users or USERS)
    add_application(node, inner, "shop", **files)
    return node


def basic(username: str, password: str) -> dict[str, str]:
    """The Authorization field of Basic."""
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}


class Browser:
    """Asks with the cookies it was given, one jar for all paths."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.cookies: dict[str, str] = {}

    def ask(self, uri: str, method: str = "GET", headers: dict[str, str] | None = None, body: bytes = b"") -> Answer:
        fields = dict(headers or {})
        if self.cookies:
            fields["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if body:
            fields.setdefault("Content-Type", "application/x-www-form-urlencoded")
            fields["Content-Length"] = str(len(body))
        answer = self.node.ask(uri, method, fields, body)
        for name, value in answer.headers:
            if name.lower() == "set-cookie":
                self._keep(value)
        return answer

    def _keep(self, text: str) -> None:
        found = re.match(r"([^=]+)=([^;]*)", text)
        assert found is not None
        if "Max-Age=0" in text:
            self.cookies.pop(found.group(1), None)
        else:
            self.cookies[found.group(1)] = found.group(2)

    def follow(self, answer: Answer) -> Answer:
        """Ask for where an answer redirects to."""
        location = answer.get("Location")
        assert location is not None
        parts = urlsplit(location)
        return self.ask(parts.path + (f"?{parts.query}" if parts.query else ""))


def text(answer: Answer) -> str:
    """The body as text."""
    return answer.body.decode()
