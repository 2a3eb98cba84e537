"""A whole container without sockets: requests go through the real adapter, mapper and pipelines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from catalina.connector.connection_facts import ConnectionFacts
from catalina.connector.connector import Connector
from catalina.connector.coyote_adapter import CoyoteAdapter
from catalina.connector.headers import Headers
from catalina.connector.request import Request
from catalina.connector.request_input import RequestInput
from catalina.connector.response import Response
from catalina.core.standard_context import StandardContext
from catalina.core.standard_engine import StandardEngine
from catalina.core.standard_host import StandardHost
from catalina.core.standard_server import StandardServer
from catalina.core.standard_service import StandardService

__all__ = ["Answer", "Node", "web_xml"]

DEFAULTS = """<web-app>
<servlet><servlet-name>default</servlet-name>
<servlet-class>org.apache.catalina.servlets.DefaultServlet</servlet-class></servlet>
<servlet-mapping><servlet-name>default</servlet-name><url-pattern>/</url-pattern></servlet-mapping>
<session-config><session-timeout>30</session-timeout></session-config>
<mime-mapping><extension>txt</extension><mime-type>text/plain</mime-type></mime-mapping>
<mime-mapping><extension>html</extension><mime-type>text/html</mime-type></mime-mapping>
<welcome-file-list><welcome-file>index.html</welcome-file></welcome-file-list>
</web-app>
"""


@dataclass
class Answer:
    """The bytes that an outlet has received."""

    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    #: The response behind it, for what does not travel.
    response: Any = None

    def get(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def send_head(self, response: Response, body: bytes, complete: bool) -> None:
        self.status, self.headers = response.status, list(response.headers)
        self.body += body

    def send_body(self, data: bytes) -> None:
        self.body += data

    def send_file(self, file: BinaryIO, offset: int, count: int) -> None:
        with file:
            file.seek(offset)
            self.body += file.read(count)

    def flushed(self) -> None: ...

    def end(self) -> None: ...

    @property
    def handover(self) -> None:
        """It cannot be given to another process."""


def web_xml(inner: str) -> str:
    """A descriptor around some elements."""
    return f'<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0">\n{inner}\n</web-app>\n'


class Node:
    """Server, service, engine ``Catalina``, host ``localhost`` with ``webapps`` below ``base``."""

    def __init__(self, base: Path, **host: Any) -> None:
        self.base = base
        (base / "conf").mkdir(exist_ok=True)
        (base / "webapps").mkdir(exist_ok=True)
        (base / "conf" / "web.xml").write_text(DEFAULTS)
        self.server = StandardServer(port=-1)
        self.server.catalina_base = self.server.catalina_home = base
        self.service = StandardService(name="Catalina")
        self.server.add_service(self.service)
        self.engine = StandardEngine(name="Catalina", default_host="localhost")
        self.service.set_engine(self.engine)
        self.host = StandardHost(name="localhost", **host)
        self.engine.add_child(self.host)
        self.connector = Connector()
        self.connector.service = self.service

    def add(self, name: str, files: Mapping[str, str | bytes], **attributes: Any) -> StandardContext:
        """An application in ``webapps/<name>``, added to the host."""
        directory = self.base / "webapps" / name
        for file, content in files.items():
            path = directory / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        context = StandardContext(doc_base=name, **attributes)
        self.host.add_child(context)
        return context

    def __enter__(self) -> Node:
        try:
            self.server.start()
        except Exception:
            self.server.stop()  # the parts that had started already
            raise
        self._adapter = CoyoteAdapter(self.connector)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.stop()
        self.server.destroy()

    def ask(
        self,
        uri: str,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        host: str = "localhost",
    ) -> Answer:
        """One request; ``uri`` as a client writes it, with the query."""
        path, mark, query = uri.partition("?")
        fields = {"Host": host, **(headers or {})}
        pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields.items()]
        connection = ConnectionFacts(self.connector, remote_addr="127.0.0.1", local_name="localhost")
        request = Request(
            connection, method, path, query if mark else None, "HTTP/1.1", Headers(pairs), RequestInput(None, body)
        )
        request.server_name, request.server_port = host, 8080
        request.content_length = int(fields.get("Content-Length", -1))
        answer = Answer()
        answer.response = request.response = Response(request, answer)
        self._adapter.service(request, request.response)
        request.response.finish()
        return answer
