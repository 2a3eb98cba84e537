from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from catalina.digester.class_names import (
    JAVA_ONLY,
    OLD_NAMES,
    ClassBroken,
    find_class,
    module_of,
    snake_case,
    why_not_found,
)


@pytest.mark.parametrize(
    ("class_name", "module"),
    [
        ("SimpleTcpCluster", "simple_tcp_cluster"),
        ("RemoteCIDRValve", "remote_cidr_valve"),
        ("JNDIRealm", "jndi_realm"),
        ("SSLHostConfig", "ssl_host_config"),
        ("Http11NioProtocol", "http11_nio_protocol"),
        ("Rfc6265CookieProcessor", "rfc6265_cookie_processor"),
        ("DNSMembershipProvider", "dns_membership_provider"),
    ],
)
def test_a_class_name_in_snake_case_is_its_module(class_name: str, module: str) -> None:
    assert snake_case(class_name) == module


@pytest.mark.parametrize(
    ("class_name", "expected"),
    [
        ("org.apache.catalina.ha.tcp.SimpleTcpCluster", ("catalina.ha.tcp.simple_tcp_cluster", "SimpleTcpCluster")),
        ("org.apache.coyote.http2.Http2Protocol", ("catalina.coyote.http2.http2_protocol", "Http2Protocol")),
        ("org.apache.tomcat.util.net.SSLHostConfig", ("catalina.tomcat.util.net.ssl_host_config", "SSLHostConfig")),
        ("org.apache.juli.FileHandler", ("catalina.juli.file_handler", "FileHandler")),
    ],
)
def test_a_class_of_tomcat_lies_in_the_package_of_its_name(class_name: str, expected: tuple[str, str]) -> None:
    assert module_of(class_name) == expected


def test_a_class_is_found_by_its_name() -> None:
    found = find_class("org.apache.catalina.core.StandardServer")
    assert found is not None
    assert found.__module__ == "catalina.core.standard_server"


def test_an_old_name_is_the_class_of_today() -> None:
    old = "org.apache.catalina.cluster.session.DeltaManager"
    assert OLD_NAMES[old] == "org.apache.catalina.ha.session.DeltaManager"


def test_every_old_name_leads_to_a_name_that_is_not_old() -> None:
    assert not [name for name, today in OLD_NAMES.items() if today in OLD_NAMES or today in JAVA_ONLY]


@pytest.mark.parametrize(
    "class_name", ["org.apache.catalina.valves.NoSuchValve", "org.nowhere.X", "nopackage", "catalina.errors.NoSuch"]
)
def test_a_name_that_nothing_answers_to_is_none(class_name: str) -> None:
    assert find_class(class_name) is None


def test_another_name_is_a_python_path() -> None:
    found = find_class("catalina.attributes.Component")
    assert found is not None
    assert found.__name__ == "Component"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    def write(name: str, text: str) -> None:
        (tmp_path / f"{name}.py").write_text(text)

    monkeypatch.syspath_prepend(str(tmp_path))
    yield write
    for name in [name for name in sys.modules if name.startswith("digester_case_")]:
        del sys.modules[name]


def test_a_module_that_does_not_import_says_why(module: Callable[[str, str], None]) -> None:
    module("digester_case_broken", "import no_such_module_anywhere")
    with pytest.raises(ClassBroken, match=r"digester_case_broken cannot be imported: .*no_such_module_anywhere"):
        find_class("digester_case_broken.AuditValve")


def test_something_else_than_a_class_is_refused(module: Callable[[str, str], None]) -> None:
    module("digester_case_function", "def AuditValve(): ...")
    with pytest.raises(ClassBroken, match="is a function, not a class"):
        find_class("digester_case_function.AuditValve")


def test_an_entry_point_of_an_installed_package_is_found(tmp_path: Path, module: Callable[[str, str], None]) -> None:
    module("digester_case_package", "class AuditValve: ...")
    info = tmp_path / "digester_case-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: digester_case\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[catalina.components]\nshop.Audit = digester_case_package:AuditValve\n")
    found = find_class("shop.Audit")
    assert found is not None
    assert found.__name__ == "AuditValve"


def test_an_operators_class_that_is_missing_says_what_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "corner_shop").mkdir()
    (tmp_path / "corner_shop" / "__init__.py").touch()
    (tmp_path / "corner_shop" / "valves.py").write_text("class AuditValve: ...\n")
    (tmp_path / "corner_shop" / "broken.py").write_text("import a_module_that_nobody_has\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(
        ClassBroken, match=r"module corner_shop.valves has no class AuditValv; did you mean AuditValve\?"
    ):
        find_class("corner_shop.valves.AuditValv")
    with pytest.raises(ClassBroken, match=r"corner_shop.broken cannot be imported: .*a_module_that_nobody_has"):
        find_class("corner_shop.broken.Valve")
    assert find_class("corner_shop.filters.Valve") is None
    assert why_not_found("corner_shop.filters.Valve") == ": the package corner_shop has no module corner_shop.filters"
    assert why_not_found("chain_store.Valve").startswith(
        ": there is no package chain_store; the server's own code lies"
    )
    assert why_not_found("org.apache.catalina.valves.Missing") == ""
