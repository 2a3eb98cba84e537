from catalina.attributes import Element
from catalina.tomcat.util.net.openssl.open_ssl_conf import OpenSSLConf
from catalina.tomcat.util.net.openssl.open_ssl_conf_cmd import OpenSSLConfCmd
from tests.support.narrowing import of_type


def test_commands_are_collected_in_order():
    conf = OpenSSLConf()
    element = of_type(Element, conf.child_elements()["OpenSSLConfCmd"])
    for name in ("MinProtocol", "Ciphersuites"):
        element.add(conf, OpenSSLConfCmd(name=name))
    assert [command.name for command in conf.commands] == ["MinProtocol", "Ciphersuites"]
