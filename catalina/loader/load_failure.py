"""Why an application's code could not be loaded: the traceback of its own frames, and the same in one line."""

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

#: Code whose frames stand between the container and the application, and tell nobody anything.
_OURS = (
    os.path.join(os.path.dirname(os.path.abspath(catalina.__file__)), ""),
    os.path.join(os.path.dirname(os.path.abspath(importlib.__file__)), ""),
    "<frozen importlib",
)


def own_frames(error: BaseException) -> TracebackType | None:
    """The traceback without the frames of the container and of ``importlib`` before the application's first one.

    Returns:
        None when no code of the application ran: the name does not exist, or the source has a syntax error.
    """
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith(_OURS):
        frames = frames.tb_next
    return frames


def describe_failure(error: BaseException, space: ImportSpace | None = None) -> str:
    """The exception in one line, with the file and the line where it happened.

    Args:
        space: the application's; the place is then the last line of its own that ran.
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
    """Where a module that is missing can be put, as a clause behind the reason; empty for other failures."""
    if not isinstance(error, ModuleNotFoundError) or not error.name or space is None or not space.path:
        return ""
    top = error.name.partition(".")[0]
    if top in space.top_level:
        return ""
    library = os.path.join("WEB-INF", "lib")
    place = next((entry for entry in space.path if entry.endswith(library)), space.path[0])
    return (
        f"; the package that has the module {top} belongs into the application (pip install --target {place} PACKAGE) "
        "or into the server's own Python environment"
    )
