"""An application's descriptor overrides the defaults."""

from __future__ import annotations

from catalina.descriptor.elements import (
    EnvEntry,
    ErrorPage,
    FilterDef,
    FilterMap,
    LoginConfig,
    ServletDef,
    SessionConfig,
)
from catalina.descriptor.web_xml import WebXml, merge


def test_single_values_come_from_the_application_where_it_gives_them() -> None:
    high = WebXml(
        context_parameters={"a": "own"},
        mime_mappings={"txt": "text/own"},
        session=SessionConfig(timeout_minutes=5, attributes={"SameSite": "Lax"}),
        env_entries={"n": EnvEntry("n", value="own")},
        response_character_encoding="UTF-16",
    )
    low = WebXml(
        context_parameters={"a": "default", "b": "default"},
        mime_mappings={"txt": "text/plain", "css": "text/css"},
        session=SessionConfig(timeout_minutes=30, cookie_name="SID", attributes={"x": "y"}),
        env_entries={"n": EnvEntry("n", value="default"), "m": EnvEntry("m")},
        request_character_encoding="UTF-8",
        response_character_encoding="UTF-8",
    )
    merged = merge(high, low)
    assert merged.context_parameters == {"a": "own", "b": "default"}
    assert merged.mime_mappings == {"txt": "text/own", "css": "text/css"}
    assert (merged.session.timeout_minutes, merged.session.cookie_name) == (5, "SID")
    assert merged.session.attributes == {"SameSite": "Lax"}
    assert merged.env_entries["n"].value == "own"
    assert (merged.request_character_encoding, merged.response_character_encoding) == ("UTF-8", "UTF-16")


def test_a_servlet_of_the_same_name_is_merged_value_by_value() -> None:
    high = WebXml(servlets={"default": ServletDef("default", init_parameters={"listings": "true"})})
    default = ServletDef(
        "default", "org.apache.x", init_parameters={"listings": "false", "debug": "0"}, load_on_startup=1
    )
    merged = merge(high, WebXml(servlets={"default": default})).servlets["default"]
    assert merged.servlet_class == "org.apache.x"
    assert merged.init_parameters == {"listings": "true", "debug": "0"}
    assert merged.load_on_startup == 1


def test_an_application_that_maps_the_slash_replaces_the_default_servlet_there() -> None:
    merged = merge(WebXml(servlet_mappings={"/": "own"}), WebXml(servlet_mappings={"/": "default", "*.jsp": "jsp"}))
    assert merged.servlet_mappings == {"/": "own", "*.jsp": "jsp"}


def test_own_filters_run_before_those_of_the_defaults_and_replace_mappings_of_the_same_name() -> None:
    high = WebXml(filters={"b": FilterDef("b")}, filter_mappings=[FilterMap("b", ["/own/*"])])
    low = WebXml(
        filters={"a": FilterDef("a"), "b": FilterDef("b", "default.B")},
        filter_mappings=[FilterMap("a", ["/*"]), FilterMap("b", ["/*"])],
    )
    merged = merge(high, low)
    assert [(mapping.filter_name, mapping.url_patterns) for mapping in merged.filter_mappings] == [
        ("b", ["/own/*"]),
        ("a", ["/*"]),
    ]
    assert merged.filters["b"].filter_class == "default.B"


def test_an_own_list_of_welcome_files_replaces_the_default_one() -> None:
    assert merge(WebXml(welcome_files=["start.html"]), WebXml(welcome_files=["index.html"])).welcome_files == [
        "start.html"
    ]
    assert merge(WebXml(), WebXml(welcome_files=["index.html"])).welcome_files == ["index.html"]


def test_a_later_error_page_of_the_application_comes_after_the_default_one() -> None:
    merged = merge(WebXml(error_pages=[ErrorPage("/own", 404)]), WebXml(error_pages=[ErrorPage("/default", 404)]))
    assert [page.location for page in merged.error_pages] == ["/default", "/own"]


def test_defaults_cannot_make_an_application_distributable() -> None:
    assert not merge(WebXml(), WebXml(distributable=True)).distributable
    assert merge(WebXml(distributable=True), WebXml()).distributable


def test_listeners_and_roles_are_united_without_repetition() -> None:
    merged = merge(WebXml(listeners=["a"], roles=["x"]), WebXml(listeners=["b", "a"], roles=["x", "y"]))
    assert (merged.listeners, merged.roles) == (["a", "b"], ["x", "y"])


def test_the_login_of_the_application_wins() -> None:
    high, low = LoginConfig("FORM"), LoginConfig("BASIC")
    assert merge(WebXml(login=high), WebXml(login=low)).login is high
    assert merge(WebXml(), WebXml(login=low)).login is low
