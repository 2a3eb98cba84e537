from __future__ import annotations

import pytest

from catalina.attributes import Attribute, Component, Element, Text
from catalina.core.standard_host import StandardHost
from catalina.startup.reference import component_classes, main, render


class Pump(Component):
    """Moves water.

    And more about it.
    """

    max_rate = Attribute(int, 5, unit="l/s", aliases=("rate",), doc="How much | at most.")
    quiet = Attribute(bool, False, doc="Make no noise.")
    label = Attribute(str, None, doc="A name.")
    elements = {"Alias": Text(add=lambda *_: None), "Pump": Element(add=lambda *_: None, default="a.b.Pump")}


def test_a_class_is_a_table_of_its_attributes_and_the_elements_inside() -> None:
    assert list(render(Pump)) == [
        f"## {__name__}.Pump",
        "",
        "Moves water.",
        "",
        "| attribute | default | what it does |",
        "|---|---|---|",
        "| label |  | A name. (text) |",
        "| maxRate | `5` l/s | How much \\| at most. Also written rate. (number) |",
        "| quiet | `false` | Make no noise. (true or false) |",
        "",
        "Elements inside: Alias, Pump (Pump by default).",
        "",
    ]


def test_an_attribute_without_effect_says_why() -> None:
    class Valve(Component):
        """A valve."""

        comet = Attribute(bool, False, doc="Serve Comet.", inert="there are no Comet connections")

    assert "| comet | `false` | Serve Comet. No effect: there are no Comet connections. (true or false) |" in render(
        Valve
    )


def test_every_component_is_found_once_and_none_that_nobody_names() -> None:
    classes = component_classes()
    assert StandardHost in classes
    assert len(classes) == len(set(classes)) > 100
    assert not [kind.__name__ for kind in classes if kind.__name__.endswith("Base")]


def test_every_attribute_of_every_component_says_what_it_does() -> None:
    silent = [
        f"{kind.__name__}.{name}"
        for kind in component_classes()
        for name, declaration in kind.attributes().items()
        if len(declaration.doc or declaration.inert) < 4
    ]
    assert silent == []


@pytest.mark.parametrize("name", ["no.Such", "catalina.errors.CatalinaError"])
def test_what_is_no_component_is_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name]) == 1
    assert f"{name} is no component" in capsys.readouterr().err


def test_without_a_name_all_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "## org.apache.catalina.ha.tcp.SimpleTcpCluster" in capsys.readouterr().out


def test_the_last_part_of_a_class_name_is_enough(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["AccessLogValve"]) == 0
    assert capsys.readouterr().out.startswith("## org.apache.catalina.valves.AccessLogValve\n")
