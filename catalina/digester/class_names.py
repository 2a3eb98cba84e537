"""Finds the class of a className: by a rule, or by the one table of exceptions.

The rule: drop ``org.apache.``, turn the class name into snake_case, import.
``org.apache.catalina.ha.tcp.SimpleTcpCluster`` is ``SimpleTcpCluster`` in ``catalina/ha/tcp/simple_tcp_cluster.py``; a
class outside ``org.apache.catalina`` lies below ``catalina/`` under its own package (``org.apache.coyote.http2`` is
``catalina/coyote/http2``). Other classNames are looked up in the entry-point group ``catalina.components``, then as a
Python path (``shop.valves.AuditValve``).
"""

from __future__ import annotations

import importlib
import importlib.util
import re
from functools import cache
from importlib.metadata import entry_points

from catalina.digester.findings import nearest
from catalina.errors import CatalinaError

__all__ = ["JAVA_ONLY", "OLD_NAMES", "ClassBroken", "find_class", "module_of", "snake_case", "why_not_found"]

ENTRY_POINT_GROUP = "catalina.components"

#: Names that Tomcat itself has given up, and today's class. (The values of a Connector's protocol stand in
#: catalina/connector/connector.py: they are no classNames.)
OLD_NAMES = {
    # Tribes.
    "org.apache.catalina.tribes.group.interceptors.MessageDispatch15Interceptor": (
        "org.apache.catalina.tribes.group.interceptors.MessageDispatchInterceptor"
    ),
    "org.apache.catalina.tribes.transport.bio.BioReceiver": "org.apache.catalina.tribes.transport.nio.NioReceiver",
    "org.apache.catalina.tribes.transport.bio.PooledMultiSender": (
        "org.apache.catalina.tribes.transport.nio.PooledParallelSender"
    ),
    "org.apache.catalina.tribes.transport.bio.MultipointBioSender": (
        "org.apache.catalina.tribes.transport.nio.PooledParallelSender"
    ),
    "org.apache.catalina.tribes.transport.nio.ParallelNioSender": (
        "org.apache.catalina.tribes.transport.nio.PooledParallelSender"
    ),
    "org.apache.catalina.tribes.membership.MemberImpl": "org.apache.catalina.tribes.membership.StaticMember",
    # The cluster of Tomcat 5.5.
    "org.apache.catalina.cluster.tcp.SimpleTcpCluster": "org.apache.catalina.ha.tcp.SimpleTcpCluster",
    "org.apache.catalina.cluster.tcp.ReplicationValve": "org.apache.catalina.ha.tcp.ReplicationValve",
    "org.apache.catalina.cluster.tcp.ReplicationListener": "org.apache.catalina.tribes.transport.nio.NioReceiver",
    "org.apache.catalina.cluster.tcp.ReplicationTransmitter": (
        "org.apache.catalina.tribes.transport.ReplicationTransmitter"
    ),
    "org.apache.catalina.cluster.mcast.McastService": "org.apache.catalina.tribes.membership.McastService",
    "org.apache.catalina.cluster.session.DeltaManager": "org.apache.catalina.ha.session.DeltaManager",
    "org.apache.catalina.cluster.session.ClusterSessionListener": (
        "org.apache.catalina.ha.session.ClusterSessionListener"
    ),
    "org.apache.catalina.cluster.session.JvmRouteBinderValve": "org.apache.catalina.ha.session.JvmRouteBinderValve",
    "org.apache.catalina.cluster.deploy.FarmWarDeployer": "org.apache.catalina.ha.deploy.FarmWarDeployer",
    "org.apache.catalina.ha.session.SimpleTcpReplicationManager": "org.apache.catalina.ha.session.DeltaManager",
    # The rest.
    "org.apache.catalina.mbeans.JmxRemoteLifecycleListener": "org.apache.catalina.jmx.JmxRemoteLifecycleListener",
    "org.apache.coyote.tomcat4.CoyoteConnector": "org.apache.catalina.connector.Connector",
    "org.apache.coyote.tomcat5.CoyoteConnector": "org.apache.catalina.connector.Connector",
    "org.apache.catalina.deploy.NamingResources": "org.apache.catalina.deploy.NamingResourcesImpl",
    "org.apache.catalina.realm.JDBCRealm": "org.apache.catalina.realm.DataSourceRealm",
    "org.apache.catalina.session.JDBCStore": "org.apache.catalina.session.DataSourceStore",
    "org.apache.catalina.valves.FastCommonAccessLogValve": "org.apache.catalina.valves.AccessLogValve",
    "org.apache.tomcat.util.http.LegacyCookieProcessor": "org.apache.tomcat.util.http.Rfc6265CookieProcessor",
}

_CLASS_LOADERS = "Python has no class loader that it could leak"
_BINDER_VALVE = "JvmRouteBinderValve tells the other nodes itself"
_JAR_SCANNING = "there are no TLDs or web fragments to scan Java archives for"
_DIR_CONTEXT = "Tomcat 8 replaced DirContext; the context's own docBase is served"

