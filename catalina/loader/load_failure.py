"""Describes why an application's code could not be loaded: the traceback of its own frames, and one line."""

from __future__ import annotations

import importlib
import os
import traceback
from types import TracebackType
from typing import TYPE_CHECKING

import catalina

if TYPE_CHECKING:
    from catalina.loader.import_space import ImportSpace

__all__ = ["cure_of", "describe_failure", "own_frames"]

_OURS = os.path.join(os.path.dirname(os.path.abspath(catalina.__file__)), "")
#: Code that imports. Its frames stand between those of the application and tell the reader nothing.
_IMPORTING = (
    os.path.join(_OURS, "loader", ""),
    os.path.join(os.path.dirname(os.path.abspath(importlib.__file__)), ""),
    "<frozen importlib",
)


def own_frames(error: BaseException) -> TracebackType | None:
    """The traceback without the container's frames before the application's first one, and without frames that only
    import.

    Returns:
        None when no code of the application ran: the name does not exist, or the source has a syntax error.
    """
    frames = error.__traceback__
    while frames is not None and _file(frames).startswith((_OURS, *_IMPORTING)):
        frames = frames.tb_next
    kept = []
    while frames is not None:
        if not _file(frames).startswith(_IMPORTING):
            kept.append(frames)
        frames = frames.tb_next
    chain = None
    for each in reversed(kept):
        chain = TracebackType(chain, each.tb_frame, each.tb_lasti, each.tb_lineno)
    return chain


def _file(frames: TracebackType) -> str:
    return frames.tb_frame.f_code.co_filename


def describe_failure(error: BaseException, space: ImportSpace | None = None) -> str:
    """The exception in one line, with the file and the line where it happened.

    Args:
        space: the application's; the place is then the last line of its own code that ran.
    """
    if isinstance(error, SyntaxError) and error.filename:
        text, place = f"{type(error).__name__}: {error.msg}", (error.filename, error.lineno)
    else:
        text = " ".join("".join(traceback.format_exception_only(error)).split())
        found = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(own_frames(error))]
        own = [each for each in found if space is None or space.owns_file(each[0])]
        if not own:
            return text
        place = own[-1]
    return f"{text} ({place[0]}, line {place[1]})"


def cure_of(error: BaseException, space: ImportSpace | None) -> str:
    """The place where a missing module can be put, as a clause behind the reason; empty for other failures."""
    if not isinstance(error, ModuleNotFoundError) or not error.name or space is None or not space.path:
        return ""
    top = error.name.partition(".")[0]
    if top in space.top_level:
        return ""
    library = os.path.join("WEB-INF", "lib")
    place = next((entry for entry in space.path if entry.endswith(library)), space.path[0])
    return (
        f"; the package that has the module {top} belongs into the application (requirements.txt, or pip install "
        f"--target {place} PACKAGE) or into the server's own Python environment"
    )
