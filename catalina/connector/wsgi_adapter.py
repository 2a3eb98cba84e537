"""The WSGI callable at the end of the pipeline (PEP 3333)."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from types import TracebackType

    from catalina.connector.request import Request
    from catalina.connector.response import Response

__all__ = ["FileWrapper", "run_application"]

ExcInfo = tuple[type[BaseException], BaseException, "TracebackType"]
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class _FileLike(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...


#: Remembered status texts; applications use few, but could invent more.
REMEMBERED_STATUS = 256


class _StatusCodes(dict[str, int]):
    """The number of a status text, such as ``200 OK``."""

    def __missing__(self, status: str) -> int:
        if not isinstance(status, str):
            raise TypeError(f"start_response: expected a str such as '200 OK' as status, got {status!r}")
        code = status[:3]
        if not code.isdecimal() or status[3:4] not in ("", " ") or not 200 <= int(code) <= 999:
            # 1xx is no answer: the client would wait for the real one.
            raise AssertionError(f"start_response: the status must begin with 200 to 999 and a space, not {status!r}")
        if len(self) < REMEMBERED_STATUS:
            self[status] = int(code)
        return int(code)


_STATUS_CODES = _StatusCodes()


class FileWrapper:
    """``wsgi.file_wrapper``: iterates over a file; a regular file is sent by the kernel instead.

    Args:
        file: anything with ``read``; its ``close``, if it has one, is called when the response is over.
        block_size: bytes per read.
    """

    def __init__(self, file: _FileLike, block_size: int = 64 * 1024) -> None:
        self.file = file
        self.block_size = block_size
        close = getattr(file, "close", None)
        if close is not None:
            self.close: Callable[[], None] = close

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self.file.read(self.block_size), b"")

    def regular_file_size(self) -> int | None:
        """Bytes of the file behind it, None when that is no regular file with a descriptor."""
        try:
            status = os.fstat(self.file.fileno())  # type: ignore[attr-defined]  # asked for, not promised
        except (AttributeError, OSError, ValueError):
            return None
        return status.st_size if stat.S_ISREG(status.st_mode) else None


class _Call:
    """One call of an application: the state behind its ``start_response``."""

    __slots__ = ("_given", "response", "started")

    def __init__(self, response: Response) -> None:
        self.response = response
        self.started = False
        self._given: Sequence[tuple[str, str]] = ()

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None
    ) -> Callable[[bytes], None]:
        """Set status and header fields; they leave with the first bytes of the body."""
        response = self.response
        if self.started:
            if exc_info is None:
                raise AssertionError("start_response was called twice without exc_info")
            if response.committed:
                raise exc_info[1].with_traceback(exc_info[2])
            self._take_back()
        response.status = _STATUS_CODES[status]
        response.status_text = status
        for name, value in headers:
            if type(name) is not str or type(value) is not str:
                _check_field(name, value)
        self.started = True
        if response.headers:
            response.headers.extend(headers)
        else:
            response.headers = list(headers)
        self._given = headers
        return self._write

    def _take_back(self) -> None:
        """Replace the fields of the first call by those of the error; fields of valves stay."""
        given = {id(pair) for pair in self._given}
        self.response.headers = [pair for pair in self.response.headers if id(pair) not in given]
        self.response.reset_buffer()

    def _write(self, data: bytes) -> None:
        if data:
            self.response.write(data)
            self.response.flush()


def _check_result(result: object) -> None:
    if isinstance(result, (bytes, str)) or result is None:
        raise TypeError(f"an application returns an iterable of bytes, such as [body], not {type(result).__name__}")


def _check_field(name: object, value: object) -> None:
    if not (isinstance(name, str) and isinstance(value, str)):
        raise TypeError(f"start_response: expected str as name and value of a header field, got {name!r}: {value!r}")


def run_application(application: Application, environ: dict[str, Any], request: Request, response: Response) -> None:
    """Call an application and write what it returns; its ``close`` is always called.

    A list is buffered as a whole, so that valves can still change the response. With any other iterable, each block is
    sent before the next is requested, as PEP 3333 demands, unless Content-Length shows that nothing more will come.

    Raises:
        Exception: whatever the application raises.
        AssertionError: the application breaks PEP 3333.
        ClientAbortException: the client has gone.
    """
    environ["wsgi.file_wrapper"] = FileWrapper
    call = _Call(response)
    result = application(environ, call.start_response)
    close = None if type(result) is list else getattr(result, "close", None)  # a list, the usual case, has none
    try:
        if isinstance(result, (list, tuple)):
            for data in result:
                response.write(data)
        elif isinstance(result, FileWrapper):
            close = _write_file(result, response, close)
        else:
            _check_result(result)
            _write_blocks(call, result, response)
        if not call.started:
            raise AssertionError(f"{request!r}: the application returned without a call of start_response")
    finally:
        if close is not None:
            close()


def _write_blocks(call: _Call, blocks: Iterable[bytes], response: Response) -> None:
    expected: int | None = None
    for data in blocks:
        if not data:
            continue
        if not call.started:
            raise AssertionError("the application gave a body before it called start_response")
        response.write(data)
        if expected is None:
            expected = response.content_length
        if response.content_written != expected:
            response.flush()


def _write_file(
    wrapper: FileWrapper, response: Response, close: Callable[[], None] | None
) -> Callable[[], None] | None:
    """Send the rest of the file; returns the object that still must be closed: the connection closes a file that it
    sends.
    """
    size = wrapper.regular_file_size()
    if size is None:
        for data in wrapper:
            response.write(data)
        return close
    file = cast(Any, wrapper.file)
    offset: int = file.tell()
    count = max(0, size - offset)
    length = response.content_length
    response.send_file(file, offset, count if length < 0 else min(count, length))
    return None
