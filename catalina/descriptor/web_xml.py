"""A web.xml as one value, and how two of them merge (Tomcat: util/descriptor/web/WebXml.java)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, TypeVar

from catalina.descriptor.elements import (
    EnvEntry,
    ErrorPage,
    FilterDef,
    FilterMap,
    LoginConfig,
    ResourceRef,
    SecurityConstraint,
    ServletDef,
    SessionConfig,
)
from catalina.place import Place

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["OTHERS", "WebXml", "merge"]

#: ``<others/>`` of an ordering.
OTHERS = "*"

T = TypeVar("T", bound="DataclassInstance")
D = TypeVar("D", ServletDef, FilterDef)


@dataclass(slots=True)
class WebXml:
    """The content of a descriptor. An empty one stands for an application without web.xml."""

    #: The name of a web-fragment.xml, by which others refer to it.
    name: str = ""
    #: Names of fragments in order; None leaves it to the fragments. ``OTHERS`` stands for the rest.
    absolute_ordering: list[str] | None = None
    #: Names of fragments that this one wants to be before, and after.
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    display_name: str = ""
    version: str = ""
    metadata_complete: bool = False
    distributable: bool = False
    deny_uncovered_http_methods: bool = False
    context_parameters: dict[str, str] = field(default_factory=dict)
    servlets: dict[str, ServletDef] = field(default_factory=dict)
    #: url-pattern -> servlet name.
    servlet_mappings: dict[str, str] = field(default_factory=dict)
    #: url-pattern -> its place.
    mapping_places: dict[str, Place] = field(default_factory=dict)
    filters: dict[str, FilterDef] = field(default_factory=dict)
    filter_mappings: list[FilterMap] = field(default_factory=list)
    listeners: list[str] = field(default_factory=list)
    session: SessionConfig = field(default_factory=SessionConfig)
    mime_mappings: dict[str, str] = field(default_factory=dict)
    welcome_files: list[str] = field(default_factory=list)
    error_pages: list[ErrorPage] = field(default_factory=list)
    constraints: list[SecurityConstraint] = field(default_factory=list)
    login: LoginConfig | None = None
    roles: list[str] = field(default_factory=list)
    env_entries: dict[str, EnvEntry] = field(default_factory=dict)
    resource_refs: dict[str, ResourceRef] = field(default_factory=dict)
    locale_encodings: dict[str, str] = field(default_factory=dict)
    request_character_encoding: str | None = None
    response_character_encoding: str | None = None
    #: Remarks about parts that were not understood, each with its place.
    warnings: list[str] = field(default_factory=list)


def merge(high: WebXml, low: WebXml) -> WebXml:
    """Merge two descriptors; ``high`` overrides ``low``, which has defaults. Neither is changed.

    Only the application itself can declare that it is ``distributable``; a default cannot.
    """
    return replace(
        high,
        deny_uncovered_http_methods=high.deny_uncovered_http_methods or low.deny_uncovered_http_methods,
        context_parameters={**low.context_parameters, **high.context_parameters},
        servlets=_merge_definitions(high.servlets, low.servlets),
        servlet_mappings={**low.servlet_mappings, **high.servlet_mappings},
        mapping_places={**low.mapping_places, **high.mapping_places},
        filters=_merge_definitions(high.filters, low.filters),
        filter_mappings=_merge_filter_mappings(high.filter_mappings, low.filter_mappings),
        listeners=list(dict.fromkeys([*high.listeners, *low.listeners])),
        session=_fill(high.session, low.session),
        mime_mappings={**low.mime_mappings, **high.mime_mappings},
        welcome_files=high.welcome_files or low.welcome_files,
        error_pages=[*low.error_pages, *high.error_pages],
        constraints=[*high.constraints, *low.constraints],
        login=high.login or low.login,
        roles=list(dict.fromkeys([*high.roles, *low.roles])),
        env_entries={**low.env_entries, **high.env_entries},
        resource_refs={**low.resource_refs, **high.resource_refs},
        locale_encodings={**low.locale_encodings, **high.locale_encodings},
        request_character_encoding=high.request_character_encoding or low.request_character_encoding,
        response_character_encoding=high.response_character_encoding or low.response_character_encoding,
        warnings=[*high.warnings, *low.warnings],
    )


def _merge_definitions(high: dict[str, D], low: dict[str, D]) -> dict[str, D]:
    """Merge definitions of the same name into one, in the order of the defaults, then of the application's own."""
    merged = dict(low)
    for name, definition in high.items():
        below = low.get(name)
        merged[name] = definition if below is None else _merge_definition(definition, below)
    return merged


def _merge_definition(high: D, low: D) -> D:
    filled = _fill(high, low)
    filled.init_parameters = {**low.init_parameters, **high.init_parameters}
    return filled


def _merge_filter_mappings(high: Iterable[FilterMap], low: Iterable[FilterMap]) -> list[FilterMap]:
    """Leave out the default's mapping of a filter that the application maps itself."""
    own = list(high)
    names = {mapping.filter_name for mapping in own}
    return [*own, *(mapping for mapping in low if mapping.filter_name not in names)]


def _fill(high: T, low: T) -> T:
    """A copy of ``high`` with the missing parts taken from ``low``."""
    unsaid = {
        each.name: getattr(low, each.name)
        for each in fields(high)
        if getattr(high, each.name) in (None, "", frozenset()) or getattr(high, each.name) == {}
    }
    return replace(high, **unsaid)
