from catalina.tomcat.util.net.ssl_host_config_certificate import SSLHostConfigCertificate


def test_the_type_is_kept_in_tomcats_spelling():
    certificate = SSLHostConfigCertificate()
    assert certificate.type == "UNDEFINED"
    certificate.set_attribute("type", "rsa")
    assert certificate.type == "RSA"
    assert certificate.certificate_keystore_password == "changeit"
