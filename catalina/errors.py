"""Every exception of the project, in one tree.

::

    CatalinaError
        ConfigurationError      the operator's files: says the file and line
        LifecycleError          a component cannot start, stop or go from one state to another
        ProtocolError           a peer or client broke the rules: says who and at which byte
        LimitError              something from outside exceeds a limit that an attribute sets (is a ProtocolError)
        ChannelError            a message did not reach some members: says which and why
        RemoteProcessError      a member got a message and failed to process it (negative acknowledgement)
        InvalidSessionError     an application uses a session that has ended or cannot be
        TooManyActiveSessionsError  a manager's maxActiveSessions is reached (is an InvalidSessionError)
        NotReplicableError      an application put a value into a distributable session that cannot travel
        AuthenticationError     a login that the application asked for has failed
        RequestInterrupted      raised in the thread of a request that StuckThreadDetectionValve ends
        NamingError             a resource or entry cannot be found or made by its name (is a LookupError)
        DeploymentError         an archive or application directory cannot be deployed

Two families, as in h11: the first two are misuse of this software by its operator, :class:`ProtocolError` is misuse
by the other side of a connection. An exception takes data, keeps it as attributes and builds its text from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from catalina.place import Place

__all__ = [
    "AuthenticationError",
    "CatalinaError",
    "ChannelError",
    "ConfigurationError",
    "DeploymentError",
    "InvalidSessionError",
    "LifecycleError",
    "LimitError",
    "NamingError",
    "NotReplicableError",
    "ProtocolError",
    "RequestInterrupted",
    "TooManyActiveSessionsError",
]


class CatalinaError(Exception):
    """Base of all exceptions that this project raises on purpose."""


class ConfigurationError(CatalinaError):
    """A configuration file cannot be used; the text starts with ``file:line`` when the place is known."""

    def __init__(self, text: str, place: Place | None = None) -> None:
        super().__init__(f"{place}: {text}" if place else text)
        self.text = text
        self.place = place


class LifecycleError(CatalinaError):
    """A component could not be initialised, started, stopped or destroyed."""


class ProtocolError(CatalinaError):
    """Bytes from outside break the protocol; close the connection or drop the datagram.

    Args:
        text: the expected and the actual bytes.
        offset: byte offset in the stream or datagram, None when it means nothing.
        peer: ``host:port`` of the other side, usually added by the socket side with :meth:`at_peer`.
    """

    def __init__(self, text: str, offset: int | None = None, peer: str | None = None) -> None:
        super().__init__(text, offset, peer)
        self.text = text
        self.offset = offset
        self.peer = peer

    def __str__(self) -> str:
        where = f", at byte {self.offset} of the stream" if self.offset is not None else ""
        who = f"{self.peer}: " if self.peer else ""
        return f"{who}{self.text}{where}"

    def at_peer(self, peer: str) -> Self:
        """The same error with the peer's name, which codecs do not know."""
        self.peer = peer
        return self


class LimitError(ProtocolError):
    """A size or count from outside exceeds its limit."""


class ChannelError(CatalinaError):
    """A message did not reach every member it was sent to.

    Args:
        text: the message that was being sent.
        faulty: member -> reason, for each member that did not get it (``Member`` objects; typed loosely because this
            module is below ``tribes``).
    """

    def __init__(self, text: str, faulty: Mapping[object, BaseException] | None = None) -> None:
        self.faulty: dict[object, BaseException] = dict(faulty or {})
        reasons = "; ".join(f"{member}: {reason}" for member, reason in self.faulty.items())
        super().__init__(f"{text}: {reasons}" if reasons else text)


class InvalidSessionError(CatalinaError):
    """The session has ended, or cannot exist (Java: IllegalStateException)."""


class TooManyActiveSessionsError(InvalidSessionError):
    """Another session would exceed the manager's maxActiveSessions."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"createSession: Too many active sessions: maxActiveSessions is {limit}")
        self.limit = limit


class RemoteProcessError(CatalinaError):
    """A member acknowledged a message negatively: it arrived, and its listeners failed there."""


class NotReplicableError(CatalinaError, TypeError):
    """A value in a distributable session cannot travel to the other nodes.

    Args:
        path: the place in the value, such as ``cart['items'][3].file``.
        value: the part that cannot travel.
    """

    def __init__(self, path: str, value: object, why: str = "it has no form that another node can decode") -> None:
        self.path = path
        self.value_type = type(value)
        kind = f"{self.value_type.__module__}.{self.value_type.__qualname__}"
        super().__init__(f"{path}: a {kind} cannot be replicated: {why}")


class AuthenticationError(CatalinaError):
    """A login that the application asked for has failed. The text does not tell if the user or the password was
    wrong.
    """


class RequestInterrupted(CatalinaError):
    """Raised in the thread of a request that StuckThreadDetectionValve ends (``interruptThreadThreshold``)."""


class NamingError(CatalinaError, LookupError):
    """A name is not bound, or the object it names cannot be made; the text says which name and why."""


class DeploymentError(CatalinaError):
    """An archive or a directory cannot be deployed; the running version stays."""
