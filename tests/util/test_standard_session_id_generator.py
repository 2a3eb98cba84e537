from __future__ import annotations

import re

from catalina.util.standard_session_id_generator import StandardSessionIdGenerator


def test_ids_are_upper_case_hex_and_differ() -> None:
    generator = StandardSessionIdGenerator()
    ids = {generator.generate_session_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch("[0-9A-F]{32}", session_id) for session_id in ids)


def test_the_route_stands_behind_a_dot() -> None:
    generator = StandardSessionIdGenerator(jvm_route="node1", session_id_length=2)
    assert re.fullmatch(r"[0-9A-F]{4}\.node1", generator.generate_session_id())
    assert re.fullmatch(r"[0-9A-F]{4}\.other", generator.generate_session_id("other"))
    assert re.fullmatch(r"[0-9A-F]{4}", generator.generate_session_id(""))


def test_the_length_comes_from_xml() -> None:
    generator = StandardSessionIdGenerator()
    generator.set_attribute("sessionIdLength", "20")
    assert len(generator.generate_session_id()) == 40
