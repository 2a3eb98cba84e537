from catalina.coyote.http11.tls_attributes import TlsAttributes


def test_old_names_of_all_tomcats_are_known():
    attributes = TlsAttributes()
    old = (
        "keystoreFile",
        "keystorePass",
        "keypass",
        "keytype",
        "clientAuth",
        "clientauth",
        "SSLVerifyDepth",
        "ciphers",
    )
    for name in old:
        assert attributes.set_attribute(name, "text"), name


def test_two_places_of_one_thing_are_kept_apart():
    attributes = TlsAttributes()
    attributes.set_attribute("sslProtocol", "TLS")
    attributes.set_attribute("sslEnabledProtocols", "TLSv1.2")
    assert (attributes.ssl_protocol, attributes.ssl_enabled_protocols) == ("TLS", "TLSv1.2")
