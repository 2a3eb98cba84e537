"""The HOW-TO's Cluster elements, with the group and the ports of one test.

Only the meeting point of the nodes is changed: a multicast port of the test's own, and loopback where there is no
network namespace. Everything else is the HOW-TO's text.
"""

from __future__ import annotations

__all__ = ["full", "one_line"]


def one_line(options: str = "") -> str:
    """The element of the HOW-TO's "For the impatient": every default."""
    return f'<Cluster className="org.apache.catalina.ha.tcp.SimpleTcpCluster"{options}/>'


def full(
    multicast_port: int,
    send_options: int | str = 8,
    receiver: str = 'address="127.0.0.1"',
    bind: str = 'bind="127.0.0.1"',
    manager: str = "",
    deployer: str = "",
    interceptors: str = "",
    receiver_port: int = 4000,
    channel: str = "",
) -> str:
    """The HOW-TO's default configuration, spelled out."""
    manager = manager or (
        '<Manager className="org.apache.catalina.ha.session.DeltaManager"'
        ' expireSessionsOnShutdown="false" notifyListenersOnReplication="true"/>'
    )
    return f"""
<Cluster className="org.apache.catalina.ha.tcp.SimpleTcpCluster" channelSendOptions="{send_options}">
  {manager}
  <Channel className="org.apache.catalina.tribes.group.GroupChannel" {channel}>
    <Membership className="org.apache.catalina.tribes.membership.McastService"
                address="228.0.0.4" port="{multicast_port}" frequency="500" dropTime="3000" {bind}/>
    <Receiver className="org.apache.catalina.tribes.transport.nio.NioReceiver"
              {receiver} port="{receiver_port}" autoBind="100" selectorTimeout="5000" maxThreads="6"/>
    <Sender className="org.apache.catalina.tribes.transport.ReplicationTransmitter">
      <Transport className="org.apache.catalina.tribes.transport.nio.PooledParallelSender"/>
    </Sender>
    {interceptors}
    <Interceptor className="org.apache.catalina.tribes.group.interceptors.TcpFailureDetector"/>
    <Interceptor className="org.apache.catalina.tribes.group.interceptors.MessageDispatch15Interceptor"/>
  </Channel>
  <Valve className="org.apache.catalina.ha.tcp.ReplicationValve" filter=""/>
  <Valve className="org.apache.catalina.ha.session.JvmRouteBinderValve"/>
  {deployer}
  <ClusterListener className="org.apache.catalina.ha.session.ClusterSessionListener"/>
</Cluster>"""
