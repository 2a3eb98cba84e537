"""Names that others know."""

from catalina.authenticator import constants


def test_the_form_posts_to_the_names_of_the_servlet_specification():
    assert (constants.FORM_ACTION, constants.FORM_USERNAME, constants.FORM_PASSWORD) == (
        "/j_security_check", "j_username", "j_password",
    )  # fmt: skip


def test_auth_types_are_those_of_the_servlet_specification():
    assert (constants.BASIC, constants.DIGEST, constants.FORM, constants.CLIENT_CERT) == (
        "BASIC", "DIGEST", "FORM", "CLIENT_CERT",
    )  # fmt: skip
