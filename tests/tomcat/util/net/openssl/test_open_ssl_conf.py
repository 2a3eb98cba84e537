from catalina.tomcat.util.net.openssl.open_ssl_conf import OpenSSLConf
from catalina.tomcat.util.net.openssl.open_ssl_conf_cmd import OpenSSLConfCmd


def test_commands_are_collected_in_order():
    conf = OpenSSLConf()
    for name in ("MinProtocol", "Ciphersuites"):
        conf.child_elements()["OpenSSLConfCmd"].add(conf, OpenSSLConfCmd(name=name))
    assert [command.name for command in conf.commands] == ["MinProtocol", "Ciphersuites"]
