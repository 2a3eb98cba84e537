"""One response as valves see it (Tomcat: connector/Response.java, OutputBuffer.java)."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping
from http.client import responses
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import urljoin

from catalina.connector.client_abort_exception import ClientAbortException
from catalina.connector.redirect_note import redirect_note
from catalina.connector.set_cookie import set_cookie_value
from catalina.coyote.exchange import is_length

if TYPE_CHECKING:
    from catalina.connector.carried import RequestConnector
    from catalina.connector.handover import Taker
    from catalina.connector.outlet import Delivery, Encoder, Outlet
    from catalina.connector.request import Request
    from catalina.repeated_messages import RepeatedMessages

__all__ = ["BUFFER_SIZE", "Response"]

#: Bytes of the body that are kept back until the valves have returned (Tomcat: OutputBuffer.DEFAULT_BUFFER_SIZE).
BUFFER_SIZE = 8192

#: Status codes whose responses have no body (RFC 9110; Tomcat: Http11Processor.prepareResponse).
NO_BODY = frozenset((*range(100, 200), 204, 205, 304))


class Response:
    """A response on its way back through the valves.

    The body is buffered up to :data:`BUFFER_SIZE`. While nothing has left (not ``committed``), everything can still be
    changed. Only the thread that runs the request uses it.
    """

    #: The status with its reason, as the application has set it; ``status`` counts.
    status_text: str | None = None
    #: True when another process answers the request: here it is neither answered nor logged.
    handed_over = False

    def __init__(self, request: Request, outlet: Outlet) -> None:
        self.request = request
        self.outlet = outlet
        self.headers: list[tuple[str, str]] = []
        self._parts: list[bytes] = []
        self._buffered = 0
        self.status = 200
        #: The reason given to :meth:`send_error`, for the error page; Tomcat sends none in the status line.
        self.message: str | None = None
        self.committed = False
        #: The time at which the head left before the whole body was there (time.monotonic_ns), otherwise 0.
        self.commit_time_ns = 0
        self.is_error = False
        #: True while output of the application is dropped, as after ``send_error``.
        self.suspended = False
        #: The exception that made this an error, for the error page.
        self.exception: BaseException | None = None
        self.finished = False
        #: True when the application fails after the head has left: the connection closes, so that nobody takes a part
        #: for the whole (Tomcat: ErrorReportValve, CLOSE_NOW).
        self.broken = False
        #: False once the head of a response without a body has left (HEAD, 204, 304 ...).
        self.body_allowed = True
        self.buffer_size = BUFFER_SIZE
        #: Bytes of the body that the application or a valve has written so far, sent or not.
        self.content_written = 0
        self._error_reported = False
        #: Once done, no longer holds the end of this response; see :meth:`hold`.
        self.delivery: Delivery | None = None
        self._encoder: Encoder | None = None
        self._outlet_ended = False

    def __repr__(self) -> str:
        return f"<Response {self.status} to {self.request!r}>"

    # Head

    def get_header(self, name: str) -> str | None:
        """The first value of the field, None when there is none."""
        lower = name.lower()
        return next((value for key, value in self.headers if key.lower() == lower), None)

    def get_headers(self, name: str) -> list[str]:
        """All values of the field."""
        lower = name.lower()
        return [value for key, value in self.headers if key.lower() == lower]

    def add_header(self, name: str, value: str) -> None:
        """Add a field beside others with its name; ignored once the head has left, as in Tomcat."""
        if not self.committed:
            self.headers.append((name, value))

    def set_header(self, name: str, value: str) -> None:
        """Set a field, replacing all fields with its name."""
        if not self.committed:
            self.remove_header(name)
            self.headers.append((name, value))

    def remove_header(self, name: str) -> None:
        """Remove all fields with the name."""
        if not self.committed:
            lower = name.lower()
            self.headers[:] = [pair for pair in self.headers if pair[0].lower() != lower]

    @property
    def reason(self) -> str:
        """The reason of the status: the application's if it belongs to the present status, otherwise the usual one."""
        text = self.status_text
        if text is not None and text[:3] == str(self.status):
            return text[4:]
        return responses.get(self.status, "")

    @property
    def content_type(self) -> str | None:
        """The Content-Type field."""
        return self.get_header("content-type")

    @content_type.setter
    def content_type(self, value: str | None) -> None:
        if value is None:
            self.remove_header("Content-Type")
        else:
            self.set_header("Content-Type", value)

    @property
    def content_length(self) -> int:
        """The Content-Length field, -1 when there is none or it is no number."""
        value = self.get_header("content-length")
        return int(value) if value is not None and is_length(value) else -1

    @content_length.setter
    def content_length(self, length: int) -> None:
        self.set_header("Content-Length", str(length))

    def settle_content_length(self, messages: RepeatedMessages) -> str | None:
        """The Content-Length, None when there is none. An invalid one, or several, are dropped with a warning.

        The connection is responsible for the framing: because of an application's mistake the client must neither wait
        nor take the next answer for a part of this one. A connection calls this before it sends the head.
        """
        values = self.get_headers("content-length")
        if not values:
            return None
        length: str | None = values[0]
        if len(set(values)) > 1 or not is_length(values[0]):
            length = None
            messages.log(
                logging.WARNING, "bad Content-Length fields of applications",
                "The Content-Length %s of the response to [%s] is left out, expected one decimal number",
                values, self.request.request_uri,
            )  # fmt: skip
        if length is None or len(values) > 1:
            fields = [pair for pair in self.headers if pair[0].lower() != "content-length"]
            self.headers = fields if length is None else [*fields, ("Content-Length", length)]
        return length

    def add_cookie(
        self,
        name: str,
        value: str,
        *,
        path: str | None = None,
        domain: str | None = None,
        max_age: int | None = None,
        secure: bool = False,
        http_only: bool = False,
        attributes: Mapping[str, str] | None = None,
        replace: bool = False,
    ) -> None:
        """Add a ``Set-Cookie`` field in the form of the context's CookieProcessor.

        Args:
            max_age: seconds; None or negative makes a cookie that ends with the browser.
            replace: remove an earlier cookie of the same name first.

        Raises:
            ValueError: name or value cannot stand in a cookie (RFC 6265).
        """
        context = self.request.context
        processor = context.cookie_processor if context is not None else None
        text = set_cookie_value(name, value, path, domain, max_age, secure, http_only, attributes, processor)
        if replace:
            start = f"{name}="
            self.headers[:] = [
                pair for pair in self.headers if not (pair[0].lower() == "set-cookie" and pair[1].startswith(start))
            ]
        self.add_header("Set-Cookie", text)

    # Body

    def bytes_written(self) -> int:
        """Bytes of the body that the client gets, for the access log: none for HEAD and for responses without a
        body.
        """
        return self.content_written if self.request.method != "HEAD" and self.status not in NO_BODY else 0

    @property
    def length_to_send(self) -> int:
        """The present Content-Length, or that of a response that ends now; -1 when there will be none."""
        if self.content_length >= 0 or self.committed:
            return self.content_length
        if self.status == 205:
            return 0
        if not self._has_body():
            is_head = self.request.method == "HEAD" and self.status not in NO_BODY
            return self.content_written or -1 if is_head else -1
        return -1 if self.request.connector.compresses else self.content_written

    def write(self, data: bytes) -> None:
        """Append to the body. Bytes that do not fit into the buffer are sent, which commits the response.

        Raises:
            TypeError: ``data`` is not bytes.
        """
        if type(data) is not bytes:
            data = _as_bytes(data)
        if self.suspended or not data:
            return
        self._parts.append(data)
        self.content_written += len(data)
        self._buffered += len(data)
        if self._buffered > self.buffer_size:
            self._drain()

    def flush(self) -> None:
        """Send the buffered bytes now; commits the response."""
        if self.suspended:
            return
        self._drain()
        if self._encoder is not None:
            self._send(self._encoder.flush())
        self.outlet.flushed()

    def send_file(self, file: BinaryIO, offset: int = 0, count: int | None = None) -> None:
        """Make the rest of the body a part of a regular file, which the kernel sends if possible.

        Args:
            offset: first byte.
            count: bytes, to the end of the file when None. The file belongs to the response from now on.
        """
        if count is None:
            count = max(0, os.fstat(file.fileno()).st_size - offset)
        if self.suspended:
            file.close()
            return
        self.content_written += count
        if not self.committed:
            if self.content_length < 0 and not self._parts:
                self.content_length = count
            self._commit(False)
        else:
            self._drain()
        if not self._has_body():
            file.close()
        elif self._encoder is not None:
            self._encode_file(file, offset, count)
        else:
            self.outlet.send_file(file, offset, count)

    def _encode_file(self, file: BinaryIO, offset: int, count: int) -> None:
        with file:
            file.seek(offset)
            while count > 0:
                data = file.read(min(count, 64 * 1024))
                if not data:
                    break
                count -= len(data)
                self._parts.append(data)
                self._buffered += len(data)
                self._drain()

    def reset_buffer(self) -> None:
        """Drop the buffered body.

        Raises:
            RuntimeError: the response is committed.
        """
        if self.committed:
            raise RuntimeError("Cannot reset buffer after response has been committed")
        self._parts.clear()
        self._buffered = 0
        self.content_written = 0

    def reset(self) -> None:
        """Drop the buffered body, status and header fields.

        Raises:
            RuntimeError: the response is committed.
        """
        self.reset_buffer()
        self.status = 200
        self.message = None
        self.headers.clear()

    # Errors and redirects

    def send_error(self, status: int, message: str | None = None) -> None:
        """Answer with an error: the buffered body is dropped, and the error page is written when the valves return.

        Raises:
            RuntimeError: the response is committed.
        """
        if self.committed:
            raise RuntimeError(f"Cannot call send_error({status}) after the response has been committed")
        self.is_error = True
        self.reset_buffer()
        self.status = status
        self.message = message
        self.suspended = True

    def set_error_reported(self) -> bool:
        """Claim the writing of the error page; returns False when it was claimed before (Tomcat: setErrorReported)."""
        if self._error_reported:
            return False
        self._error_reported = True
        return True

    def send_redirect(self, location: str, status: int = 302) -> None:
        """Send the client elsewhere; relative locations stay relative where the context and the client allow it.

        Raises:
            RuntimeError: the response is committed.
        """
        if self.committed:
            raise RuntimeError("Cannot call send_redirect() after the response has been committed")
        self.reset_buffer()
        context = self.request.context
        relative = (context is None or context.use_relative_redirects) and self.request.protocol != "HTTP/1.0"
        self.status = status
        location = location if relative else urljoin(self.request.request_url, location)
        self.set_header("Location", location)
        if context is not None and context.send_redirect_body:
            self.write(redirect_note(location))
        self.suspended = True

    # Handover to another process

    @property
    def can_hand_over(self) -> bool:
        """True while another process could answer this request in place of this one.

        The connection must be plain HTTP/1.1 (no TLS, HTTP/2, AJP). The application and valves must not have read more
        of the body than came before the request ran, and nothing must have been sent to the client, not even 100
        Continue.
        """
        return not self.committed and self.outlet.handover is not None

    def hand_over(self, take: Taker) -> None:
        """Let another process answer: ``take`` gets the connection when this request has returned from the pipelines.

        The caller returns without doing anything else to the request. This process neither logs nor counts it, and
        drops everything that is written to this response.

        Raises:
            RuntimeError: not :attr:`can_hand_over`.
        """
        handover = None if self.committed else self.outlet.handover
        if handover is None:
            raise RuntimeError(f"{self!r} cannot be handed over: no plain HTTP/1.1, or the exchange has begun")
        handover(take)
        self.handed_over = self.suspended = True

    # The answer of another process

    def pass_head(
        self, status: int, reason: str, headers: list[tuple[str, str]], body: bytes, *, complete: bool
    ) -> None:
        """Send the head of another process's answer, with the first bytes of its body, which are all of it when
        ``complete``. That process has coded the body and settled its length.

        Fields that this connection has set stay. :meth:`finish` ends the answer.
        """
        self.status, self.status_text = status, f"{status} {reason}"
        self.headers = [*self.headers, *headers]
        self.body_allowed = self._has_body()
        self.committed = self.suspended = True
        self.commit_time_ns = time.monotonic_ns()
        self._outlet_ended = complete
        self.outlet.send_head(self, body, complete)

    def pass_body(self, data: bytes) -> None:
        """Send more of the body of another process's answer."""
        if self.body_allowed:
            self.content_written += len(data)
            self._send(data)

    # The end

    def hold(self, delivery: Delivery | None) -> None:
        """Let the end of the response leave only when ``delivery`` is done, so that the other nodes have the session.

        No thread waits. Several deliveries must all be done.
        """
        if delivery is None or delivery.done:
            return
        self.delivery = delivery if self.delivery is None else _Both(self.delivery, delivery)

    @property
    def held_by(self) -> Delivery | None:
        """The Delivery that holds the end of this response, None when it may leave."""
        return None if self.delivery is None or self.delivery.done else self.delivery

    def finish(self) -> None:
        """Send the rest. The connection calls this once, when the valves have returned and nothing holds the response.

        Raises:
            ClientAbortException: the client has gone, or the response is ``broken``.
        """
        if self.finished:
            return
        self.finished = True
        self.suspended = False
        if not self.committed:
            self._commit(True)
            return
        if self.broken and not self._outlet_ended:
            raise ClientAbortException("the response was begun and cannot be finished; closing the connection")
        self._drain()
        if self._encoder is not None:
            self._send(self._encoder.finish())
        if not self._outlet_ended:
            self.outlet.end()

    def _has_body(self) -> bool:
        return self.request.method != "HEAD" and self.status not in NO_BODY

    def _drain(self) -> None:
        """Hand the buffered bytes to the connection."""
        if not self.committed:
            self._commit(False)
        elif self._parts:
            data = self._take()
            if self.body_allowed:
                self._send(data if self._encoder is None else self._encoder.compress(data))

    def _send(self, data: bytes) -> None:
        if data:
            self.outlet.send_body(data)

    def _take(self) -> bytes:
        parts = self._parts
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        parts.clear()
        self._buffered = 0
        return data

    def _commit(self, complete: bool) -> None:
        """Send the head with the buffered bytes; from now on neither can be changed."""
        parts = self._parts
        if len(parts) == 1:  # _take, without the call
            body = parts.pop()
            self._buffered = 0
        else:
            body = self._take() if parts else b""
        if self.request.method == "HEAD" or self.status in NO_BODY:
            self.body_allowed = False
            self._set_length_without_body(len(body), complete)
            body = b""
        else:
            connector = self.request.connector
            if connector.compresses:
                body = self._encode_first(connector, body, complete)
        self.committed = True
        if not complete:  # otherwise the request is over, and nobody asks for it any more
            self.commit_time_ns = time.monotonic_ns()
        self._outlet_ended = complete
        self.outlet.send_head(self, body, complete)

    def _encode_first(self, connector: RequestConnector, body: bytes, complete: bool) -> bytes:
        self._encoder = connector.choose_encoder(self.request, self, len(body), complete)
        if self._encoder is None:
            return body
        return self._encoder.compress(body) + (self._encoder.finish() if complete else b"")

    def _set_length_without_body(self, length: int, complete: bool) -> None:
        """Set the length of a body that HEAD does not send; 204 and 304 have none (RFC 9110 section 8.6)."""
        if self.status == 205:
            self.content_length = 0
        elif self.status < 200 or self.status in (204, 304):
            self.remove_header("Content-Length")
        elif complete and length and self.content_length < 0:
            self.content_length = length


def _as_bytes(data: object) -> bytes:
    if isinstance(data, (bytes, bytearray, memoryview)):
        return bytes(data)
    hint = "; an application returns its bytes in a list: [body]" if isinstance(data, int) else ""
    hint = "; encode it first, as in body.encode()" if isinstance(data, str) else hint
    raise TypeError(f"expected bytes as part of a response's body, got {type(data).__name__} {data!r:.60}{hint}")


class _Both:
    """Two deliveries as one, which is done when both are."""

    def __init__(self, first: Delivery, second: Delivery) -> None:
        self._first, self._second = first, second

    @property
    def done(self) -> bool:
        return self._first.done and self._second.done

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        def second(_: object) -> None:
            self._second.add_done_callback(callback)

        self._first.add_done_callback(second)
