"""A merged descriptor as XML again, for the log (Tomcat: util/descriptor/web/WebXml.toXml; logEffectiveWebXml)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from xml.sax.saxutils import escape

from catalina.descriptor.elements import FilterDef, FilterMap, SecurityConstraint, ServletDef, SessionConfig
from catalina.descriptor.web_xml import WebXml

__all__ = ["to_xml"]

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0">\n'


def to_xml(web_xml: WebXml) -> str:
    """The whole descriptor; reading it gives the same value."""
    parts = [HEAD]
    parts += [_element("display-name", web_xml.display_name)] if web_xml.display_name else []
    parts += ["  <distributable/>\n"] if web_xml.distributable else []
    parts += ["  <deny-uncovered-http-methods/>\n"] if web_xml.deny_uncovered_http_methods else []
    parts += [_group("context-param", [("param-name", name), ("param-value", value)])
              for name, value in web_xml.context_parameters.items()]  # fmt: skip
    parts += [_filter(each) for each in web_xml.filters.values()]
    parts += [_filter_mapping(each) for each in web_xml.filter_mappings]
    parts += [_group("listener", [("listener-class", name)]) for name in web_xml.listeners]
    parts += [_servlet(each) for each in web_xml.servlets.values()]
    parts += [_group("servlet-mapping", [("servlet-name", name), ("url-pattern", pattern)])
              for pattern, name in web_xml.servlet_mappings.items()]  # fmt: skip
    parts.append(_session(web_xml.session))
    parts += [_group("mime-mapping", [("extension", name), ("mime-type", kind)])
              for name, kind in web_xml.mime_mappings.items()]  # fmt: skip
    if web_xml.welcome_files:
        parts.append(_group("welcome-file-list", [("welcome-file", name) for name in web_xml.welcome_files]))
    for page in web_xml.error_pages:
        error = [("error-code", str(page.error_code))] if page.error_code is not None else []
        error += [("exception-type", page.exception_type)] if page.exception_type else []
        parts.append(_group("error-page", [*error, ("location", page.location)]))
    parts += [_constraint(each) for each in web_xml.constraints]
    parts += _login(web_xml)
    parts += [_group("security-role", [("role-name", role)]) for role in web_xml.roles]
    parts += _names(web_xml)
    for tag, value in (
        ("request-character-encoding", web_xml.request_character_encoding),
        ("response-character-encoding", web_xml.response_character_encoding),
    ):
        parts += [_element(tag, value)] if value else []
    return "".join([*parts, "</web-app>\n"])


def _element(tag: str, text: str, indent: str = "  ") -> str:
    return f"{indent}<{tag}>{escape(text)}</{tag}>\n"


def _group(tag: str, children: Iterable[tuple[str, str]], inner: str = "", indent: str = "  ") -> str:
    body = "".join(_element(name, text, indent + "  ") for name, text in children)
    return f"{indent}<{tag}>\n{body}{inner}{indent}</{tag}>\n"


def _parameters(parameters: Mapping[str, str]) -> str:
    return "".join(
        _group("init-param", [("param-name", name), ("param-value", value)], indent="    ")
        for name, value in parameters.items()
    )


def _servlet(servlet: ServletDef) -> str:
    children = [("servlet-name", servlet.name)]
    children += [("servlet-class", servlet.servlet_class)] if servlet.servlet_class else []
    children += [("jsp-file", servlet.jsp_file)] if servlet.jsp_file else []
    inner = _parameters(servlet.init_parameters)
    if servlet.load_on_startup is not None:
        inner += _element("load-on-startup", str(servlet.load_on_startup), "    ")
    if not servlet.enabled:
        inner += _element("enabled", "false", "    ")
    if servlet.run_as is not None:
        inner += _group("run-as", [("role-name", servlet.run_as)], indent="    ")
    for name, link in servlet.role_links.items():
        inner += _group("security-role-ref", [("role-name", name), ("role-link", link)], indent="    ")
    return _group("servlet", children, inner)


def _filter(definition: FilterDef) -> str:
    children = [("filter-name", definition.name), ("filter-class", definition.filter_class)]
    return _group("filter", children, _parameters(definition.init_parameters))


def _filter_mapping(mapping: FilterMap) -> str:
    children = [("filter-name", mapping.filter_name)]
    children += [("url-pattern", pattern) for pattern in mapping.url_patterns]
    children += [("servlet-name", name) for name in mapping.servlet_names]
    children += [("dispatcher", kind) for kind in sorted(mapping.dispatchers)]
    return _group("filter-mapping", children)


def _session(session: SessionConfig) -> str:
    cookie = [
        (tag, str(value).lower() if isinstance(value, bool) else str(value))
        for tag, value in (
            ("name", session.cookie_name),
            ("domain", session.cookie_domain),
            ("path", session.cookie_path),
            ("comment", session.comment),
            ("http-only", session.http_only),
            ("secure", session.secure),
            ("max-age", session.max_age),
        )
        if value is not None
    ]
    attributes = "".join(
        _group("attribute", [("attribute-name", name), ("attribute-value", value)], indent="      ")
        for name, value in session.attributes.items()
    )
    timeout = [] if session.timeout_minutes is None else [("session-timeout", str(session.timeout_minutes))]
    inner = _group("cookie-config", cookie, attributes, "    ") if cookie or attributes else ""
    inner += "".join(_element("tracking-mode", mode, "    ") for mode in sorted(session.tracking_modes))
    return _group("session-config", timeout, inner) if timeout or inner else ""


def _constraint(constraint: SecurityConstraint) -> str:
    inner = ""
    for each in constraint.collections:
        children = [("web-resource-name", each.name)] if each.name else []
        children += [("url-pattern", pattern) for pattern in each.url_patterns]
        children += [("http-method", method) for method in sorted(each.methods)]
        children += [("http-method-omission", method) for method in sorted(each.omitted_methods)]
        inner += _group("web-resource-collection", children, indent="    ")
    if constraint.auth_constraint:
        inner += _group("auth-constraint", [("role-name", role) for role in constraint.roles], indent="    ")
    if constraint.transport_guarantee != "NONE":
        children = [("transport-guarantee", constraint.transport_guarantee)]
        inner += _group("user-data-constraint", children, indent="    ")
    return _group(
        "security-constraint", [("display-name", constraint.display_name)] if constraint.display_name else [], inner
    )


def _login(web_xml: WebXml) -> list[str]:
    login = web_xml.login
    if login is None:
        return []
    children = [("auth-method", login.auth_method)] if login.auth_method else []
    children += [("realm-name", login.realm_name)] if login.realm_name is not None else []
    pages = [
        (tag, page)
        for tag, page in (("form-login-page", login.login_page), ("form-error-page", login.error_page))
        if page
    ]
    inner = _group("form-login-config", pages, indent="    ") if pages else ""
    return [_group("login-config", children, inner)]


def _names(web_xml: WebXml) -> list[str]:
    """Environment entries and resource references."""
    parts = []
    for entry in web_xml.env_entries.values():
        children = [("env-entry-name", entry.name), ("env-entry-type", entry.type)]
        children += [("env-entry-value", entry.value)] if entry.value is not None else []
        parts.append(_group("env-entry", children))
    for reference in web_xml.resource_refs.values():
        children = [("res-ref-name", reference.name)]
        children += [("res-type", reference.type)] if reference.type else []
        children += [("res-auth", reference.auth)]
        children += [] if reference.shareable else [("res-sharing-scope", "Unshareable")]
        parts.append(_group("resource-ref", children))
    return parts
