"""Keys of sessions."""

from catalina.authenticator.single_sign_on_session_key import SingleSignOnSessionKey
from catalina.core.standard_context import StandardContext
from catalina.core.standard_host import StandardHost
from catalina.ha.session.delta_manager import DeltaManager
from catalina.ha.session.delta_session import DeltaSession
from tests.support.stand_in import stand_in


def test_a_key_names_session_application_and_host():
    context = stand_in(StandardContext, name="/shop", host=stand_in(StandardHost, name="localhost"))
    session = stand_in(DeltaSession, id="S1", manager=stand_in(DeltaManager, context=context))
    key = SingleSignOnSessionKey.of(session)
    assert key == SingleSignOnSessionKey("S1", "/shop", "localhost")
    assert SingleSignOnSessionKey.of(session, "S0").session_id == "S0"
    assert str(key) == "Host: [localhost], Context: [/shop], SessionID: [S1]"
