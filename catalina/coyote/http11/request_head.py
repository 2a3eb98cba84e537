"""Request line and header fields: bytes -> :class:`RequestHead` (RFC 9112 sections 2 to 6).

The grammar is gunicorn's C parser, which refuses bare LF, line folding, spaces around names, control characters, bad
methods, Content-Length beside Transfer-Encoding, lists and repetitions of Content-Length, stacked codings. This module
adds the rest: the size of the whole head, characters of the target, other transfer codings, Host, and the meaning of
fields (keep-alive, Expect). Tomcat 10.1 is the measure, except that Tomcat accepts bare LF, folding, and Content-Length
beside chunked, which two servers behind each other read differently.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, NoReturn

from gunicorn_h1c import (
    InvalidHeader,
    InvalidHeaderName,
    InvalidHTTPVersion,
    LimitRequestHeaders,
    LimitRequestLine,
    parse_request_fast,
)

from catalina.coyote.http11.host import parse_host
from catalina.coyote.http_error import HttpError

__all__ = ["FieldsMemo", "HeadLimits", "RefusedHead", "RequestHead", "RequestHeadParser", "describe_refused"]


def _incomplete_error() -> type[Exception]:
    """The class with which the C parser says that a head is not complete. The package exports another one of this name,
    of its other parser.
    """
    try:
        parse_request_fast(b"GET", 0, 16, 1, 16, True)
    except Exception as error:  # noqa: BLE001 - its class is the result
        return type(error)
    raise TypeError("gunicorn_h1c: expected an error for an incomplete head, got a head")


_IncompleteError = _incomplete_error()

#: The C parser keeps header fields in a table of this size.
PARSER_MAX_FIELDS = 256

#: The characters of RFC 3986 pchar and "/", and the beginning of an escape; a query may also have "?". Every other
#: byte, also every one over 0x7E and every control, is 400 unless relaxedPathChars or relaxedQueryChars allow it.
PATH_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/%"
RELAXABLE = '"<>[\\]^`{|}'

#: Request lines and targets remembered per connector, and the longest one.
REMEMBERED_LINES = 1024
REMEMBERED_LENGTH = 128
#: Blocks of fields remembered per connector, and the longest one. A client sends the same fields with each of its
#: requests, whatever it asks for.
REMEMBERED_BLOCKS = 512
REMEMBERED_BLOCK_LENGTH = 1024

_FIELD_LINE = re.compile(rb"[!#$%&'*+\-.0-9A-Z^_`a-z|~]+:[\t\x20-\x7e\x80-\xff]*")
#: Characters that no lenient server takes for a part of a name: controls, spaces and similar ones.
_NOT_IN_NAME = re.compile(rb"[^!#$%&'*+\-.0-9A-Z^_`a-z|~]+")
#: Fields that decide where a message ends, whom it is for, or what the next server does with it: never dropped.
FRAMING_FIELDS = frozenset(
    (b"content-length", b"transfer-encoding", b"host", b"connection", b"expect", b"te", b"trailer")
)
_CODINGS = re.compile(rb"\ntransfer-encoding:([\t\x20-\x7e\x80-\xff]*)\r\n(?![ \t])", re.IGNORECASE)
#: The transfer codings that RFC 9112 section 7 knows. Others are refused as such, whatever else is wrong.
_KNOWN_CODINGS = frozenset((b"chunked", b"gzip", b"x-gzip", b"compress", b"x-compress", b"deflate", b"identity"))
_EMPTY_LINES = re.compile(rb"(?:\r\n)*")
_VERSION = re.compile(rb" HTTP/[0-9]\.[0-9]\Z")
#: The parts of a refused head that can be recognised.
_BEGINNING = re.compile(
    rb"(?:\r\n)*([!#$%&'*+\-.0-9A-Z^_`a-z|~]{1,64})(?: +([^ \r\n]+)(?: +(HTTP/1\.[01]))?[ ]*\r?\n)?"
)
_HOST_FIELD = re.compile(rb"\nhost:([^\r\n]*)", re.IGNORECASE)
_ABSOLUTE = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://([^/?]*)(.*)")


@dataclass(frozen=True, slots=True)
class HeadLimits:
    """The limits of a head; the Connector has attributes with the same names.

    Args:
        max_size: bytes of request line and fields together (maxHttpRequestHeaderSize).
        max_fields: header fields (maxHeaderCount); at most 256 whatever is asked, negative means that.
        relaxed_path, relaxed_query: characters of :data:`RELAXABLE` that targets may have unescaped.
        reject_illegal_header: 400 for a malformed field; False drops the field and joins folded lines, unless the field
            is one of :data:`FRAMING_FIELDS` or contains CR, LF or NUL.
        allow_host_mismatch: an absolute target may name another host than the Host field.
    """

    max_size: int = 8192
    max_fields: int = 100
    relaxed_path: str = ""
    relaxed_query: str = ""
    reject_illegal_header: bool = True
    allow_host_mismatch: bool = False


class FieldsMemo:
    """Holds results that are derived from one block of fields, for the requests that have this block.

    Args:
        cgi_fields: the fields in the form of the environ.
        cookies: how the cookies were read (True: the names, too), their number, and their values by name.
    """

    __slots__ = ("cgi_fields", "cookies")

    def __init__(self) -> None:
        self.cgi_fields: dict[str, str] | None = None
        self.cookies: tuple[bool, int, Mapping[str, Sequence[str]]] | None = None

    def __eq__(self, other: object) -> bool:
        """Any two are equal: the same head may have another memo."""
        return isinstance(other, FieldsMemo)

    __hash__ = None  # type: ignore[assignment]


class RequestHead(NamedTuple):
    """One parsed head. ``size`` bytes of the stream belong to it, including empty lines before it.

    ``content_length`` is -1 when the message has none; ``port`` is -1 when Host names none; ``host`` is None without a
    Host field (HTTP/1.0).
    """

    method: str
    path: str
    query: str | None
    http11: bool
    fields: tuple[tuple[bytes, bytes], ...]
    content_length: int
    chunked: bool
    keep_alive: bool
    client_asks_keep_alive: bool
    expects_continue: bool
    host: str | None
    port: int
    size: int
    memo: FieldsMemo


class RefusedHead(NamedTuple):
    """The apparent parts of a refused head, for the logs: empty texts and port -1 when they cannot be recognised."""

    method: str = ""
    path: str = ""
    query: str | None = None
    protocol: str = "HTTP/1.1"
    host: str = ""
    port: int = -1


def describe_refused(data: bytes | bytearray, limit: int) -> RefusedHead:
    """Look at the first ``limit`` bytes of a refused head. Any bytes give an answer."""
    data = bytes(data[: 2 * limit])
    match = _BEGINNING.match(data)
    if match is None:
        return RefusedHead()
    method, target, version = match.groups()
    path, question, query = (target or b"").partition(b"?")
    field = _HOST_FIELD.search(data, match.end(1))
    host, port = "", -1
    if field is not None:
        with contextlib.suppress(HttpError):
            host, port = parse_host(field[1].strip(b" \t"))
    return RefusedHead(
        method.decode("ascii"),
        path.decode("latin-1"),
        query.decode("latin-1") if question else None,
        "HTTP/1.1" if version is None else version.decode("ascii"),
        host,
        port,
    )


#: Does the same as calling the class, without the frame of its ``__new__``.
_new_head = partial(tuple.__new__, RequestHead)


class RequestHeadParser:
    """Parses heads of one connector's connections; without state, so all of them share it."""

    def __init__(self, limits: HeadLimits = HeadLimits()) -> None:
        self.limits = limits
        self._max_fields = PARSER_MAX_FIELDS if limits.max_fields < 0 else min(limits.max_fields, PARSER_MAX_FIELDS)
        self._path_bytes = PATH_BYTES + _relaxed(limits.relaxed_path)
        self._query_bytes = PATH_BYTES + b"?" + _relaxed(limits.relaxed_query)
        self._methods: dict[bytes, str] = {}
        self._targets: dict[bytes, tuple[str, str | None]] = {}
        #: Request lines of HTTP/1.1 for a path: method, path and query.
        self._lines: dict[bytes, tuple[str, str, str | None]] = {}
        #: Blocks of fields that came behind such a line: the rest of the head up to its size, and the memo.
        self._blocks: dict[bytes, tuple[tuple[object, ...], FieldsMemo]] = {}

    def parse(self, data: bytes | bytearray, seen: int = 0) -> RequestHead | None:
        """Parse the head at the start of ``data``.

        Args:
            data: the stream from the first byte after the last message.
            seen: bytes of it that were there at the last call, which found the head incomplete.

        Returns:
            The head, or None when more data is needed.

        Raises:
            HttpError: 400, 414, 417, 431, 501 or 505; close the connection.
        """
        if seen == 0 and type(data) is bytes:
            line, _, block = data.partition(b"\r\n")
            target, fields = self._lines.get(line), self._blocks.get(block)
            if fields is not None and target is not None and (size := len(data)) <= self.limits.max_size:
                return _new_head(target + fields[0] + (size, fields[1]))
        skipped = 0
        if data[:1] in (b"\r", b"\n"):
            skipped = self._empty_lines(data)
            data, seen = data[skipped:], max(0, seen - skipped)
        limit = self.limits.max_size
        try:
            parsed = parse_request_fast(bytes(data), min(seen, len(data)), limit, self._max_fields, limit, True)
        except _IncompleteError:
            if len(data) > limit:
                self._too_large(data)
            _check_version(data)
            return None
        except ValueError as exc:
            return self._refuse(exc, data, skipped)
        if parsed.consumed > limit:
            self._too_large(data)
        head = self._finish(parsed, data, skipped)
        if head.size == len(data) and head.http11 and parsed.path[:1] == b"/" and type(data) is bytes and not skipped:
            return self._remember(data, head)
        return head

    def _remember(self, data: bytes, head: RequestHead) -> RequestHead:
        """Keep the parts of a head that has come whole; the head with what is known of its fields."""
        line, _, block = data.partition(b"\r\n")
        if len(line) <= REMEMBERED_LENGTH:
            if len(self._lines) >= REMEMBERED_LINES:
                self._lines.clear()
            self._lines[line] = head[:3]
        if len(block) > REMEMBERED_BLOCK_LENGTH:
            return head
        known = self._blocks.get(block)
        if known is not None:
            return head._replace(memo=known[1])
        if len(self._blocks) >= REMEMBERED_BLOCKS:
            self._blocks.clear()
        self._blocks[block] = head[3:12], head.memo
        return head

    def _finish(self, parsed: object, data: bytes | bytearray, skipped: int) -> RequestHead:
        """Apply the rules that the grammar does not express."""
        request: _Parsed = parsed  # type: ignore[assignment]  # the C type has no stubs
        method = self._methods.get(request.method)
        if method is None:
            method = request.method.decode("ascii")
            if len(self._methods) < 64:
                self._methods[request.method] = method
        http11 = request.minor_version == 1
        chunked = request.has_chunked
        coding = request.get_header("transfer-encoding")
        if coding is not None:
            self._check_coding(request, coding)
        host_field = request.get_header("host")
        target = request.path
        authority = None
        if target[:1] != b"/":
            authority, target = self._other_form(method, target, host_field)
        path, query = self._targets.get(target) or self.split_target(target)
        if host_field is None:
            if http11:
                raise HttpError(400, "The HTTP/1.1 request did not provide a host header")
            host, port = None, -1
        else:
            host, port = parse_host(host_field if authority is None else authority)
        asks_close = request.connection_close
        # The parser tells the last of several Connection fields; few heads have the word at all.
        if asks_close == 0 and b"close" in data[: request.consumed].lower() and _says_close(request.headers):
            asks_close = 1
        expect = request.get_header("expect")
        return _new_head(
            (
                method,
                path,
                query,
                http11,
                request.headers,
                request.content_length,
                chunked,
                asks_close != 1 if http11 else asks_close == 0,
                asks_close == 0,
                expect is not None and http11 and _wants_continue(expect),
                host,
                port,
                skipped + request.consumed,
                FieldsMemo(),
            )
        )

    def split_target(self, target: bytes) -> tuple[str, str | None]:
        """Path and query; short ones are remembered, because clients ask for the same targets again."""
        path, question, query = target.partition(b"?")
        if path.translate(None, self._path_bytes) or query.translate(None, self._query_bytes):
            self._refuse_characters(target, path, query)
        split = path.decode("latin-1"), query.decode("latin-1") if question else None
        if len(target) <= REMEMBERED_LENGTH:
            if len(self._targets) >= REMEMBERED_LINES:
                self._targets.clear()
            self._targets[target] = split
        return split

    def _refuse_characters(self, target: bytes, path: bytes, query: bytes) -> NoReturn:
        cures = []
        for part, known, attribute in (
            (path, self._path_bytes, "relaxedPathChars"),
            (query, self._query_bytes, "relaxedQueryChars"),
        ):
            wanted = sorted({chr(byte) for byte in part.translate(None, known)} & set(RELAXABLE))
            if wanted:
                cures.append(f'; {attribute}="{"".join(wanted)}" on the Connector would allow it')
        raise HttpError(
            400,
            f"Invalid character found in the request target [{target.decode('latin-1')!r}]. "
            f"The valid characters are defined in RFC 7230 and RFC 3986{''.join(cures)}",
        )

    def _empty_lines(self, data: bytes | bytearray) -> int:
        """Bytes of the empty lines before a request line (RFC 9112 section 2.2); as many as a head may be long."""
        match = _EMPTY_LINES.match(data)
        size = 0 if match is None else match.end()
        if size > self.limits.max_size:
            raise HttpError(
                400, f"Empty lines before the request line, limit maxHttpRequestHeaderSize {self.limits.max_size}"
            )
        return size

    def _check_coding(self, request: _Parsed, coding: bytes) -> None:
        """Only ``chunked`` is understood. Tomcat answers 501 to every other coding, and 400 when it is not HTTP/1.1."""
        codings = [value for name, value in request.headers if name.lower() == b"transfer-encoding"]
        if len(codings) > 1 or coding.strip().lower() != b"chunked":
            raise HttpError(501, f"Transfer-Encoding {b', '.join(codings).decode('latin-1')!r} is not supported")
        if request.minor_version == 0 or request.content_length >= 0:
            raise HttpError(400, "Transfer-Encoding beside Content-Length or in HTTP/1.0")

    def _other_form(self, method: str, target: bytes, host: bytes | None) -> tuple[bytes | None, bytes]:
        """Authority and path of a target that is not a path (RFC 9112 sections 3.2.2 to 3.2.4)."""
        if method == "CONNECT":
            raise HttpError(501, "CONNECT is not supported")
        if target == b"*" and method == "OPTIONS":
            return None, b"*"
        match = _ABSOLUTE.fullmatch(target)
        if match is None:
            raise HttpError(400, f"Invalid request target {target.decode('latin-1')!r}")
        authority = match[1].rpartition(b"@")[2]
        if host is not None and authority.lower() != host.lower() and not self.limits.allow_host_mismatch:
            raise HttpError(
                400,
                f"The host header [{host.decode('latin-1')}] does not match the host of the request line "
                f"[{authority.decode('latin-1')}]",
            )
        path = match[2]
        return authority, path if path.startswith(b"/") else b"/" + path

    def _too_large(self, data: bytes | bytearray) -> NoReturn:
        limit = self.limits.max_size
        if data.find(b"\r\n", 0, limit) < 0:
            raise HttpError(414, f"The request line is longer than maxHttpRequestHeaderSize {limit}")
        raise HttpError(431, f"Request line and header fields are larger than maxHttpRequestHeaderSize {limit}")

    def _refuse(self, exc: ValueError, data: bytes | bytearray, skipped: int) -> RequestHead | None:
        """The grammar's refusal as a status, or the head without its illegal fields if the connector allows that."""
        if isinstance(exc, LimitRequestLine):
            raise HttpError(414, str(exc)) from None
        if isinstance(exc, InvalidHTTPVersion):
            _check_version(data)
            raise HttpError(505, str(exc)) from None
        if isinstance(exc, LimitRequestHeaders):
            raise HttpError(431, str(exc)) from None
        if isinstance(exc, InvalidHeader) and _has_unknown_coding(data):
            raise HttpError(501, f"A Transfer-Encoding is not supported: {exc}") from None
        if isinstance(exc, (InvalidHeader, InvalidHeaderName)) and not self.limits.reject_illegal_header:
            return self._without_illegal_fields(exc, data, skipped)
        raise HttpError(400, str(exc)) from None

    def _without_illegal_fields(self, exc: ValueError, data: bytes | bytearray, skipped: int) -> RequestHead | None:
        end = data.find(b"\r\n\r\n")
        if end < 0 or end + 4 > self.limits.max_size:
            if len(data) > self.limits.max_size:
                self._too_large(data)
            return None
        line, *fields = bytes(data[:end]).split(b"\r\n")
        joined = _unfold(fields)
        kept = [field for field in joined if _FIELD_LINE.fullmatch(field)]
        for field in joined:
            if not _FIELD_LINE.fullmatch(field):
                _check_droppable(field)
        if kept == fields:
            raise HttpError(400, str(exc)) from None
        head = RequestHeadParser(_strict(self.limits)).parse(b"\r\n".join([line, *kept, b"", b""]))
        return None if head is None else head._replace(size=skipped + end + 4)