#: Classes without a meaning in Python, and the reason; each is logged once, at level INFO.
JAVA_ONLY = {
    "org.apache.catalina.core.AprLifecycleListener": "TLS comes from Python's own OpenSSL, there is no native library",
    "org.apache.catalina.core.OpenSSLLifecycleListener": "TLS comes from Python's own OpenSSL",
    "org.apache.catalina.core.JniLifecycleListener": "there is no Java native library to load",
    "org.apache.catalina.core.JreMemoryLeakPreventionListener": _CLASS_LOADERS,
    "org.apache.catalina.core.ThreadLocalLeakPreventionListener": (
        "an application's thread locals end with its threads, the container keeps none"
    ),
    "org.apache.catalina.core.JasperListener": "there is no JSP compiler",
    "org.apache.catalina.startup.TldConfig": _JAR_SCANNING,
    "org.apache.catalina.connector.MapperListener": "the mapper needs no listener",
    "org.apache.catalina.mbeans.ServerLifecycleListener": "every component is registered without a listener",
    "org.apache.catalina.util.SystemPropertyReplacerListener": "properties are replaced while they are read",
    "org.apache.catalina.core.ContextNamingInfoListener": "names are looked up in the context, there is no java: URL",
    "org.apache.catalina.core.NamingContextListener": "every context and server has its names without a listener",
    "org.apache.catalina.storeconfig.StoreConfigLifecycleListener": "the server does not write its server.xml",
    "org.apache.catalina.security.TLSCertificateReloadListener": (
        "a connector reads its certificates anew whenever their files change"
    ),
    "org.apache.catalina.startup.EngineConfig": "the engine logs its own start and stop",
    "org.apache.catalina.startup.Tomcat$DefaultWebXmlListener": "it belongs to embedded Java",
    "org.apache.catalina.startup.Tomcat$FixContextListener": "it belongs to embedded Java",
    "org.apache.catalina.ha.session.JvmRouteSessionIDBinderListener": _BINDER_VALVE,
    "org.apache.catalina.ha.session.JvmRouteSessionIDBinderLifecycleListener": _BINDER_VALVE,
    "org.apache.catalina.valves.CometConnectionManagerValve": "there are no Comet connections",
    "org.apache.catalina.logger.FileLogger": "logging is configured in conf/logging.properties",
    "org.apache.catalina.logger.SystemOutLogger": "logging is configured in conf/logging.properties",
    "org.apache.catalina.logger.SystemErrLogger": "logging is configured in conf/logging.properties",
    "org.apache.tomcat.util.scan.StandardJarScanner": _JAR_SCANNING,
    "org.apache.tomcat.util.scan.StandardJarScanFilter": _JAR_SCANNING,
    "org.apache.naming.resources.ProxyDirContext": _DIR_CONTEXT,
    "org.apache.naming.resources.WARDirContext": _DIR_CONTEXT,
    "org.apache.naming.resources.EmptyDirContext": _DIR_CONTEXT,
    "org.apache.naming.resources.FileDirContext": _DIR_CONTEXT,
    "org.apache.tomcat.util.descriptor.web.ContextEjb": "there are no EJBs",
    "org.apache.tomcat.util.descriptor.web.ContextLocalEjb": "there are no EJBs",
    "org.apache.tomcat.util.descriptor.web.ContextService": "there are no Java web service references",
}

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_APACHE = "org.apache."


class ClassBroken(CatalinaError):
    """The class exists but cannot be used: its module cannot be imported, or it is no component."""


def snake_case(class_name: str) -> str:
    """``RemoteCIDRValve`` -> ``remote_cidr_valve``."""
    return _WORD_START.sub("_", class_name).lower()


def module_of(class_name: str) -> tuple[str, str]:
    """Module and class by the rule, for a className that starts with ``org.apache.``."""
    package, _, name = class_name.removeprefix(_APACHE).rpartition(".")
    if package != "catalina" and not package.startswith("catalina."):
        package = f"catalina.{package}" if package else "catalina"
    return f"{package}.{snake_case(name.replace('$', ''))}", name.rpartition("$")[2]


@cache
def find_class(class_name: str) -> type | None:
    """The class of a className, None when there is none of that name.

    Raises:
        ClassBroken: the class exists and cannot be imported; the text says why.
    """
    class_name = OLD_NAMES.get(class_name, class_name)
    if class_name.startswith(_APACHE):
        module, name = module_of(class_name)
        return _class_in(module, name)
    for entry in entry_points(group=ENTRY_POINT_GROUP, name=class_name):
        try:
            return _as_class(entry.load(), class_name)
        except (ImportError, AttributeError) as error:
            raise ClassBroken(f"entry point {entry.value!r} cannot be loaded: {error}") from error
    module, _, name = class_name.rpartition(".")
    return _class_in(module, name) if module else None


def _class_in(module_name: str, name: str) -> type | None:
    try:
        if importlib.util.find_spec(module_name) is None:
            return None
    except ModuleNotFoundError:  # a package of the path does not exist
        return None
    try:
        module = importlib.import_module(module_name)
    # a module of the operator may fail in any way; the error names the module and the reason
    except Exception as error:
        raise ClassBroken(f"module {module_name} cannot be imported: {type(error).__name__}: {error}") from error
    found = getattr(module, name, None)
    if found is None and not module_name.startswith("catalina."):
        hint = nearest(name, (known for known, value in vars(module).items() if isinstance(value, type)))
        raise ClassBroken(f"module {module_name} has no class {name}{hint} ({getattr(module, '__file__', None)})")
    return None if found is None else _as_class(found, f"{module_name}.{name}")


def why_not_found(class_name: str) -> str:
    """The missing part of an operator's own className, which :func:`find_class` does not find."""
    module, _, _ = class_name.rpartition(".")
    if not module or class_name.startswith(_APACHE):
        return ""
    top = module.partition(".")[0]
    if importlib.util.find_spec(top) is None:
        return f": there is no package {top}; the server's own code lies in lib/ of CATALINA_BASE, or is installed"
    return f": the package {top} has no module {module}"


def _as_class(found: object, name: str) -> type:
    if not isinstance(found, type):
        raise ClassBroken(f"{name} is a {type(found).__name__}, not a class")
    return found
