"""Deployment decisions: files are laid, changed and removed below a running host, and the state is read back.

Each scenario has a host of its own, so that all of them run at once.
"""

from __future__ import annotations

import io
import os
import shutil
import zipfile
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

from tests.interop.differential.raw_client import ask
from tests.interop.differential.twins import Twin
from tests.support.waiting import wait_until

__all__ = ["SCENARIOS", "Scenario", "act", "hosts_xml", "lay", "states", "wait_for_ticks"]

WEB_XML = b'<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0" metadata-complete="true"/>\n'
#: Long ago: what is changed later is newer, and what is laid at first is at rest.
OLD = 1_700_000_000
#: Files there at the start. ``xml`` is a descriptor without docBase, the others name a directory or archive outside.
INITIAL = (
    (), ("dir",), ("war",), ("dir", "war"), ("xml-dir",), ("xml-war",), ("war", "xml"), ("dir", "xml"),
)  # fmt: skip
ACTIONS = (
    "nothing", "delete dir", "delete war", "delete xml", "delete outside", "add dir", "add war", "add xml",
    "add xml-dir", "change war", "change xml", "change web.xml", "change outside", "change file",
)  # fmt: skip
#: An action needs something of this; one that adds needs that it is not there.
NEEDS = {
    "delete dir": ("dir",), "delete war": ("war",), "delete xml": ("xml", "xml-dir", "xml-war"),
    "delete outside": ("xml-dir", "xml-war"), "change war": ("war",), "change xml": ("xml", "xml-dir", "xml-war"),
    "change web.xml": ("dir",), "change outside": ("xml-dir", "xml-war"), "change file": ("dir",),
}  # fmt: skip


@dataclass(frozen=True)
class Scenario:
    """One host: what it begins with, and what happens then."""

    number: int
    initial: tuple[str, ...]
    action: str
    unpack: bool

    @property
    def host(self) -> str:
        return f"deploy{self.number}"

    def __str__(self) -> str:
        return f"{'+'.join(self.initial) or 'empty'}, unpackWARs={str(self.unpack).lower()}, {self.action}"


def _applies(initial: tuple[str, ...], action: str) -> bool:
    if action.startswith("add "):
        what = action[4:].partition("-")[0]
        return not any(each.partition("-")[0] == what for each in initial)
    return action == "nothing" or any(each in initial for each in NEEDS[action])


SCENARIOS = [
    Scenario(number, *row)
    for number, row in enumerate(row for row in product(INITIAL, ACTIONS, (True, False)) if _applies(row[0], row[1]))
]


def hosts_xml() -> str:
    """The hosts, and one in which a marker shows that a server has looked at all of them."""
    hosts = [(scenario.host, scenario.unpack) for scenario in SCENARIOS] + [("marked", True)]
    return "".join(
        f'<Host name="{name}" appBase="deploy/{name}" unpackWARs="{str(unpack).lower()}" autoDeploy="true"/>\n'
        for name, unpack in hosts
    )


def _war(text: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("WEB-INF/web.xml", WEB_XML)
        archive.writestr("v.txt", text)
    return data.getvalue()


def _write(path: Path, data: bytes, when: int | None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    if when is not None:
        os.utime(path, (when, when))


def _make(base: Path, scenario: Scenario, what: str, text: str, when: int | None = None) -> None:
    """Lay one thing; ``text`` is what its file says."""
    app_base, outside = base / "deploy" / scenario.host, base / "outside" / scenario.host
    if what == "dir":
        _write(app_base / "app" / "WEB-INF" / "web.xml", WEB_XML, when)
        _write(app_base / "app" / "v.txt", text.encode(), when)
    elif what == "war":
        _write(app_base / "app.war", _war(text), when)
    else:
        target = {"xml": "", "xml-dir": f' docBase="{outside}/d"', "xml-war": f' docBase="{outside}/w.war"'}[what]
        _write(_descriptor(base, scenario), f"<Context{target}/>".encode(), when)
        if what == "xml-dir":
            _write(outside / "d" / "WEB-INF" / "web.xml", WEB_XML, when)
            _write(outside / "d" / "v.txt", text.encode(), when)
        elif what == "xml-war":
            _write(outside / "w.war", _war(text), when)


def _descriptor(base: Path, scenario: Scenario) -> Path:
    return base / "conf" / "Catalina" / scenario.host / "app.xml"


def lay(base: Path) -> None:
    """Lay the files that are there before the start."""
    for name in [*(scenario.host for scenario in SCENARIOS), "marked"]:
        (base / "deploy" / name).mkdir(parents=True)
    for scenario in SCENARIOS:
        for what in scenario.initial:
            _make(base, scenario, what, f"first {what}", OLD)


def act(base: Path) -> None:
    """Change the files as the action of each scenario says."""
    for scenario in SCENARIOS:
        verb, _, what = scenario.action.partition(" ")
        app_base, outside = base / "deploy" / scenario.host, base / "outside" / scenario.host
        if verb == "add":
            _make(base, scenario, what, f"added {what}")
        elif verb == "delete":
            _delete(base, scenario, what)
        elif what == "war":
            _make(base, scenario, "war", "changed war")
        elif what == "xml":
            os.utime(_descriptor(base, scenario))
        elif what == "web.xml":
            os.utime(app_base / "app" / "WEB-INF" / "web.xml")
        elif what == "file":
            _write(app_base / "app" / "v.txt", b"changed file", None)
        elif what == "outside" and (outside / "d").is_dir():
            _write(outside / "d" / "v.txt", b"changed outside", None)
            os.utime(outside / "d" / "WEB-INF" / "web.xml")
        elif what == "outside":
            _write(outside / "w.war", _war("changed outside"), None)


def _delete(base: Path, scenario: Scenario, what: str) -> None:
    if what == "dir":
        shutil.rmtree(base / "deploy" / scenario.host / "app")
    elif what == "war":
        (base / "deploy" / scenario.host / "app.war").unlink()
    elif what == "xml":
        _descriptor(base, scenario).unlink()
    else:
        shutil.rmtree(base / "outside" / scenario.host)


def _names(directory: Path) -> list[str]:
    return sorted(each.name for each in directory.iterdir()) if directory.is_dir() else []


def states(twin: Twin) -> list[tuple[object, ...]]:
    """The outcome of each scenario: the application's answer, and the names in appBase and beside the descriptor."""
    found: list[tuple[object, ...]] = []
    for scenario in SCENARIOS:
        answer = ask(twin.ports["main"], "GET", "/app/v.txt", (f"Host: {scenario.host}",))
        found.append(
            (
                answer.body if answer.status == 200 else answer.status,
                _names(twin.base / "deploy" / scenario.host),
                _names(_descriptor(twin.base, scenario).parent),
            )
        )
    return found


def wait_for_ticks(twins: tuple[Twin, Twin], count: int) -> None:
    """Until both servers have looked at their hosts so many times: each time a new application is there and found."""
    for _ in range(count):
        for twin in twins:
            directory = twin.base / "deploy" / "marked"
            name = f"m{len(_names(directory))}"
            _write(directory / name / "v.txt", b"marker", OLD)
            _write(directory / name / "WEB-INF" / "web.xml", WEB_XML, OLD)
        for twin in twins:
            target = f"/m{len(_names(twin.base / 'deploy' / 'marked')) - 1}/v.txt"
            wait_until(partial(_serves, twin, target), f"{twin.base}: {target} is deployed", 60, 0.1)


def _serves(twin: Twin, target: str) -> bool:
    return ask(twin.ports["main"], "GET", target, ("Host: marked",)).status == 200
