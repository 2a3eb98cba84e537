"""Attributes that Tomcat documents for a class are declared on ours, under the same name and with the same default."""

from __future__ import annotations

from typing import Any

import pytest

from catalina.attributes import Attribute, Component
from catalina.connector.connector import PROTOCOLS, Connector
from catalina.digester.class_names import JAVA_ONLY, OLD_NAMES, find_class
from catalina.digester.recognised import recognised_class, retired_attributes
from tests.support.tomcat_table import TomcatClass, tomcat_classes

#: Names that stand for a family (errorCode.404 ...), which the class takes without declaring each.
FAMILIES = {
    "org.apache.catalina.filters.ExpiresFilter": {"ExpiresByType_<content-type>"},
    "org.apache.catalina.valves.ErrorReportValve": {"errorCode.nnn", "exceptionType.fullyQualifiedClassName"},
}
#: Declared where Tomcat has them in truth: on the Connector, not on its protocol handler.
ON_THE_CONNECTOR = {"throwOnFailure", "maxCookieCount"}

_UNSET = "what is not set leaves the system's own default"
_SAME = "the same value, written as our type has it"
#: Attribute, or class and attribute -> why its default is written otherwise, or is another one.
OTHER_DEFAULTS = {
    "X509UsernameRetrieverClassName": "the class that Java uses when none is named",
    "socket.ooBInline": _UNSET,
    "socket.rxBufSize": _UNSET,
    "socket.soKeepAlive": _UNSET,
    "socket.soLingerOn": _UNSET,
    "socket.soLingerTime": _UNSET,
    "socket.soReuseAddress": _UNSET,
    "socket.soTimeout": "what is not set is connectionTimeout",
    "socket.tcpNoDelay": "what is not set is tcpNoDelay",
    "socket.txBufSize": _UNSET,
    "keepAliveTimeout": "what is not set is connectionTimeout",
    "allowLinking": "what is not set is that of <Resources>",
    "Http11NioProtocol maxHttpRequestHeaderSize": "what is not set is maxHttpHeaderSize",
    "Http11NioProtocol maxHttpResponseHeaderSize": "what is not set is maxHttpHeaderSize",
    "AjpNioProtocol address": _SAME,
    "NioReceiver address": "auto, which Java's getter has looked up already",
    "McastService ttl": "-1 and Java's 0 both leave it to the system",
    "HeartbeatListener Port": "0 is the port of the first connector, as documented; Java's code says 8009",
    "JNDIRealm authentication": "what JNDI does when none is named",
    "JNDIRealm derefAliases": "what JNDI does when none is named",
    "JNDIRealm referrals": "what JNDI does when none is named",
    "SecurityListener minimumUmask": _SAME,
    "AccessLogValve encoding": "the platform's in Java; here always UTF-8",
    "AccessLogValve locale": "Java asks the platform; names of months and days are English here unless it is set",
    "JarResourceSet readOnly": "always read-only, whatever the attribute says",
    "WarResourceSet readOnly": "always read-only, whatever the attribute says",
    "ContextResourceLink factory": "the factory that Java uses when none is named",
    "SSLHostConfig cipherSuites": "OpenSSL's own list",
    "SSLHostConfig protocols": "all, which Java's getter has taken apart already",
    "SSLHostConfigCertificate certificateKeystoreFile": "there is no ~/.keystore of the JDK to look for",
    "SSLHostConfig keyManagerAlgorithm": "a name that only Java gives",
    "SSLHostConfig truststoreAlgorithm": "a name that only Java gives",
    "DefaultServlet fileEncoding": "files are sent as the bytes they are",
    "DefaultServlet precompressed": "no codings, which is false",
    "WebdavServlet propertyStore": "the store in memory has no name here",
    "SSLHostConfig truststoreType": "read from the file's first bytes",
}


def components() -> dict[str, type[Component]]:
    """className -> our class, for those of the table that are components here."""
    found = {name: find_class(name) for name in tomcat_classes()}
    return {name: kind for name, kind in found.items() if kind is not None and issubclass(kind, Component)}


