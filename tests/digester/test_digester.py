from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from catalina.attributes import Attribute, Component, Element, Text, choice
from catalina.digester.digester import Digested, Digester
from catalina.digester.findings import UnusableConfiguration
from catalina.digester.recognised import RecognisedClass
from catalina.digester.substitution import MappingSource, Substitution
from catalina.errors import ConfigurationError
from catalina.place import Place


class Part(Component):
    def __init__(self) -> None:
        super().__init__()
        self.added: list[Any] = []

    def add(self, child: Any) -> None:
        self.added.append(child)


class Valve(Part):
    size = Attribute(int, 100, unit="bytes", doc="A number.")
    mode = Attribute(choice("fast", "safe"), "safe", doc="A word.")
    async_supported = Attribute(bool, True, inert="WSGI has no asynchronous processing")


class Realm(Part):
    elements = {"Realm": Element(add=Part.add)}


class Host(Part):
    elements = {
        "Alias": Text(add=lambda host, text: host.add(text)),
        "Valve": Element(add=Part.add, role=Valve, guards=True),
        "Realm": Element(add=Part.add, guards=True),
        "Listener": Element(add=Part.add),
        "Manager": Element(add=Part.add, default=f"{__name__}.Valve", guards=True),
    }

    def add(self, child: Any) -> None:
        if child == "refused":
            raise ConfigurationError("two of the same name")
        super().add(child)


class Plain:
    """Not a component."""


ROOTS = {"Host": Element(add=lambda _parent, _child: None, default=f"{__name__}.Host")}


def digest(tmp_path: Path, text: str, **properties: str) -> tuple[Digested, list[str]]:
    path = tmp_path / "server.xml"
    path.write_text(text)
    digester = Digester(Substitution([MappingSource({key.replace("_", "."): v for key, v in properties.items()})]))
    tree = digester.parse(path, roots=ROOTS)
    return tree, [str(finding) for finding in digester.findings]


def host(tree: Digested) -> Host:
    assert isinstance(tree.component, Host)
    return tree.component


def test_an_element_becomes_the_component_its_class_name_says(tmp_path: Path) -> None:
    tree, findings = digest(tmp_path, f'<Host>\n<Valve className="{__name__}.Valve"\n size="7"/></Host>')
    (valve,) = host(tree).added
    assert isinstance(valve, Valve)
    assert valve.size == 7
    assert valve.place == Place("server.xml", 2)
    assert valve.written_class_name == f"{__name__}.Valve"
    assert findings == []


def test_without_a_class_name_the_default_of_the_declaration_is_made(tmp_path: Path) -> None:
    tree, _ = digest(tmp_path, "<Host><Manager/></Host>")
    assert isinstance(host(tree).added[0], Valve)
    assert host(tree).added[0].written_class_name == ""


def test_an_element_that_is_only_text_is_handed_over_stripped_and_substituted(tmp_path: Path) -> None:
    tree, _ = digest(tmp_path, "<Host><Alias> www.${domain} </Alias></Host>", domain="example.org")
    assert host(tree).added == ["www.example.org"]


def test_references_are_replaced_in_attributes_and_class_names(tmp_path: Path) -> None:
    tree, _ = digest(tmp_path, '<Host><Valve className="${c}" size="${s:-12}"/></Host>', c=f"{__name__}.Valve")
    assert host(tree).added[0].size == 12


def test_an_unknown_attribute_is_one_warning_with_the_nearest_name(tmp_path: Path) -> None:
    tree, findings = digest(tmp_path, f'<Host>\n<Valve className="{__name__}.Valve"\n sise="7"/></Host>')
    assert findings == ["server.xml:3 <Valve>: no attribute sise on Valve; did you mean size?"]
    assert host(tree).added[0].size == 100


@pytest.mark.parametrize(
    ("written", "remark"),
    [
        ('size="100k"', "size='100k' ignored, expected a whole number of bytes; still 100"),
        ('mode="quick"', "mode='quick' ignored, expected one of fast, safe; still safe"),
    ],
)
def test_a_value_that_does_not_convert_is_one_warning_and_the_default_stays(
    tmp_path: Path, written: str, remark: str
) -> None:
    _, findings = digest(tmp_path, f'<Host><Valve className="{__name__}.Valve" {written}/></Host>')
    assert findings == [f"server.xml:1 <Valve>: {remark}"]


def test_an_attribute_without_effect_is_said_when_it_is_set_to_something(tmp_path: Path) -> None:
    valve = f'<Valve className="{__name__}.Valve" asyncSupported="{{}}"/>'
    tree, findings = digest(tmp_path, f"<Host>\n{valve.format('false')}{valve.format('true')}</Host>")
    assert findings == ["server.xml:2 <Valve>: asyncSupported has no effect: WSGI has no asynchronous processing"]
    assert tree.children[0].findings[0].level == logging.INFO


