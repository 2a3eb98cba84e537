"""The result of mapping one host name and path (Tomcat: mapper/MappingData.java)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalina.connector.carried import Context, Host, Wrapper

__all__ = ["MappingData", "MappingMatch"]


class MappingMatch(Enum):
    """The kind of url-pattern that matched (jakarta.servlet.http.MappingMatch)."""

    CONTEXT_ROOT = "CONTEXT_ROOT"
    EXACT = "EXACT"
    PATH = "PATH"
    EXTENSION = "EXTENSION"
    DEFAULT = "DEFAULT"


@dataclass(slots=True, frozen=True)
class MappingData:
    """A result, which never changes because all requests of the same path share it.

    Args:
        host: None when no host answers for the name.
        context: None when no application answers for the path.
        contexts: the other versions of the application, newest first, when there are several.
        servlet_path: for a prefix pattern the part that it matched; otherwise the whole path.
        path_info: the rest of the path, None when there is none.
        redirect_path: a path that the client must be redirected to (the slash behind a context path); there is no
            wrapper then.
        pattern: the url-pattern that matched.
    """

    host: Host | None = None
    context: Context | None = None
    contexts: tuple[Context, ...] = ()
    wrapper: Wrapper | None = None
    context_path: str = ""
    servlet_path: str = ""
    path_info: str | None = None
    redirect_path: str | None = None
    match: MappingMatch | None = None
    pattern: str = ""
