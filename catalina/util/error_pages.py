"""Finds the application's page for an error (Tomcat: util/ErrorPageSupport.java)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalina.descriptor.elements import ErrorPage

__all__ = ["ErrorPages"]

#: Java exceptions in existing descriptors that stand for everything, or for an exception that Python has, too.
JAVA_EXCEPTIONS = {
    "java.lang.Throwable": "BaseException",
    "java.lang.Exception": "Exception",
    "java.lang.RuntimeException": "Exception",
    "java.io.IOException": "OSError",
    "java.io.FileNotFoundException": "FileNotFoundError",
}


class ErrorPages:
    """Pages by exception, by status, and the one for everything."""

    def __init__(self) -> None:
        self._by_code: dict[int, ErrorPage] = {}
        self._by_exception: dict[str, ErrorPage] = {}
        self._default: ErrorPage | None = None

    def add(self, page: ErrorPage) -> None:
        """Add a page; a later page for the same error replaces the earlier one."""
        if page.exception_type is not None:
            name = page.exception_type.replace(":", ".")
            self._by_exception[JAVA_EXCEPTIONS.get(name, name)] = page
        elif page.error_code is not None:
            self._by_code[page.error_code] = page
        else:
            self._default = page

    def for_status(self, status: int) -> ErrorPage | None:
        """The page for a status, otherwise the one for everything."""
        return self._by_code.get(status) or self._default

    def for_exception(self, exception: BaseException) -> ErrorPage | None:
        """The page for the nearest base class. Names are ``package.module.Class``, for builtins also without the
        package.
        """
        if not self._by_exception:
            return None
        for base in type(exception).__mro__:
            page = self._by_exception.get(f"{base.__module__}.{base.__qualname__}")
            if page is None and base.__module__ == "builtins":
                page = self._by_exception.get(base.__qualname__)
            if page is not None:
                return page
        return None

    def all(self) -> tuple[ErrorPage, ...]:
        """Every page, for the manager and the log."""
        pages = [*self._by_code.values(), *self._by_exception.values()]
        return (*pages, self._default) if self._default is not None else tuple(pages)