def _unfold(lines: list[bytes]) -> list[bytes]:
    """Fields whose folded lines are joined by a space (RFC 9112 section 5.2).

    Raises:
        HttpError: 400, the fold stands where it could change the framing, or before all fields.
    """
    fields: list[list[bytes]] = []
    for line in lines:
        if line[:1] not in (b" ", b"\t"):
            fields.append([line])
            continue
        if not fields or _lenient_name(fields[-1][0]) in FRAMING_FIELDS:
            raise HttpError(400, f"The folded line {line[:40]!r} has no field that may be folded")
        fields[-1].append(line.strip(b" \t"))
    return [b" ".join(field) for field in fields]


def _lenient_name(field: bytes) -> bytes:
    return _NOT_IN_NAME.sub(b"", field.partition(b":")[0]).lower()


def _check_droppable(field: bytes) -> None:
    """Refuse to drop a field about framing, which a proxy in front may have read."""
    if _lenient_name(field) in FRAMING_FIELDS or any(byte in field for byte in b"\r\n\0"):
        raise HttpError(400, f"The header field {field[:40]!r} is malformed and cannot be ignored")


def _has_unknown_coding(data: bytes | bytearray) -> bool:
    codings = [coding.strip().lower() for field in _CODINGS.findall(data) for coding in field.split(b",")]
    return not _KNOWN_CODINGS.issuperset(codings)


