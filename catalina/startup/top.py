"""``catalina top``: shows a live view of a node, drawn anew every second."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TextIO

from catalina.coyote.request_group_info import longest_of
from catalina.startup.node_commands import columns

__all__ = ["frame", "main", "quantile"]

#: The whole screen is drawn anew from its upper left corner, and the rest of the last view below is cleared.
_HOME, _REST, _HIDE, _SHOW = "\x1b[H", "\x1b[J", "\x1b[?25l", "\x1b[?25h"
_CLEAR_LINE = "\x1b[K"


def main(look: Callable[[], dict[str, Any]], delay: float, frames: int, out: TextIO = sys.stdout) -> int:
    """Draw until an interrupt, or the given number of views; returns the exit code.

    Args:
        look: returns the status of the node; its exceptions end the view and are passed on.
        delay: seconds between two views.
        frames: the number of views, 0 for no end.
    """
    live = out.isatty()
    before: dict[str, Any] | None = None
    drawn = 0
    try:
        if live:
            out.write(_HIDE + _HOME + _REST)
        while True:
            now = look()
            _draw(list(frame(now, before or now)), live, out)
            drawn += 1
            if frames and drawn >= frames:
                return 0
            before = now
            time.sleep(max(0.1, delay))
    except KeyboardInterrupt:
        return 0
    finally:
        if live:
            out.write(_SHOW)
            out.flush()


def _draw(lines: list[str], live: bool, out: TextIO) -> None:
    if not live:
        out.write("\n".join(lines) + "\n\n")
    else:
        size = shutil.get_terminal_size()
        shown = [line[: size.columns] for line in lines[: size.lines - 1]]
        out.write(_HOME + "\n".join(line + _CLEAR_LINE for line in shown) + "\n" + _REST)
    out.flush()


def frame(now: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[str]:
    """The lines of one view: the differences between two looks."""
    seconds = max(now["now"] - before["now"], 1e-3)
    process, was = now["process"], before["process"]
    used = 100 * (process["cpu"] - was["cpu"]) / seconds
    word = "DRAINING" if now["draining"] else now["state"]
    yield (f"{now['version']}  {word}  up {int(process['uptime'])} s  cpu {used:.0f}%  "
           f"{process['memory'] / 2**20:.0f} MiB  {process['threads']} threads  {process['files']} files")  # fmt: skip
    yield ""
    yield from columns([
        ("CONNECTOR", "REQ/S", "ERR/S", "P50", "P99", "CONN", "RUN", "BUSY", "OUT/S"),
        *_connectors(now, before, seconds),
    ])  # fmt: skip
    yield ""
    yield from columns([("APPLICATION", "STATE", "REQ/S", "ERR/S", "RUN", "SESSIONS"),
                        *_applications(now, before, seconds)])  # fmt: skip
    for cluster in now["clusters"]:
        yield ""
        sent = {member["name"]: member["given"] for each in before["clusters"] for member in each["members"]}
        rows = [
            (member["name"], f"{int(member['alive'])} s", str(member["backlog"]),
             _bytes((member["given"] - sent.get(member["name"], member["given"])) / seconds))
            for member in cluster["members"]
        ]  # fmt: skip
        yield from columns([(f"CLUSTER {cluster['name']}", "ALIVE", "BACKLOG", "SENT/S"), *rows])
    if now["slow"]:
        yield ""
        yield "UNDER WAY"
        for request in now["slow"]:
            yield f"{request['seconds']:8.1f} s  {request['client']}  {request['request']}"


def _connectors(now: Mapping[str, Any], before: Mapping[str, Any], seconds: float) -> Iterator[tuple[str, ...]]:
    were = {each["name"]: each for each in before["connectors"]}
    for each in now["connectors"]:
        was = were.get(each["name"], each)
        times = {int(bucket): count - was["times"].get(bucket, 0) for bucket, count in each["times"].items()}
        yield (
            each["name"],
            f"{(each['requests'] - was['requests']) / seconds:.1f}",
            f"{(each['errors'] - was['errors']) / seconds:.1f}",
            _ms(quantile(times, 0.5)),
            _ms(quantile(times, 0.99)),
            str(each["connections"]),
            str(each["running"]),
            f"{each['busy']}/{each['threads']}",
            _bytes((each["sent"] - was["sent"]) / seconds),
        )


def _applications(now: Mapping[str, Any], before: Mapping[str, Any], seconds: float) -> Iterator[tuple[str, ...]]:
    were = {(each["host"], each["path"]): each for each in before["applications"]}
    for each in now["applications"]:
        was = were.get((each["host"], each["path"]), each)
        yield (
            f"{each['host']}{each['path']}",
            each["state"],
            f"{(each['requests'] - was['requests']) / seconds:.1f}",
            f"{(each['errors'] - was['errors']) / seconds:.1f}",
            str(each["running"]),
            "-" if each["sessions"] is None else str(each["sessions"]),
        )


def quantile(times: Mapping[int, int], share: float) -> float | None:
    """Seconds within which that share of the requests ended; None without requests."""
    total = sum(count for count in times.values() if count > 0)
    if total <= 0:
        return None
    left = share * total
    for bucket in sorted(times):
        left -= max(0, times[bucket])
        if left <= 0:
            return longest_of(bucket)
    return longest_of(max(times))


def _ms(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1000:.3g} ms"


def _bytes(count: float) -> str:
    for unit in ("B", "K", "M"):
        if count < 1024 or unit == "M":
            return f"{count:.0f}{unit}" if unit == "B" else f"{count:.1f}{unit}"
        count /= 1024
    return ""
