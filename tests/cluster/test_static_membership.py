"""Members from server.xml alone: no multicast at all, as where a network does not carry it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.cluster.node import Node
from tests.support.ports import free_port
from tests.support.waiting import wait_until

pytestmark = pytest.mark.cluster

#: channelStartOptions="3" starts receiver and sender (1 and 2), and not the multicast (4 and 8).
CLUSTER = """
<Cluster className="org.apache.catalina.ha.tcp.SimpleTcpCluster" channelSendOptions="6" channelStartOptions="3">
  <Channel className="org.apache.catalina.tribes.group.GroupChannel" heartbeatSleeptime="500">
    <Receiver className="org.apache.catalina.tribes.transport.nio.NioReceiver"
              address="127.0.0.1" port="{port}" autoBind="0"/>
    <Interceptor className="org.apache.catalina.tribes.group.interceptors.TcpPingInterceptor" interval="500"/>
    <Interceptor className="org.apache.catalina.tribes.group.interceptors.TcpFailureDetector"/>
    <Interceptor className="org.apache.catalina.tribes.group.interceptors.StaticMembershipInterceptor">
      <LocalMember className="org.apache.catalina.tribes.membership.StaticMember"
                   domain="static" uniqueId="{{{id}}}"/>
      <Member className="org.apache.catalina.tribes.membership.StaticMember" host="127.0.0.1" port="{other_port}"
              domain="static" uniqueId="{{{other_id}}}"/>
    </Interceptor>
    <Interceptor className="org.apache.catalina.tribes.group.interceptors.MessageDispatchInterceptor"/>
  </Channel>
  <Valve className="org.apache.catalina.ha.tcp.ReplicationValve"/>
  <Valve className="org.apache.catalina.ha.session.JvmRouteBinderValve"/>
</Cluster>
"""


def test_static_members_meet_share_sessions_and_notice_a_death(make_node: Callable[..., Node]) -> None:
    ports = [free_port(), free_port()]
    ids = [",".join([str(number)] * 16) for number in (1, 2)]
    a, b = (
        make_node(name, cluster=CLUSTER.format(port=ports[n], id=ids[n], other_port=ports[1 - n], other_id=ids[1 - n]))
        for n, name in enumerate(("s1", "s2"))
    )
    a.start()
    session_id = a.get("/count").session_id  # before b is there: b gets it when it joins
    b.start()
    wait_until(lambda: f"Replication member added:[tcp://127.0.0.1:{ports[1]}]" in a.log, "a finds b")
    assert f"Replication member added:[tcp://127.0.0.1:{ports[0]}]" in b.log
    assert "multicast" not in a.log + b.log
    assert b.get("/count", session_id).values == {"count": 2}
    assert a.get("/count", session_id).values == {"count": 3}

    b.kill()
    wait_until(lambda: "Received member disappeared" in a.log, "a notices that b is dead, though it says nothing", 10)
    assert a.get("/count", session_id).values == {"count": 4}
    b.start()
    wait_until(lambda: a.log.count("Replication member added") == 2, "a finds b again")
    assert b.get("/count", session_id).values == {"count": 5}

    assert b.stop() == 143
    wait_until(lambda: a.log.count("Received member disappeared") == 2, "a hears the farewell", 5)
    for node in (a, b):
        assert not re.search(r" SEVERE |Traceback|There is no Tcp", node.log), node.log
