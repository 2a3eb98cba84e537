"""Kerberos: recognised and closed."""

from tests.authenticator.application import PROTECTED, login_config, secure_node


def test_it_starts_with_a_warning_and_refuses_everybody(tmp_path, caplog):
    with secure_node(tmp_path, PROTECTED + login_config("SPNEGO")) as node:
        assert "every protected page of [/shop] is refused" in caplog.text
        answer = node.ask("/shop/private/x", headers={"Authorization": "Negotiate YII="})
        assert answer.status == 401
        assert answer.get("WWW-Authenticate") == "Negotiate"
        assert node.ask("/shop/open").status == 200
