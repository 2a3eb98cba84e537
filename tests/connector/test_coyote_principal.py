from catalina.connector.coyote_principal import CoyotePrincipal


def test_a_user_of_a_proxy_has_a_name_and_no_roles():
    assert (CoyotePrincipal("rosa").name, CoyotePrincipal("rosa").roles) == ("rosa", ())
