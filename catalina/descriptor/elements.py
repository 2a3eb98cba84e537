"""The elements of web.xml as values (Servlet 6.0, chapter 14). Each knows its place."""

from __future__ import annotations

from dataclasses import dataclass, field

from catalina.place import Place

__all__ = [
    "DispatcherType",
    "EnvEntry",
    "ErrorPage",
    "FilterDef",
    "FilterMap",
    "LoginConfig",
    "MultipartConfig",
    "ResourceRef",
    "SecurityCollection",
    "SecurityConstraint",
    "ServletDef",
    "SessionConfig",
]

#: REQUEST, FORWARD, INCLUDE, ERROR or ASYNC.
DispatcherType = str


@dataclass(slots=True)
class MultipartConfig:
    """``<multipart-config>``; sizes in bytes, -1 for no limit."""

    location: str = ""
    max_file_size: int = -1
    max_request_size: int = -1
    file_size_threshold: int = 0


@dataclass(slots=True)
class ServletDef:
    """``<servlet>``: a WSGI callable under a name.

    Args:
        servlet_class: ``module:attr``, a dotted name, or the className of one of the container's own servlets.
        load_on_startup: None or a negative number loads it with the first request.
        enabled: False keeps the mapping, but requests get 404.
    """

    name: str
    servlet_class: str = ""
    jsp_file: str = ""
    init_parameters: dict[str, str] = field(default_factory=dict)
    load_on_startup: int | None = None
    enabled: bool = True
    run_as: str | None = None
    role_links: dict[str, str] = field(default_factory=dict)
    multipart: MultipartConfig | None = None
    place: Place | None = None
    #: True for names that an application may define itself without a clash: those of conf/web.xml.
    overridable: bool = False


@dataclass(slots=True)
class FilterDef:
    """``<filter>``: a factory of WSGI middleware under a name."""

    name: str
    filter_class: str = ""
    init_parameters: dict[str, str] = field(default_factory=dict)
    place: Place | None = None


@dataclass(slots=True)
class FilterMap:
    """``<filter-mapping>``: the paths, servlets and kinds of dispatch for which a filter runs."""

    filter_name: str
    url_patterns: list[str] = field(default_factory=list)
    servlet_names: list[str] = field(default_factory=list)
    dispatchers: frozenset[DispatcherType] = frozenset({"REQUEST"})
    place: Place | None = None


@dataclass(slots=True)
class ErrorPage:
    """``<error-page>``: exactly one of ``error_code`` and ``exception_type``, or neither: the default for all."""

    location: str
    error_code: int | None = None
    exception_type: str | None = None
    place: Place | None = None


@dataclass(slots=True)
class SecurityCollection:
    """``<web-resource-collection>``: url-patterns, and the methods that it covers.

    Without ``methods`` and ``omitted_methods`` it covers all methods.
    """

    name: str = ""
    url_patterns: list[str] = field(default_factory=list)
    methods: frozenset[str] = frozenset()
    omitted_methods: frozenset[str] = frozenset()

    def covers_method(self, method: str) -> bool:
        """True when the collection covers that method."""
        if self.methods:
            return method in self.methods
        return method not in self.omitted_methods


@dataclass(slots=True)
class SecurityConstraint:
    """``<security-constraint>``.

    Args:
        auth_constraint: True when there is an ``<auth-constraint>``; without roles in it nobody may pass.
        roles: names; ``*`` is any role the application declares, ``**`` any user who has logged in.
        transport_guarantee: NONE, INTEGRAL or CONFIDENTIAL.
    """

    collections: list[SecurityCollection] = field(default_factory=list)
    auth_constraint: bool = False
    roles: tuple[str, ...] = ()
    transport_guarantee: str = "NONE"
    display_name: str = ""
    place: Place | None = None


@dataclass(slots=True)
class LoginConfig:
    """``<login-config>``: BASIC, DIGEST, FORM, CLIENT-CERT, NONE or a name of the operator's."""

    auth_method: str = ""
    realm_name: str | None = None
    login_page: str | None = None
    error_page: str | None = None
    place: Place | None = None


@dataclass(slots=True)
class SessionConfig:
    """``<session-config>``; None means "not given here", so that a default applies.

    Args:
        timeout_minutes: 0 or less is never.
        max_age: seconds, -1 until the browser ends.
        attributes: free attributes of the cookie, as ``SameSite``.
        tracking_modes: of COOKIE, URL, SSL.
    """

    timeout_minutes: int | None = None
    cookie_name: str | None = None
    cookie_domain: str | None = None
    cookie_path: str | None = None
    comment: str | None = None
    http_only: bool | None = None
    secure: bool | None = None
    max_age: int | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    tracking_modes: frozenset[str] = frozenset()


@dataclass(slots=True)
class EnvEntry:
    """``<env-entry>``: a value in the application's names."""

    name: str
    type: str = "java.lang.String"
    value: str | None = None
    lookup_name: str | None = None
    place: Place | None = None


@dataclass(slots=True)
class ResourceRef:
    """``<resource-ref>`` or ``<resource-env-ref>``: a resource that the application expects to find by name."""

    name: str
    type: str = ""
    auth: str = "Container"
    shareable: bool = True
    lookup_name: str | None = None
    place: Place | None = None
