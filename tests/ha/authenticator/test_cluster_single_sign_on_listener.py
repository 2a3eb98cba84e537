from __future__ import annotations

import pytest

from catalina.authenticator.single_sign_on import SingleSignOn
from catalina.core.standard_context import StandardContext
from catalina.core.standard_host import StandardHost
from catalina.core.standard_pipeline import StandardPipeline
from catalina.ha.authenticator.cluster_single_sign_on_listener import (
    decode_listener,
    encode_listener,
    hear_of_session,
)
from catalina.ha.session.delta_manager import DeltaManager
from catalina.ha.session.delta_session import DeltaSession
from catalina.tribes.io.java import ObjectInputStream, encode_value
from tests.support.stand_in import stand_in
from tests.tribes.wire import cases

WIRE = next(bytes.fromhex(case["hex"]) for case in cases("sso") if case["name"] == "ClusterSingleSignOnListener")


def test_a_captured_listener_is_read_and_written_to_the_byte() -> None:
    assert decode_listener(ObjectInputStream(WIRE).read_encoded()) == "SSO1"
    assert encode_listener("SSO1").to_stream() == WIRE


def test_another_listener_names_no_sign_on() -> None:
    assert decode_listener(encode_value("x")) is None
    assert decode_listener(encode_value([1])) is None


class Sso(SingleSignOn):
    def __init__(self) -> None:
        super().__init__()
        self.heard: list[tuple[str, ...]] = []

    def session_destroyed(self, sso_id: str, session: object) -> None:
        self.heard.append(("destroyed", sso_id))

    def session_changed_id(self, sso_id: str, session: object, old_id: str) -> None:
        self.heard.append(("changed", sso_id, old_id))


def session_below(*valves: object) -> DeltaSession:
    host = stand_in(StandardHost, parent=None, pipeline=stand_in(StandardPipeline, valves=valves))
    context = stand_in(StandardContext, parent=host, pipeline=stand_in(StandardPipeline, valves=()))
    return stand_in(DeltaSession, manager=stand_in(DeltaManager, context=context))


@pytest.mark.parametrize(
    ("event", "heard"),
    [("destroySession", ("destroyed", "SSO1")), ("changeSessionId", ("changed", "SSO1", "old"))],
)
def test_the_valve_above_the_application_is_told(event: str, heard: tuple[str, ...]) -> None:
    sso = Sso()
    hear_of_session(encode_listener("SSO1"), session_below(object(), sso), event, "old")
    assert sso.heard == [heard]


def test_without_a_valve_or_for_another_listener_nothing_happens() -> None:
    sso = Sso()
    hear_of_session(encode_listener("SSO1"), session_below(), "destroySession", "old")
    hear_of_session(encode_value("x"), session_below(sso), "destroySession", "old")
    assert sso.heard == []
