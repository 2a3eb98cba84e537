"""The beans of a server: every component of its tree, under Tomcat's name for it (mbeans.json has the patterns)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from catalina.attributes import Component
from catalina.connector.request_processor_bean import RequestProcessorBean
from catalina.connector.string_cache_bean import StringCacheBean
from catalina.connector.thread_pool_bean import ThreadPoolBean
from catalina.core.context_bean import J2EE
from catalina.core.filter_bean import FilterBean
from catalina.ha.tcp.member_bean import MemberBean
from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
from catalina.mbeans.object_name import ObjectName, quote
from catalina.mbeans.registry import fenced
from catalina.naming.data_source_bean import DataSourceBean, is_engine
from catalina.realm.combined_realm import CombinedRealm
from catalina.startup.host_config import HostConfig
from catalina.webresources.cache_bean import CacheBean

if TYPE_CHECKING:
    from catalina.connector.connector import Connector
    from catalina.core.container_base import ContainerBase
    from catalina.core.standard_context import StandardContext
    from catalina.core.standard_engine import StandardEngine
    from catalina.core.standard_host import StandardHost
    from catalina.core.standard_server import StandardServer
    from catalina.core.standard_service import StandardService
    from catalina.deploy.naming_resources_impl import NamingResourcesImpl
    from catalina.realm.realm import Realm
    from catalina.tribes.group.group_channel import GroupChannel

__all__ = ["server_beans"]

Beans = Iterator[tuple[ObjectName, Component]]

#: The number of requests of one connector that are listed.
MAX_REQUESTS = 1000
#: Tomcat's domain for components outside every engine, and for a server without an engine.
DEFAULT_DOMAIN = "Catalina"


def server_beans(server: StandardServer) -> Beans:
    """Names and components of everything that exists now."""
    domain = next((service.engine.name for service in server.services if service.engine), DEFAULT_DOMAIN)
    yield ObjectName(domain, {"type": "Server"}), server
    yield ObjectName(domain, {"type": "StringCache"}), StringCacheBean()
    if server.state.available:
        yield ObjectName(domain, {"type": "UtilityExecutor"}), server.utility
    if server.global_naming_resources is not None:
        yield ObjectName(domain, {"type": "NamingResources"}), server.global_naming_resources
        yield from _named_resources(server.global_naming_resources)
        yield from fenced(_data_sources(domain, {}, server.global_naming_resources))
    for service in server.services:
        yield from fenced(_service(service))


def _service(service: StandardService) -> Beans:
    domain = service.engine.name if service.engine is not None else DEFAULT_DOMAIN
    yield ObjectName(domain, {"type": "Service"}), service
    for executor in service.executors:
        yield ObjectName(domain, {"type": "Executor", "name": executor.name}), executor
    for connector in service.connectors:
        yield from fenced(_connector(domain, connector))
    if service.engine is not None:
        yield ObjectName(domain, {"type": "Mapper"}), service.mapper_listener
        yield from _engine(service.engine)


def _connector(domain: str, connector: Connector) -> Beans:
    own = connector.object_name(domain)
    yield own, connector
    yield ObjectName(domain, {**own.keys, "type": "ProtocolHandler"}), connector.protocol_handler
    yield ObjectName(domain, {"type": "GlobalRequestProcessor", "name": quote(connector.name)}), connector.request_info
    yield ObjectName(domain, {"type": "ThreadPool", "name": quote(connector.name)}), ThreadPoolBean(connector)
    pool = {"ThreadPool": quote(connector.name)}
    for config in connector.ssl_host_configs:
        name = quote(config.host_name)
        yield ObjectName(domain, {"type": "SSLHostConfig", **pool, "name": name}), config
        for certificate in config.certificates:
            keys = {"type": "SSLHostConfigCertificate", **pool, "Host": name, "name": str(certificate.type)}
            yield ObjectName(domain, keys), certificate
    yield from fenced(_requests(domain, connector))


def _requests(domain: str, connector: Connector) -> Beans:
    """The requests that are running now."""
    running = connector.endpoint.running_requests() if connector.state.available else []
    for number, request in enumerate(running[:MAX_REQUESTS], 1):
        keys = {"type": "RequestProcessor", "worker": quote(connector.name), "name": f"HttpRequest{number}"}
        yield ObjectName(domain, keys), RequestProcessorBean(request)


def _engine(engine: StandardEngine) -> Beans:
    domain = engine.name
    yield ObjectName(domain, {"type": "Engine"}), engine
    yield from _container(domain, engine, {})
    for host in engine.children:
        yield from _host(domain, host)  # type: ignore[arg-type]  # an engine's children are hosts


def _host(domain: str, host: StandardHost) -> Beans:
    keys = {"host": host.name}
    yield ObjectName(domain, {"type": "Host", **keys}), host
    yield from _container(domain, host, keys)
    deployer = HostConfig.of(host)
    if deployer is not None:
        yield ObjectName(domain, {"type": "Deployer", **keys}), deployer
    for context in host.children:
        yield from fenced(_context(domain, host, context))  # type: ignore[arg-type]  # a host's children are contexts


def _context(domain: str, host: StandardHost, context: StandardContext) -> Beans:
    own = context.object_name(domain, host.name)
    yield own, context
    module = own.keys["name"]
    keys = {"host": host.name, "context": context.name or "/"}
    yield from _container(domain, context, keys)
    for kind, part in (
        ("Manager", context.manager),
        ("Loader", context.loader),
        ("WebResourceRoot", context.resources),
    ):
        if isinstance(part, Component):
            yield ObjectName(domain, {"type": kind, **keys}), part
    cache = context.resources.cache
    if cache is not None:
        yield ObjectName(domain, {"type": "WebResourceRoot", **keys, "name": "Cache"}), CacheBean(cache)
    for wrapper in context.children:
        name = {"j2eeType": "Servlet", "WebModule": module, "name": _plain(wrapper.name)}
        yield ObjectName(domain, {**name, **J2EE}), wrapper
    for definition in context.filter_definitions.values():
        name = {"j2eeType": "Filter", "WebModule": module, "name": _plain(definition.name)}
        yield ObjectName(domain, {**name, **J2EE}), FilterBean(definition)
    yield ObjectName(domain, {"type": "NamingResources", **keys}), context.naming
    yield from _named_resources(context.naming)
    yield from fenced(_data_sources(domain, keys, context.naming))


def _plain(text: str) -> str:
    """A value as it is if JMX allows that, otherwise quoted."""
    return quote(text) if not text or any(character in text for character in ',=:"*?\n') else text


def _container(domain: str, container: ContainerBase, keys: dict[str, str]) -> Beans:
    """The parts that any container may have: valves, a realm, a cluster."""
    counts: dict[str, int] = {}
    for valve in container.pipeline.valves:
        kind = type(valve).__name__
        seen = counts[kind] = counts.get(kind, 0) + 1
        name = {"name": kind, **({"seq": str(seen - 1)} if seen > 1 else {})}
        yield ObjectName(domain, {"type": "Valve", **keys, **name}), valve
    parent = container.parent
    realm = container.realm
    if realm is not None and (parent is None or parent.realm is not realm):
        yield from _realm(domain, realm, "/realm0", keys)
    cluster = container.cluster
    if isinstance(cluster, SimpleTcpCluster) and (parent is None or parent.cluster is not cluster):
        yield from _cluster(domain, cluster, keys, container.name)


def _realm(domain: str, realm: Realm, path: str, keys: dict[str, str]) -> Beans:
    yield ObjectName(domain, {"type": "Realm", "realmPath": path, **keys}), realm
    for number, nested in enumerate(realm.realms if isinstance(realm, CombinedRealm) else ()):
        yield from _realm(domain, nested, f"{path}/realm{number}", keys)


def _cluster(domain: str, cluster: SimpleTcpCluster, keys: dict[str, str], container: str) -> Beans:
    yield ObjectName(domain, {"type": "Cluster", **keys}), cluster
    if isinstance(cluster.deployer, Component):
        yield ObjectName(domain, {"type": "Cluster", **keys, "component": "Deployer"}), cluster.deployer
    local = cluster.local_member if cluster.state.available else None
    for member in (*(() if local is None else (local,)), *cluster.members):
        name = {"type": "Cluster", **keys, "component": "Member", "name": quote(member.name)}
        bean = MemberBean(member, member == local, member in cluster.missed.silent)
        yield ObjectName(domain, name), bean
    if cluster.channel is not None:
        yield from _channel(cluster.channel, f"{container}-Channel")


def _channel(channel: GroupChannel, name: str) -> Beans:
    """The channel and its parts, which have a domain of their own: the channel's jmxDomain, with its jmxPrefix in
    front.
    """
    if not channel.jmx_enabled:
        return
    base = ObjectName.parse(f"{channel.jmx_domain}:{channel.jmx_prefix}type=Channel,channel={name}")

    def named(**more: str) -> ObjectName:
        return ObjectName(base.domain, {**base.keys, **more})

    yield named(component="Channel"), channel
    coordinator = channel.coordinator
    for component, part in (
        ("Membership", coordinator.membership_service),
        ("Receiver", coordinator.receiver),
        ("Sender", coordinator.sender.transport),
    ):
        if isinstance(part, Component):
            yield named(component=component), part
    for interceptor in channel.interceptors:
        yield named(component="Interceptor", interceptorName=type(interceptor).__name__), interceptor


def _data_sources(domain: str, keys: dict[str, str], resources: NamingResourcesImpl) -> Beans:
    """The pools that some code has looked up."""
    entries = {entry.name: entry for entry in resources.entries}
    for name, made in resources.names.made():
        if is_engine(made):
            entry = entries.get(name)
            wanted = "0" if entry is None else entry.properties.get("initialSize", "0")
            kind = {"type": "DataSource", **keys, "class": "javax.sql.DataSource" if entry is None else entry.type}
            initial = int(wanted) if wanted.isdecimal() else 0
            yield ObjectName(domain, {**kind, "name": quote(name)}), DataSourceBean(made, initial)


def _named_resources(resources: NamingResourcesImpl) -> Beans:
    for entry in resources.entries:
        yield resources.bean_name(entry), entry
