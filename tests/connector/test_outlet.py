from __future__ import annotations

import pytest

from catalina.connector.ajp_connection import AjpConnection
from catalina.connector.http2_stream import Http2Stream
from catalina.connector.http11_connection import Http11Connection
from catalina.connector.outlet import Outlet


@pytest.mark.parametrize("kind", [Http11Connection, AjpConnection, Http2Stream])
def test_each_protocol_has_a_place_for_responses(kind: type) -> None:
    wanted = {name for name in dir(Outlet) if not name.startswith("_")}
    assert wanted - set(dir(kind)) == set()
