"""What the mapper found for one host name and path (Tomcat: mapper/MappingData.java)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalina.connector.carried import Context, Host, Wrapper

__all__ = ["MappingData", "MappingMatch"]


class MappingMatch(Enum):
    """By which kind of url-pattern a servlet was found (jakarta.servlet.http.MappingMatch)."""

    CONTEXT_ROOT = "CONTEXT_ROOT"
    EXACT = "EXACT"
    PATH = "PATH"
    EXTENSION = "EXTENSION"
    DEFAULT = "DEFAULT"


@dataclass(slots=True, frozen=True)
class MappingData:
    """A result; shared by all requests of the same path, so it never changes.

    Args:
        host: None when no host answers for the name.
        context: None when no application answers for the path.
        contexts: the other versions of the application, newest first, when there are several.
        servlet_path: the part that the servlet's pattern matched, for a prefix pattern; else the whole path.
        path_info: what is behind it, None when there is nothing.
        redirect_path: the client must go there first (the slash behind a context path); there is no wrapper then.
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
