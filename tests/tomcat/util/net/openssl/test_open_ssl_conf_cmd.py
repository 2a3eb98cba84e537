from catalina.tomcat.util.net.openssl.open_ssl_conf_cmd import OpenSSLConfCmd


def test_a_command_has_a_name_and_a_value():
    command = OpenSSLConfCmd()
    assert command.set_attribute("name", "MinProtocol")
    assert command.set_attribute("value", "TLSv1.2")
    assert (command.name, command.value) == ("MinProtocol", "TLSv1.2")
