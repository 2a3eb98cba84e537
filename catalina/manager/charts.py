"""Draws charts as SVG on the server, so that a page without JavaScript has them, too."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from catalina.manager.page import Html

__all__ = ["Line", "charts", "line_chart"]

#: The number of colours; the next line begins with the first one again.
COLOURS = 8
#: A chart's plane, in units of its own.
WIDTH, HEIGHT = 360, 90


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart.

    Args:
        colour: the number of its colour; the colours come again.
        points: from left to right, each its place from 0 (left) to 1 and its value; None breaks the line.
        now: the newest value, None when there is none.
    """

    label: str
    colour: int
    points: Sequence[tuple[float, float] | None]
    now: float | None


def charts(each: Sequence[Html]) -> Html:
    """Several charts, side by side as far as there is room."""
    return Html('<section class="charts" aria-label="Charts" id="charts">{}</section>\n').format(Html("").join(each))


def line_chart(title: str, lines: Sequence[Line], told: Callable[[float], str], width: str) -> Html:
    """A chart with a legend that says the newest values.

    Args:
        told: a value in words.
        width: the time from its left to its right in words.
    """
    highest = max((point[1] for line in lines for point in line.points if point is not None), default=0.0)
    drawn, legend, spoken = [], [], []
    for line in lines:
        colour = f"c{line.colour % COLOURS}"
        drawn += [
            Html('<polyline class="{}" points="{}"/>').format(colour, run) for run in _runs(line.points, highest or 1.0)
        ]
        now = "-" if line.now is None else told(line.now)
        legend.append(Html('<li><i class="{}"></i>{} <b>{}</b></li>').format(colour, line.label, now))
        spoken.append(f"{line.label} {now}")
    return Html(
        '<figure><figcaption>{}</figcaption><svg viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" '
        'aria-label="{}"><path d="M0 {}H{}" class="base"/>{}</svg><p class="scale"><span>{}</span>'
        "<span>{}</span></p><ul>{}</ul></figure>"
    ).format(
        title, WIDTH, HEIGHT, f"{title}: {', '.join(spoken)}", HEIGHT - 0.5, WIDTH, Html("").join(drawn),
        f"at most {told(highest)}", width, Html("").join(legend),
    )  # fmt: skip


def _runs(points: Sequence[tuple[float, float] | None], highest: float) -> Iterator[str]:
    """The points of a polyline for each stretch without a gap."""
    run: list[str] = []
    for point in points:
        if point is None:
            if run:
                yield " ".join(run)
            run = []
        else:
            x, y = point[0] * WIDTH, HEIGHT - 2 - (HEIGHT - 6) * point[1] / highest
            run.append(f"{x:.1f},{y:.1f}")
    if run:
        yield " ".join(run)
