"""The bar."""

from __future__ import annotations

import io

from catalina.startup.progress_bar import ProgressBar


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_the_bar_is_drawn_on_a_terminal_and_taken_away():
    out = Terminal()
    bar = ProgressBar(out)
    bar.show("copying", 5_000_000, 10_000_000)
    assert " 50%  5.0/10.0 MB" in out.getvalue()
    bar.show("starting", 0, 0)
    bar.clear()
    assert out.getvalue().endswith("starting ...\r\x1b[K")


def test_elsewhere_nothing_is_drawn():
    out = io.StringIO()
    bar = ProgressBar(out)
    bar.show("copying", 1, 2)
    bar.clear()
    assert out.getvalue() == ""
