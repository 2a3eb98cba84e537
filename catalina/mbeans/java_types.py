"""Java's types of attributes, and the order in which Tomcat shows them.

Python has one kind of whole number, Java two, and a client that asks for a ``long`` does not take an ``int``. Tomcat is
consistent by name with few exceptions: the counts and times below are long, all other whole numbers are int.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["INT_MAX", "hash_map_order", "modeler_class", "shows_class_name", "whole_number_type"]

INT_MAX = 2**31 - 1

_LONG = frozenset(
    """
    accessTimeout bytesReceived bytesSent compressedSizeRX compressedSizeTX connectionCount currentSize dropTime
    executorTerminationTimeoutMillis expirationTime expire expiredSessions frequency heartbeatSleeptime keepAliveTime
    lastRequestProcessingTime lastSendTime loadTime lookupCount maxConnLifetimeMillis maxTime maxWait maxWaitMillis
    memberAliveTime minEvictableIdleTimeMillis minTime nrOfCrossContextSendRequests nrOfFilterRequests nrOfRequests
    nrOfSendRequests numberOfSessions pingInterval processingTime readTestTimeout recoverySleepTime replayWindowTime
    requestBytesReceived requestBytesSent requestProcessingTime rpcTimeout rxStart selectorTimeout serviceStartTime
    sessionCounter sessionReplaceCounter size sizeRX sizeTX softMinEvictableIdleTimeMillis startTime startupTime
    taskCount threadRenewalDelay timeBetweenEvictionRunsMillis timeoutInterval tldScanTime totalRequestTime
    totalSendTime txStart uncompressedSizeRX uncompressedSizeTX unloadDelay
    """.split()  # noqa: SIM905  # 67 quoted words would hide them
)
#: Names that are int in one class and long in another -> the classes where they are long.
_LONG_IN = {
    "available": {"StandardWrapper"},
    "completedTaskCount": {"NioReceiver", "ScheduledThreadPoolExecutor", "MessageDispatchInterceptor"},
    "maxIdleTime": {"NioReceiver"},
    "maxQueueSize": {"MessageDispatchInterceptor"},
    "hitCount": {"Cache"},
    "maxSize": {"Cache"},
    "ttl": {"Cache"},
    "interval": {"TcpPingInterceptor"},
    "connectTimeout": {"TcpFailureDetector"},
    "timeout": {"PooledParallelSender"},
}

#: Classes whose beans do not have the attribute className in Tomcat; ours have it everywhere else.
_NAMELESS = frozenset(
    """
    AjpNioProtocol ApplicationFilterConfig AuthenticatedUserRealm Cache ContextResource ContextResourceLink
    FarmWarDeployer HealthCheckValve Http11Nio2Protocol Http11NioProtocol JsonAccessLogValve LoadBalancerDrainingValve
    MemberImpl MemoryUserDatabase NamingResourcesImpl NioEndpoint NullRealm ParameterLimitValve RemoteIpValve
    ReplicationValve RequestGroupInfo SSLHostConfig SSLHostConfigCertificate SSLValve SimpleTcpCluster StandardContext
    StandardEngine StandardHost StandardRoot StandardServer StandardService StandardThreadExecutor StandardWrapper
    """.split()  # noqa: SIM905  # 35 quoted words would hide them
)

_MODELER = "org.apache.tomcat.util.modeler.BaseModelMBean"
#: ``type`` (or ``j2eeType``) of a name -> the class of Tomcat's that shows such beans; all others have the plain one.
_MODELER_CLASSES = {
    "Connector": "ConnectorMBean",
    "Engine": "ContainerMBean",
    "Environment": "ContextEnvironmentMBean",
    "Group": "GroupMBean",
    "Host": "ContainerMBean",
    "NamingResources": "NamingResourcesMBean",
    "Resource": "ContextResourceMBean",
    "ResourceLink": "ContextResourceLinkMBean",
    "Role": "RoleMBean",
    "Service": "ServiceMBean",
    "Servlet": "ContainerMBean",
    "StoreConfig": "ClassNameMBean",
    "ThreadPool": "ClassNameMBean",
    "User": "UserMBean",
    "UserDatabase": "MemoryUserDatabaseMBean",
    "WebModule": "ContextMBean",
}


def whole_number_type(name: str, class_name: str, value: object = 0) -> str:
    """``int`` or ``long`` for an attribute; a value that an int does not hold makes it a long.

    Args:
        class_name: of the managed class, with or without its package.
    """
    plain = name[0].lower() + name[1:]
    if plain in _LONG_IN:
        is_long = class_name.rpartition(".")[2] in _LONG_IN[plain]
    else:
        is_long = plain in _LONG or plain.startswith(("counterSend_", "counterReceive_"))
    fits = not isinstance(value, int) or -INT_MAX - 1 <= value <= INT_MAX
    return "long" if is_long or not fits else "int"


def shows_class_name(class_name: str) -> bool:
    """True when the beans of a class have the attribute className; ``class_name`` is Tomcat's, with its package."""
    return class_name.rpartition(".")[2] not in _NAMELESS


def modeler_class(kind: str, component: str, managed_class: str) -> str:
    """The class name that Tomcat's MBeanInfo gives: of the wrapper, or of the managed class where there is none.

    Args:
        kind: the name's ``type`` or ``j2eeType``.
        component: the name's ``component``, empty for none.
        managed_class: Tomcat's name of the managed class.
    """
    if kind == "Channel" or managed_class.startswith(("sun.", "com.sun.", "javax.", "java.")):
        return managed_class
    if kind == "Cluster" and component == "Deployer":
        return "org.apache.catalina.mbeans.ClassNameMBean"
    own = _MODELER_CLASSES.get(kind)
    return f"org.apache.catalina.mbeans.{own}" if own else _MODELER


def hash_map_order(names: Iterable[str]) -> list[str]:
    """The order in which a java.util.HashMap with these keys lists them; Tomcat keeps its attributes in one."""
    keys = list(names)
    size = 16
    while len(keys) > size * 3 // 4:
        size *= 2
    return sorted(keys, key=lambda key: _spread(key) & (size - 1))


def _spread(text: str) -> int:
    value = 0
    for unit in text.encode("utf-16-be", "surrogatepass")[1::2] if text.isascii() else _units(text):
        value = (31 * value + unit) & 0xFFFFFFFF
    return value ^ value >> 16


def _units(text: str) -> Iterable[int]:
    data = text.encode("utf-16-be", "surrogatepass")
    return [data[at] << 8 | data[at + 1] for at in range(0, len(data), 2)]
