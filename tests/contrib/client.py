"""A client of one application in a node without sockets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.core.node import Answer, Node, web_xml

__all__ = ["Client", "application", "serve_shop"]


def application(module: str, text: str, more: str = "") -> dict[str, str | bytes]:
    """The files of a distributable application: one module, with its callable ``app``, and more of a web.xml."""
    servlet = (
        f"<distributable/><servlet><servlet-name>s</servlet-name><servlet-class>{module}:app</servlet-class></servlet>"
        "<servlet-mapping><servlet-name>s</servlet-name><url-pattern>/*</url-pattern></servlet-mapping>"
    )
    return {"WEB-INF/web.xml": web_xml(servlet + more), f"WEB-INF/classes/{module}.py": text}


class Client:
    """Asks the application ``/shop`` and sends its session cookie back."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.cookie = ""
        self.answer = Answer()

    def get(self, path: str) -> str:
        headers = {"Cookie": f"JSESSIONID={self.cookie}"} if self.cookie else {}
        self.answer = self.node.ask(f"/shop{path}", headers=headers)
        for text in self.set_cookies:
            self.cookie = text.partition("JSESSIONID=")[2].partition(";")[0]
        return self.answer.body.decode()

    @property
    def set_cookies(self) -> list[str]:
        return [value for name, value in self.answer.headers if name.lower() == "set-cookie"]


def serve_shop(directory: Path, module: str, text: str) -> Iterator[Client]:
    """Run the application ``/shop`` of one module; gives its client once."""
    node = Node(directory)
    node.add("shop", application(module, text))
    with node:
        yield Client(node)