def declared(kind: type[Component]) -> dict[str, Attribute[Any]]:
    names: dict[str, Attribute[Any]] = kind.attributes()
    if issubclass(kind, Connector):
        names = {**type(kind().protocol_handler).attributes(), **names}
    return names


def retired(class_name: str) -> frozenset[str]:
    names = retired_attributes(class_name) | retired_attributes(OLD_NAMES.get(class_name, class_name))
    if class_name.startswith(("org.apache.coyote.http11", "org.apache.coyote.ajp")):
        names |= retired_attributes("org.apache.catalina.connector.Connector")
    return names


def undeclared(known: TomcatClass, kind: type[Component]) -> list[str]:
    there = set(declared(kind)) | FAMILIES.get(known.name, set()) | retired(known.name)
    if known.name.startswith("org.apache.coyote."):
        there |= ON_THE_CONNECTOR
    return sorted(set(known.attributes) - there)


def written(value: Any) -> str:
    """A default as the table writes it; words in lower case, sets in their order."""
    if value is None or value == "" or value == b"":
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes):
        return ",".join(str(byte) for byte in value)
    if isinstance(value, tuple | list | frozenset | set):
        return ",".join(sorted(str(item) for item in value)) or "-"
    return " ".join(str(getattr(value, "pattern", value)).split())


def normal(default: str) -> str:
    """The table's text: a list of words has no order that matters, and Java's own character class is spelt out."""
    if "," in default and not any(mark in default for mark in "(|:"):
        default = ",".join(sorted(default.split(",")))
    return default.replace(r"\p{XDigit}", "[0-9a-fA-F]")


def test_every_documented_attribute_is_declared() -> None:
    """Those of older branches are declared, or retired: said once and no mistake."""
    lacking = {
        name: found for name, kind in components().items() if (found := undeclared(tomcat_classes()[name], kind))
    }
    assert lacking == {}


def test_every_default_is_tomcats() -> None:
    others = []
    for class_name, kind in components().items():
        ours = declared(kind)
        for name, attribute in tomcat_classes()[class_name].attributes.items():
            simple = f"{class_name.rpartition('.')[2]} {name}"
            if attribute.until or name not in ours or simple in OTHER_DEFAULTS or name in OTHER_DEFAULTS:
                continue
            default = written(ours[name].default)
            if normal(default).lower() != normal(attribute.default).lower():
                others.append(f"{simple}: ours {default}, Tomcat's {attribute.default}")
    assert others == []


def test_no_reason_for_another_default_is_left_over() -> None:
    needed = set()
    for class_name, kind in components().items():
        ours = declared(kind)
        for name, attribute in tomcat_classes()[class_name].attributes.items():
            if name in ours and normal(written(ours[name].default)).lower() != normal(attribute.default).lower():
                needed |= {name, f"{class_name.rpartition('.')[2]} {name}"}
    assert set(OTHER_DEFAULTS) - needed == set()


def is_answered(class_name: str) -> bool:
    """Implemented, of no meaning in Python, an old name, a protocol, or recognised with a reason."""
    return (
        find_class(class_name) is not None
        or class_name in JAVA_ONLY
        or class_name in OLD_NAMES
        or class_name in PROTOCOLS
        or recognised_class(class_name) is not None
    )


def test_every_class_has_an_answer() -> None:
    assert [name for name in tomcat_classes() if not is_answered(name)] == []


@pytest.mark.parametrize("role", ["Valve", "Realm", "Manager", "Interceptor", "CredentialHandler"])
def test_no_class_of_a_role_that_guards_is_left_out_silently(role: str) -> None:
    """One that is recognised only says that it guards, so that a file which names it does not start."""
    silent = [
        known.name
        for known in tomcat_classes().values()
        if role in known.elements
        and find_class(known.name) is None
        and (recognised := recognised_class(known.name)) is not None
        and not recognised.guards
    ]
    assert silent == ["org.apache.catalina.valves.RequestDumperValve"] * (role == "Valve")
