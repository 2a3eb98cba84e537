"""An application without login."""

from tests.authenticator.application import PROTECTED, login_config, secure_node


def test_nobody_is_asked_and_roles_still_count(tmp_path):
    with secure_node(tmp_path, PROTECTED + login_config("NONE")) as node:
        answer = node.ask("/shop/private/x")
        assert answer.status == 403
        assert answer.get("WWW-Authenticate") is None
        assert node.ask("/shop/open").status == 200