def _check_version(data: bytes | bytearray) -> None:
    """Check that a complete request line has a version, because nothing that follows can make it valid."""
    end = data.find(b"\r\n")
    if end >= 0 and not _VERSION.search(data, max(0, end - 16), end):
        raise HttpError(
            400, f"The request line {bytes(data[max(0, end - 40) : end])!r} does not end in HTTP/1.1 or HTTP/1.0"
        )


class _Parsed:
    """The result of ``gunicorn_h1c.parse_request_fast``; only for the type checker."""

    method: bytes
    path: bytes
    minor_version: int
    headers: tuple[tuple[bytes, bytes], ...]
    consumed: int
    content_length: int
    has_chunked: bool
    connection_close: int

    def get_header(self, name: str) -> bytes | None:
        raise NotImplementedError


def _strict(limits: HeadLimits) -> HeadLimits:
    return HeadLimits(
        limits.max_size,
        limits.max_fields,
        limits.relaxed_path,
        limits.relaxed_query,
        True,
        limits.allow_host_mismatch,
    )


def _relaxed(characters: str) -> bytes:
    return "".join(c for c in characters if c in RELAXABLE).encode("ascii")


def _says_close(fields: Sequence[tuple[bytes, bytes]]) -> bool:
    """True when a Connection field asks for the end; no other one can then keep the connection (RFC 9112 section
    9.3).
    """
    return any(
        option.strip().lower() == b"close"
        for name, value in fields
        if name.lower() == b"connection"
        for option in value.split(b",")
    )


def _wants_continue(expect: bytes) -> bool:
    if expect.strip().lower() != b"100-continue":
        raise HttpError(417, f"Expect: {expect.decode('latin-1')!r} is not supported")
    return True