def test_an_unknown_element_is_one_warning_and_what_is_in_it_is_not_read(tmp_path: Path) -> None:
    tree, findings = digest(tmp_path, '<Host>\n<Valv className="x.Y"><Frob/></Valv></Host>')
    assert findings == ["server.xml:2 <Valv>: no element Valv in a Host; did you mean Valve?; left out"]
    assert host(tree).added == []


def test_an_unknown_class_name_of_what_may_guard_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(UnusableConfiguration) as caught:
        digest(tmp_path, '<Host>\n<Valve className="com.example.Audit"/>\n<Realm className="org.apache.R"/></Host>')
    assert str(caught.value).splitlines() == [
        "server.xml:2 <Valve>: no class answers to className 'com.example.Audit': there is no package com; "
        "the server's own code lies in lib/ of CATALINA_BASE, or is installed; it may guard access",
        "server.xml:3 <Realm>: no class answers to className 'org.apache.R'; it may guard access",
    ]


def test_with_the_property_an_unknown_class_name_is_a_warning(tmp_path: Path) -> None:
    tree, findings = digest(tmp_path, '<Host><Valve className="com.example.Audit"/></Host>', catalina_unknown="warn")
    (finding,) = findings
    assert "no class answers to className 'com.example.Audit'" in finding
    assert finding.endswith("; left out because catalina.unknown=warn")
    assert host(tree).added == []


def test_with_the_property_an_element_with_a_default_becomes_that(tmp_path: Path) -> None:
    text = '<Host><Manager className="com.example.M" size="3" nodes="n1"><Store/></Manager></Host>'
    tree, findings = digest(tmp_path, text, catalina_unknown="warn")
    assert isinstance(host(tree).added[0], Valve)
    assert host(tree).added[0].size == 3
    assert findings[1:] == [f"server.xml:1 <Manager>: {__name__}.Valve is used instead"]


