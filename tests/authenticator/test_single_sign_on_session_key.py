"""Keys of sessions."""

from types import SimpleNamespace

from catalina.authenticator.single_sign_on_session_key import SingleSignOnSessionKey


def test_a_key_names_session_application_and_host():
    context = SimpleNamespace(name="/shop", host=SimpleNamespace(name="localhost"))
    session = SimpleNamespace(id="S1", manager=SimpleNamespace(context=context))
    key = SingleSignOnSessionKey.of(session)
    assert key == SingleSignOnSessionKey("S1", "/shop", "localhost")
    assert SingleSignOnSessionKey.of(session, "S0").session_id == "S0"
    assert str(key) == "Host: [localhost], Context: [/shop], SessionID: [S1]"
