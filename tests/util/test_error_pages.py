"""The page for each error."""

from __future__ import annotations

import pytest

from catalina.descriptor.elements import ErrorPage
from catalina.util.error_pages import ErrorPages


class ShopError(LookupError):
    """An error of an application's own."""


def make() -> ErrorPages:
    pages = ErrorPages()
    for page in (
        ErrorPage("/404", 404),
        ErrorPage("/lookup", exception_type="LookupError"),
        ErrorPage("/os", exception_type="java.io.IOException"),
        ErrorPage("/own", exception_type=f"{__name__}:ShopError"),
    ):
        pages.add(page)
    return pages


@pytest.mark.parametrize(
    ("exception", "location"),
    [
        (ShopError(), "/own"),
        (KeyError(), "/lookup"),
        (FileNotFoundError(), "/os"),
        (ValueError(), None),
    ],
)
def test_the_nearest_base_class_has_the_page(exception: Exception, location: str | None) -> None:
    found = make().for_exception(exception)
    assert (found.location if found else None) == location


def test_a_status_has_its_page_or_the_one_for_everything() -> None:
    pages = make()
    assert pages.for_status(500) is None
    pages.add(ErrorPage("/any"))
    assert [getattr(pages.for_status(status), "location", None) for status in (404, 500)] == ["/404", "/any"]
    assert len(pages.all()) == 5


def test_javas_name_for_everything_counts() -> None:
    pages = ErrorPages()
    pages.add(ErrorPage("/any", exception_type="java.lang.Throwable"))
    assert pages.for_exception(ValueError()) is not None


def test_a_later_page_replaces_an_earlier_one() -> None:
    pages = make()
    pages.add(ErrorPage("/other", 404))
    assert pages.for_status(404).location == "/other"  # type: ignore[union-attr]  # there is one