@pytest.fixture
def recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tomcat has org.apache.catalina.x.Guard and org.apache.catalina.x.Extra; we do not."""

    def known(name: str) -> RecognisedClass | None:
        guards = {"org.apache.catalina.x.Guard": True, "org.apache.catalina.x.Extra": False}
        return RecognisedClass("it is Java code", guards[name]) if name in guards else None

    monkeypatch.setattr("catalina.digester.digester.recognised_class", known)


@pytest.mark.usefixtures("recognised")
def test_a_guard_of_tomcat_without_an_implementation_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(UnusableConfiguration, match=r"x\.Guard is not supported: it is Java code; it may guard access"):
        digest(tmp_path, '<Host><Realm className="org.apache.catalina.x.Guard"/></Host>')


@pytest.mark.usefixtures("recognised")
def test_another_class_of_tomcat_without_an_implementation_is_information(tmp_path: Path) -> None:
    tree, findings = digest(tmp_path, '<Host><Realm className="org.apache.catalina.x.Extra"/></Host>')
    assert findings == ["server.xml:1 <Realm>: org.apache.catalina.x.Extra is left out: it is Java code"]
    assert host(tree).added == []


def test_an_unknown_listener_is_a_warning(tmp_path: Path) -> None:
    _, findings = digest(tmp_path, '<Host><Listener className="com.example.L"/></Host>')
    (finding,) = findings
    assert finding.startswith("server.xml:1 <Listener>: no class answers to className 'com.example.L'")
    assert finding.endswith("; left out")


def test_an_optional_listener_that_is_not_there_is_information(tmp_path: Path) -> None:
    _, findings = digest(tmp_path, '<Host><Listener className="com.example.L" optional="true"/></Host>')
    assert findings == ["server.xml:1 <Listener>: Optional listener [com.example.L] is not enabled"]


def test_what_means_nothing_in_python_is_information(tmp_path: Path) -> None:
    name = "org.apache.catalina.core.JreMemoryLeakPreventionListener"
    tree, _ = digest(tmp_path, f'<Host><Listener className="{name}" any="thing"/></Host>')
    (finding,) = tree.children[0].findings
    assert finding.level == logging.INFO
    assert f"{name} has no meaning in Python" in finding.text


def test_a_class_in_the_wrong_place_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnusableConfiguration, match=r"Realm is not a Valve"):
        digest(tmp_path, f'<Host><Valve className="{__name__}.Realm"/></Host>')


def test_a_class_that_is_no_component_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnusableConfiguration, match="Plain is not a component"):
        digest(tmp_path, f'<Host><Realm className="{__name__}.Plain"/></Host>')


def test_a_missing_class_name_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnusableConfiguration, match=r"server\.xml:1 <Valve>: the attribute className is required"):
        digest(tmp_path, "<Host><Valve/></Host>")


def test_what_a_parent_refuses_is_an_error_with_the_childs_place(tmp_path: Path) -> None:
    with pytest.raises(UnusableConfiguration, match=r"server\.xml:2 <Alias>: two of the same name"):
        digest(tmp_path, "<Host>\n<Alias>refused</Alias></Host>")


def test_another_root_element_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnusableConfiguration, match=r"server\.xml:1 <Server>: expected <Host> as the root element"):
        digest(tmp_path, "<Server/>")


def test_an_ill_formed_file_is_one_line_with_its_position(tmp_path: Path) -> None:
    with pytest.raises(UnusableConfiguration) as caught:
        digest(tmp_path, "<Host>\n<Valve></Host>")
    assert str(caught.value).startswith("server.xml:2 <xml>: not well-formed XML: ")
    assert "\n" not in str(caught.value)


def test_a_file_can_be_read_into_a_component_that_exists(tmp_path: Path) -> None:
    path = tmp_path / "context.xml"
    path.write_text("<Host><Alias>a</Alias></Host>")
    existing = Host()
    Digester().parse_into(path, existing, root="Host")
    assert existing.added == ["a"]


def test_children_are_finished_before_their_parent_gets_them(tmp_path: Path) -> None:
    seen: list[int] = []

    class Watching(Host):
        elements = {"Realm": Element(add=lambda _host, realm: seen.append(len(realm.added)))}

    path = tmp_path / "server.xml"
    name = f"{__name__}.Realm"
    path.write_text(f'<Host><Realm className="{name}"><Realm className="{name}"/></Realm></Host>')
    Digester().parse_into(path, Watching(), root="Host")
    assert seen == [1]


class Needy(Valve):
    packages = ("a_package_that_nobody_has",)

    def useful_packages(self) -> dict[str, str]:
        return {"another_one": "nothing is compressed", "lxml": "nothing is read"}


def test_a_missing_package_is_said_where_the_element_stands(tmp_path: Path) -> None:
    tree, _ = digest(tmp_path, f'<Host>\n<Valve className="{__name__}.Needy"/></Host>')
    needed, useful = tree.children[0].findings
    assert (needed.level, str(needed.place)) == (logging.WARNING, "server.xml:2")
    assert "the package a_package_that_nobody_has is not installed" in needed.text
    assert useful.level == logging.INFO
    assert useful.text.startswith("nothing is compressed: the package another_one is not installed")


class Lock(Valve):
    keeps_strangers_out = True


def test_a_lock_that_stands_where_nothing_reads_it_stops_the_start(tmp_path: Path) -> None:
    text = f'<Host><Valve className="{__name__}.Valve">\n<Lock className="{__name__}.{{}}"/></Valve></Host>'
    with pytest.raises(UnusableConfiguration, match=r"server.xml:2 <Lock>: .* so that Lock would keep nobody out"):
        digest(tmp_path, text.format("Lock"))
    _, findings = digest(tmp_path, text.format("Realm"))
    assert findings == ["server.xml:2 <Lock>: no element Lock in a Valve; left out"]


def test_what_is_wrong_below_an_unknown_class_is_said_at_the_same_time(tmp_path: Path) -> None:
    class Service(Host):
        elements = {"Engine": Element(add=Part.add, default=f"{__name__}.Host", guards=True)}

    path = tmp_path / "service.xml"
    path.write_text(
        '<Service><Engine className="com.example.E" x="1"><Valve className="com.example.V"/></Engine></Service>'
    )
    with pytest.raises(UnusableConfiguration) as caught:
        Digester().parse_into(path, Service(), root="Service")
    assert [line.partition(" no class answers")[0] for line in str(caught.value).splitlines()] == [
        "service.xml:1 <Engine>:",
        "service.xml:1 <Valve>:",
    ]


def test_what_an_editor_writes_into_a_context_is_taken_without_a_word(tmp_path: Path) -> None:
    class Context(Part):
        """Declares nothing."""

    path = tmp_path / "context.xml"
    path.write_text('<Context source="org.eclipse.jst.jee.server:shop"/>')
    digester = Digester()
    digester.parse_into(path, Context())
    assert digester.findings == []


class Safe(Valve):
    key_pass = Attribute(int, 1234, doc="A number that nobody shall see.")


def test_a_secret_is_not_shown_because_it_is_wrong(tmp_path: Path) -> None:
    _, findings = digest(tmp_path, f'<Host><Valve className="{__name__}.Safe" keyPass="hunter2"/></Host>')
    (finding,) = findings
    assert "keyPass=" in finding
    assert "expected a whole number" in finding
    assert "hunter2" not in finding
    assert "1234" not in finding
