"""Reads web.xml into a :class:`WebXml`; every complaint has its line (Tomcat: util/descriptor/web/WebRuleSet.java).

An application whose descriptor the container would misunderstand is refused: a bad url-pattern, a mapping of nothing,
two servlets for one pattern. An unknown element is a warning. Elements that only Java has (EJB references, tag
libraries, JSP groups, annotations' lifecycle methods) are known and left out.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

from catalina.descriptor.elements import (
    EnvEntry,
    ErrorPage,
    FilterDef,
    FilterMap,
    LoginConfig,
    MultipartConfig,
    ResourceRef,
    SecurityCollection,
    SecurityConstraint,
    ServletDef,
    SessionConfig,
)
from catalina.descriptor.web_xml import OTHERS, WebXml
from catalina.digester.findings import nearest
from catalina.digester.xml_tree import XmlElement, read_xml
from catalina.errors import ConfigurationError
from catalina.place import Place

__all__ = ["decode_pattern", "is_valid_pattern", "read_web_xml"]

DISPATCHERS = ("REQUEST", "FORWARD", "INCLUDE", "ERROR", "ASYNC")
TRACKING_MODES = ("COOKIE", "URL", "SSL")
GUARANTEES = ("NONE", "INTEGRAL", "CONFIDENTIAL")

#: Elements of which a second one would be ambiguous.
ONCE = frozenset({"absolute-ordering", "jsp-config", "login-config", "name", "ordering", "session-config"})

#: Elements of the schema without a meaning for a Python application.
JAVA_ONLY = frozenset(
    {
        "data-source",
        "administered-object",
        "connection-factory",
        "default-context-path",
        "description",
        "ejb-local-ref",
        "ejb-ref",
        "icon",
        "jms-connection-factory",
        "jms-destination",
        "jsp-config",
        "mail-session",
        "message-destination",
        "message-destination-ref",
        "module-name",
        "persistence-context-ref",
        "persistence-unit-ref",
        "post-construct",
        "pre-destroy",
        "service-ref",
        "taglib",
    }
)


def read_web_xml(
    path: Path,
    label: str | None = None,
    *,
    substitute: Callable[[str], str] | None = None,
    decoded_patterns: bool = False,
    block_external: bool = False,
) -> WebXml:
    """Read a descriptor.

    Args:
        label: the file's name in places; by default its name without directories.
        substitute: replaces ``${name}`` in every text.
        decoded_patterns: url-patterns are not percent-encoded (urlPatternsProvidedInDecodedForm).
        block_external: refuse entities from other files (xmlBlockExternal).

    Raises:
        ConfigurationError: the file cannot be read, is not well-formed, or contradicts the specification.
    """
    root = read_xml(path, label, block_external=block_external)
    if root.tag not in ("web-app", "web-fragment"):
        raise ConfigurationError(f"expected <web-app>, found <{root.tag}>", root.place)
    reader = _Reader(substitute or (lambda text: text), decoded_patterns)
    return reader.read(root)


class _Reader:
    """One descriptor; a method for each element below ``web-app``."""

    def __init__(self, substitute: Callable[[str], str], decoded_patterns: bool) -> None:
        self.substitute = substitute
        self.decoded_patterns = decoded_patterns
        self.result = WebXml()

    def read(self, root: XmlElement) -> WebXml:
        self.result.version = root.get("version") or ""
        self.result.metadata_complete = root.get("metadata-complete") == "true"
        seen: set[str] = set()
        for child in root.children:
            if child.tag in ONCE and child.tag in seen:
                raise ConfigurationError(f"<{child.tag}> element is limited to 1 occurrence", child.place)
            seen.add(child.tag)
            method = METHODS.get(child.tag)
            if method is not None:
                method(self, child)
            elif child.tag not in JAVA_ONLY:
                hint = nearest(child.tag, METHODS)
                self.result.warnings.append(
                    f"{child.place} <{child.tag}>: unknown element of <web-app>{hint}; left out"
                )
        return self.result

    # -- texts ---------------------------------------------------------------------------------------------------

    def own_text(self, element: XmlElement) -> str:
        return self.substitute(element.text).strip()

    def text(self, parent: XmlElement, tag: str) -> str | None:
        """The text of the first child of that tag, None when there is none."""
        found = next((child for child in parent.children if child.tag == tag), None)
        return None if found is None else self.own_text(found)

    def texts(self, parent: XmlElement, tag: str) -> list[str]:
        return [self.own_text(child) for child in parent.children if child.tag == tag]

    def required(self, parent: XmlElement, tag: str) -> str:
        found = self.text(parent, tag)
        if not found:
            raise ConfigurationError(f"<{parent.tag}> needs a <{tag}>", parent.place)
        return found

    def number(self, parent: XmlElement, tag: str) -> int | None:
        found = next((child for child in parent.children if child.tag == tag), None)
        if found is None or not (text := self.own_text(found)):
            return None
        try:
            return int(text)
        except ValueError:
            raise ConfigurationError(f"<{tag}> expects a whole number, found {text!r}", found.place) from None

    def boolean(self, parent: XmlElement, tag: str) -> bool | None:
        text = self.text(parent, tag)
        return None if text is None else text.lower() in ("true", "yes", "1")

    def words(self, parent: XmlElement, tag: str, allowed: tuple[str, ...]) -> frozenset[str]:
        for child in parent.children:
            if child.tag == tag and (text := self.own_text(child).upper()) not in allowed:
                raise ConfigurationError(f"<{tag}> expects one of {', '.join(allowed)}, found {text!r}", child.place)
        return frozenset(text.upper() for text in self.texts(parent, tag))

    def pairs(self, parent: XmlElement, tag: str, name: str, value: str) -> dict[str, str]:
        """Pairs of ``init-param`` and similar elements; the first with a name counts."""
        found: dict[str, str] = {}
        for child in parent.children:
            if child.tag == tag:
                found.setdefault(self.required(child, name), self.text(child, value) or "")
        return found

    def patterns(self, parent: XmlElement) -> list[tuple[str, Place]]:
        found = []
        for child in parent.children:
            if child.tag != "url-pattern":
                continue
            text = self.own_text(child)
            try:
                pattern = text if self.decoded_patterns else decode_pattern(text)
            except UnicodeDecodeError:
                raise ConfigurationError(f"<url-pattern> {text!r} is not percent-encoded UTF-8", child.place) from None
            if not is_valid_pattern(pattern):
                raise ConfigurationError(f"Invalid <url-pattern> [{pattern}] in <{parent.tag}>", child.place)
            found.append((pattern, child.place))
        return found

    # -- elements ------------------------------------------------------------------------------------------------

    def display_name(self, element: XmlElement) -> None:
        self.result.display_name = self.own_text(element)

    def name(self, element: XmlElement) -> None:
        self.result.name = self.own_text(element)

    def absolute_ordering(self, element: XmlElement) -> None:
        self.result.absolute_ordering = self._fragment_names(element)

    def ordering(self, element: XmlElement) -> None:
        for child in element.children:
            if child.tag == "before":
                self.result.before += self._fragment_names(child)
            elif child.tag == "after":
                self.result.after += self._fragment_names(child)

    def _fragment_names(self, element: XmlElement) -> list[str]:
        return [OTHERS if child.tag == "others" else self.own_text(child) for child in element.children]

    def distributable(self, _: XmlElement) -> None:
        self.result.distributable = True

    def deny_uncovered_http_methods(self, _: XmlElement) -> None:
        self.result.deny_uncovered_http_methods = True

    def context_param(self, element: XmlElement) -> None:
        self.result.context_parameters[self.required(element, "param-name")] = self.text(element, "param-value") or ""

    def servlet(self, element: XmlElement) -> None:
        name = self.required(element, "servlet-name")
        run_as = next((child for child in element.children if child.tag == "run-as"), None)
        self.result.servlets[name] = ServletDef(
            name,
            self.text(element, "servlet-class") or "",
            self.text(element, "jsp-file") or "",
            self.pairs(element, "init-param", "param-name", "param-value"),
            self.number(element, "load-on-startup"),
            self.boolean(element, "enabled") is not False,
            self.text(run_as, "role-name") if run_as is not None else None,
            self.pairs(element, "security-role-ref", "role-name", "role-link"),
            self._multipart(element),
            element.place,
        )

    def _multipart(self, servlet: XmlElement) -> MultipartConfig | None:
        found = next((child for child in servlet.children if child.tag == "multipart-config"), None)
        if found is None:
            return None
        limits = [self.number(found, tag) for tag in ("max-file-size", "max-request-size", "file-size-threshold")]
        max_file, max_request, threshold = limits
        return MultipartConfig(
            self.text(found, "location") or "",
            -1 if max_file is None else max_file,
            -1 if max_request is None else max_request,
            threshold or 0,
        )

    def servlet_mapping(self, element: XmlElement) -> None:
        name = self.required(element, "servlet-name")
        for pattern, place in self.patterns(element):
            other = self.result.servlet_mappings.get(pattern)
            if other is not None and other != name:
                raise ConfigurationError(
                    f"The servlets named [{other}] and [{name}] are both mapped to the url-pattern [{pattern}] which "
                    f"is not permitted (the first at {self.result.mapping_places[pattern]})",
                    place,
                )
            self.result.servlet_mappings[pattern] = name
            self.result.mapping_places[pattern] = place

    def filter(self, element: XmlElement) -> None:
        name = self.required(element, "filter-name")
        if name in self.result.filters:
            raise ConfigurationError(f"Duplicate filter name [{name}]", element.place)
        parameters = self.pairs(element, "init-param", "param-name", "param-value")
        self.result.filters[name] = FilterDef(name, self.text(element, "filter-class") or "", parameters, element.place)

    def filter_mapping(self, element: XmlElement) -> None:
        dispatchers = self.words(element, "dispatcher", DISPATCHERS)
        patterns = [pattern for pattern, _ in self.patterns(element)]
        servlets = self.texts(element, "servlet-name")
        if not patterns and not servlets:
            text = "Filter mapping must specify either a <url-pattern> or a <servlet-name>"
            raise ConfigurationError(text, element.place)
        name = self.required(element, "filter-name")
        mapping = FilterMap(name, patterns, servlets, dispatchers or frozenset({"REQUEST"}), element.place)
        self.result.filter_mappings.append(mapping)

    def listener(self, element: XmlElement) -> None:
        name = self.required(element, "listener-class")
        if name not in self.result.listeners:
            self.result.listeners.append(name)

    def session_config(self, element: XmlElement) -> None:
        session = self.result.session
        timeout = self.number(element, "session-timeout")
        session.timeout_minutes = session.timeout_minutes if timeout is None else timeout
        session.tracking_modes |= self.words(element, "tracking-mode", TRACKING_MODES)
        for child in element.children:
            if child.tag == "cookie-config":
                self._cookie_config(session, child)

    def _cookie_config(self, session: SessionConfig, element: XmlElement) -> None:
        session.cookie_name = self.text(element, "name") or session.cookie_name
        session.cookie_domain = self.text(element, "domain") or session.cookie_domain
        session.cookie_path = self.text(element, "path") or session.cookie_path
        session.comment = self.text(element, "comment") or session.comment
        session.http_only = self.boolean(element, "http-only")
        session.secure = self.boolean(element, "secure")
        session.max_age = self.number(element, "max-age")
        for child in element.children:
            if child.tag == "attribute":
                name, value = self.required(child, "attribute-name"), self.text(child, "attribute-value") or ""
                self._cookie_attribute(session, name, value, child.place)

    @staticmethod
    def _cookie_attribute(session: SessionConfig, name: str, value: str, place: Place) -> None:
        """Set an attribute of the cookie by name; one with an element of its own may also be set this way, in any case
        of letters.
        """
        match name.lower():
            case "max-age":
                try:
                    session.max_age = int(value)
                except ValueError:
                    raise ConfigurationError(
                        f"<attribute> Max-Age expects a whole number, found {value!r}", place
                    ) from None
            case "secure":
                session.secure = value.lower() == "true"
            case "httponly":
                session.http_only = value.lower() == "true"
            case "domain":
                session.cookie_domain = value
            case "path":
                session.cookie_path = value
            case "comment":
                session.comment = value
            case lower:
                older = next((key for key in session.attributes if key.lower() == lower), name)
                session.attributes[older] = value

    def mime_mapping(self, element: XmlElement) -> None:
        self.result.mime_mappings[self.required(element, "extension")] = self.required(element, "mime-type")

    def welcome_file_list(self, element: XmlElement) -> None:
        self.result.welcome_files += [name for name in self.texts(element, "welcome-file") if name]

    def error_page(self, element: XmlElement) -> None:
        location = self.required(element, "location")
        if not location.startswith("/"):
            raise ConfigurationError(f"Error page location [{location}] must start with a '/'", element.place)
        code = self.number(element, "error-code")
        exception = self.text(element, "exception-type") or None
        self.result.error_pages.append(ErrorPage(unquote(location), code, exception, element.place))

    def security_constraint(self, element: XmlElement) -> None:
        constraint = SecurityConstraint(display_name=self.text(element, "display-name") or "", place=element.place)
        for child in element.children:
            if child.tag == "web-resource-collection":
                constraint.collections.append(self._collection(child))
            elif child.tag == "auth-constraint":
                constraint.auth_constraint = True
                constraint.roles = (*constraint.roles, *self.texts(child, "role-name"))
            elif child.tag == "user-data-constraint":
                guarantee = self.words(child, "transport-guarantee", GUARANTEES)
                constraint.transport_guarantee = next(iter(guarantee), "NONE")
        if not constraint.collections:
            # It would protect nothing, although its author meant it to.
            raise ConfigurationError("<security-constraint> needs a <web-resource-collection>", element.place)
        self.result.constraints.append(constraint)

    def _collection(self, element: XmlElement) -> SecurityCollection:
        return SecurityCollection(
            self.text(element, "web-resource-name") or "",
            [pattern for pattern, _ in self.patterns(element)],
            frozenset(self.texts(element, "http-method")),
            frozenset(self.texts(element, "http-method-omission")),
        )

    def login_config(self, element: XmlElement) -> None:
        form = next((child for child in element.children if child.tag == "form-login-config"), None)
        self.result.login = LoginConfig(
            self.text(element, "auth-method") or "",
            self.text(element, "realm-name"),
            self._login_page(form, "form-login-page", "login") if form is not None else None,
            self._login_page(form, "form-error-page", "error") if form is not None else None,
            element.place,
        )

    def _login_page(self, form: XmlElement, tag: str, kind: str) -> str | None:
        text = self.text(form, tag)
        if text is not None and not text.startswith("/"):
            raise ConfigurationError(f"Form {kind} page [{text}] must start with a '/'", form.place)
        return None if text is None else unquote(text)

    def security_role(self, element: XmlElement) -> None:
        name = self.required(element, "role-name")
        if name not in self.result.roles:
            self.result.roles.append(name)

    def env_entry(self, element: XmlElement) -> None:
        name = self.required(element, "env-entry-name")
        kind = self.text(element, "env-entry-type") or "java.lang.String"
        value, lookup = self.text(element, "env-entry-value"), self.text(element, "lookup-name")
        self.result.env_entries[name] = EnvEntry(name, kind, value, lookup, element.place)

    def resource_ref(self, element: XmlElement) -> None:
        name = self.required(element, "res-ref-name")
        shareable = (self.text(element, "res-sharing-scope") or "Shareable") != "Unshareable"
        auth = self.text(element, "res-auth") or "Container"
        kind, lookup = self.text(element, "res-type") or "", self.text(element, "lookup-name")
        self.result.resource_refs[name] = ResourceRef(name, kind, auth, shareable, lookup, element.place)

    def resource_env_ref(self, element: XmlElement) -> None:
        name = self.required(element, "resource-env-ref-name")
        kind, lookup = self.text(element, "resource-env-ref-type") or "", self.text(element, "lookup-name")
        self.result.resource_refs[name] = ResourceRef(name, kind, lookup_name=lookup, place=element.place)

    def locale_encoding_mapping_list(self, element: XmlElement) -> None:
        pairs = self.pairs(element, "locale-encoding-mapping", "locale", "encoding")
        self.result.locale_encodings.update(pairs)

    def request_character_encoding(self, element: XmlElement) -> None:
        self.result.request_character_encoding = self.own_text(element) or None

    def response_character_encoding(self, element: XmlElement) -> None:
        self.result.response_character_encoding = self.own_text(element) or None


#: Tag -> method, for everything below web-app in the schema that Python has a use for.
METHODS: dict[str, Callable[[_Reader, XmlElement], None]] = {
    "absolute-ordering": _Reader.absolute_ordering,
    "name": _Reader.name,
    "ordering": _Reader.ordering,
    "context-param": _Reader.context_param,
    "deny-uncovered-http-methods": _Reader.deny_uncovered_http_methods,
    "display-name": _Reader.display_name,
    "distributable": _Reader.distributable,
    "env-entry": _Reader.env_entry,
    "error-page": _Reader.error_page,
    "filter": _Reader.filter,
    "filter-mapping": _Reader.filter_mapping,
    "listener": _Reader.listener,
    "locale-encoding-mapping-list": _Reader.locale_encoding_mapping_list,
    "login-config": _Reader.login_config,
    "mime-mapping": _Reader.mime_mapping,
    "request-character-encoding": _Reader.request_character_encoding,
    "resource-env-ref": _Reader.resource_env_ref,
    "resource-ref": _Reader.resource_ref,
    "response-character-encoding": _Reader.response_character_encoding,
    "security-constraint": _Reader.security_constraint,
    "security-role": _Reader.security_role,
    "servlet": _Reader.servlet,
    "servlet-mapping": _Reader.servlet_mapping,
    "session-config": _Reader.session_config,
    "welcome-file-list": _Reader.welcome_file_list,
}


def is_valid_pattern(pattern: str) -> bool:
    """True for ``""``, ``/``, ``/exact``, ``/prefix/*`` and ``*.extension``; an asterisk elsewhere means nothing.

    Servlet 6.0, section 12.2; Tomcat: StandardContext.validateURLPattern.
    """
    if pattern in ("", "/", "/*"):
        return True
    if "\n" in pattern or "\r" in pattern:
        return False
    if pattern.startswith("*."):
        return len(pattern) > 2 and "/" not in pattern
    return pattern.startswith("/") and "*." not in pattern


def decode_pattern(pattern: str) -> str:
    """Decode a pattern of a descriptor, which is a URL and so percent-encoded."""
    return unquote(pattern, errors="strict") if "%" in pattern else pattern
