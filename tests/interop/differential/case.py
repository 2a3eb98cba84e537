"""A request of the differential test, as bytes, and how the tables make them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product
from typing import Any

__all__ = ["Case", "Table", "host_xml", "pairwise", "request", "servlet_xml"]


@dataclass(frozen=True)
class Case:
    """One request.

    Args:
        data: what is sent.
        port: name of the connector.
        alone: it gets a connection of its own, with a request behind it that ends it: what is counted is every answer.
        note: what the bytes mean, where they do not say it.
        looks: it reads what the case before it has changed; where that one may differ, so may this one.
    """

    data: bytes
    port: str = "main"
    alone: bool = False
    looks: bool = False
    note: str = ""

    @property
    def is_head(self) -> bool:
        """True when its answer has no body."""
        return self.data.startswith(b"HEAD ")

    def __str__(self) -> str:
        return f"{self.port}: {self.note or self.data!r}"


@dataclass
class Table:
    """Cases about one subject, and the applications and hosts that they need.

    Args:
        apps: context name -> file -> content; ``WEB-INF/web.xml`` is the inside of the element, and ``{name}`` in it is
            replaced by a class of that server.
        hosts: ``<Host>`` elements.
        compared: header fields that count besides the usual ones.
        statuses_only: of errors the page does not count.
        logs: files below ``logs``, each with a line for each case that begins with the case's X-Number field.
    """

    name: str
    cases: list[Case] = field(default_factory=list)
    apps: Mapping[str, Mapping[str, str | bytes]] = field(default_factory=dict)
    hosts: str = ""
    compared: tuple[str, ...] = ()
    statuses_only: bool = False
    logs: tuple[str, ...] = ()


def request(
    method: str,
    target: str,
    *headers: str,
    body: bytes = b"",
    host: str | None = "localhost",
    port: str = "main",
    version: str = "HTTP/1.1",
    alone: bool = False,
    looks: bool = False,
) -> Case:
    """A request that keeps its connection; ``host`` None leaves the field out."""
    lines = [f"{method} {target} {version}"]
    if host is not None and not any(header.lower().startswith("host:") for header in headers):
        lines.append(f"Host: {host}")
    lines += headers
    if body and not any(header.lower().startswith(("content-length:", "transfer-encoding:")) for header in headers):
        lines.append(f"Content-Length: {len(body)}")
    return Case("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body, port, alone, looks)


def pairwise(*dimensions: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Rows in which every value of a dimension meets every value of each other one at least once."""
    wanted: set[tuple[int, ...]] = {
        (a, x, b, y)
        for a, b in combinations(range(len(dimensions)), 2)
        for x, y in product(range(len(dimensions[a])), range(len(dimensions[b])))
    }
    rows = []
    while wanted:
        row = _row(dimensions, wanted, min(wanted))
        rows.append(row)
        wanted -= {(a, row[a], b, row[b]) for a, b in combinations(range(len(dimensions)), 2)}
    return [tuple(dimension[index] for dimension, index in zip(dimensions, row, strict=True)) for row in rows]


def _row(dimensions: Sequence[Sequence[Any]], wanted: set[tuple[int, ...]], seed: tuple[int, ...]) -> list[int]:
    """A row with one wanted pair, and as many others as a greedy choice finds."""
    chosen: dict[int, int] = {seed[0]: seed[1], seed[2]: seed[3]}
    for dimension in range(len(dimensions)):
        if dimension in chosen:
            continue
        counts = []
        for value in range(len(dimensions[dimension])):
            pairs = (
                (dimension, value, other, at) if dimension < other else (other, at, dimension, value)
                for other, at in chosen.items()
            )
            counts.append(sum(pair in wanted for pair in pairs))
        chosen[dimension] = counts.index(max(counts))
    return [chosen[dimension] for dimension in range(len(dimensions))]


def _parameters(parameters: Iterable[tuple[str, str]]) -> str:
    return "".join(
        f"<init-param><param-name>{name}</param-name><param-value>{value}</param-value></init-param>"
        for name, value in parameters
    )


def servlet_xml(kind: str, *patterns: str, name: str = "", **parameters: str) -> str:
    """A servlet and its mappings; ``kind`` is ``{snoop}`` or a className."""
    name = name or "s" + patterns[0].strip("/*.")
    mapped = "".join(f"<url-pattern>{pattern}</url-pattern>" for pattern in patterns)
    return (
        f"<servlet><servlet-name>{name}</servlet-name><servlet-class>{kind}</servlet-class>"
        f"{_parameters(parameters.items())}</servlet>"
        f"<servlet-mapping><servlet-name>{name}</servlet-name>{mapped}</servlet-mapping>\n"
    )


def filter_xml(kind: str, parameters: Mapping[str, str], pattern: str = "/*") -> str:
    """A filter for everything."""
    return (
        f"<filter><filter-name>f</filter-name><filter-class>{kind}</filter-class>{_parameters(parameters.items())}"
        f"</filter><filter-mapping><filter-name>f</filter-name><url-pattern>{pattern}</url-pattern></filter-mapping>\n"
    )


def host_xml(name: str, inner: str, app_base: str = "shared") -> str:
    """A host of its own, with the applications of ``app_base`` (``shared``: the snoop servlet as ROOT)."""
    return f'<Host name="{name}" appBase="{app_base}" unpackWARs="false" autoDeploy="false">{inner}</Host>\n'
