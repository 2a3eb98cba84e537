from __future__ import annotations

from pathlib import Path

from catalina.connector.request_processor_bean import RequestProcessorBean
from catalina.mbeans.managed_bean import ManagedBean
from catalina.mbeans.object_name import ObjectName
from tests.core.node import Node

NAME = ObjectName.parse('Catalina:type=RequestProcessor,worker="http-nio-8080",name=HttpRequest1')


def test_a_request_tells_what_tomcats_processor_tells(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.add("shop", {"a.txt": "hello"}, path="/shop")
    with node:
        answer = node.ask("/shop/a.txt?password=geheim&a=1")
        values = dict(ManagedBean(RequestProcessorBean(answer.response.request), NAME).items())
    assert (values["stage"], values["method"], values["currentUri"]) == (3, "GET", "/shop/a.txt")
    assert values["currentQueryString"] == "password=***&a=1"
    assert (values["remoteAddr"], values["virtualHost"], values["protocol"]) == ("127.0.0.1", "localhost", "HTTP/1.1")
    assert values["requestProcessingTime"] >= 0
    assert values["requestBytesSent"] == 5
