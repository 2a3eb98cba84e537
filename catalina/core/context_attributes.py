"""Every attribute of ``<Context>`` (Tomcat: core/StandardContext.java, docs/config/context.html)."""

from __future__ import annotations

import re
from typing import NamedTuple

from catalina.attributes import Attribute, AttributeRefused, byte_size, choice
from catalina.core.container_base import ContainerBase

__all__ = ["Affinity", "ContextAttributes", "inner_path", "octal_mask"]

_NO_CLASS_LOADER = "Python has no class loader to clean up after"
_NO_TLD = "there are no tag libraries"


class Affinity(NamedTuple):
    """The key by which the requests of an application stay with one worker.

    Args:
        kind: ``cookie``, ``query`` or ``header``.
    """

    kind: str
    name: str


def affinity(text: str) -> Affinity:
    """Read an attribute's text. Raises ValueError."""
    kind, _, name = text.strip().partition(":")
    if kind.strip() not in ("cookie", "query", "header") or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
        raise ValueError("cookie:NAME, query:NAME or header:NAME")
    return Affinity(kind, name)


def inner_path(text: str) -> str:
    """Converter for a path inside the application, with or without a query."""
    path = text.strip()
    if not path.startswith("/"):
        raise AttributeRefused("a path that begins with /")
    return path


def octal_mask(text: str) -> int:
    """Converter for a umask as a shell writes it: ``0027``."""
    if not re.fullmatch(r"0?[0-7]{3}", text.strip(), re.ASCII):
        raise AttributeRefused("three octal digits, such as 0027")
    return int(text, 8)


class ContextAttributes(ContainerBase):
    """The declarations of the attributes; :class:`~catalina.core.standard_context.StandardContext` acts on them."""

    # Identity and place.
    path = Attribute(str, "", doc="Context path, only for a Context in server.xml; elsewhere the file name decides.")
    web_app_version = Attribute(
        str, "", xml="webappVersion", doc="Version, the text behind ## of the file name; the newest gets new sessions."
    )
    doc_base = Attribute(str, None, doc="Directory or archive, absolute or relative to the host's appBase.")
    alt_dd_name = Attribute(
        str, None, xml="altDDName", doc="Absolute path of a file to use instead of WEB-INF/web.xml."
    )
    work_dir = Attribute(str, None, doc="Scratch directory; work/<engine>/<host>/<application> if not given.")
    override = Attribute(bool, False, doc="Ignore conf/context.xml and the host's context.xml.default.")
    config_class = Attribute(
        str, "org.apache.catalina.startup.ContextConfig", doc="Listener that reads web.xml into this context."
    )
    default_web_xml = Attribute(
        str, None, doc="Defaults below WEB-INF/web.xml, relative to CATALINA_BASE; conf/web.xml if not given."
    )
    default_context_xml = Attribute(
        str,
        None,
        doc="Defaults below the context's own file, relative to CATALINA_BASE; conf/context.xml if not given.",
    )

    # Sessions.
    cookies = Attribute(bool, True, doc="Carry the session id in a cookie; false leaves only the URL.")
    session_cookie_name = Attribute(str, None, doc="Name of the session cookie; wins over web.xml.")
    session_cookie_path = Attribute(str, None, doc="Path of it; / shares the cookie between applications.")
    session_cookie_domain = Attribute(str, None, doc="Domain of it; wins over web.xml.")
    session_cookie_path_uses_trailing_slash = Attribute(bool, False, doc="Put a slash at the end of the cookie's path.")
    use_http_only = Attribute(bool, True, doc="Keep the session cookie from scripts.")
    use_partitioned = Attribute(bool, False, doc="Mark the session cookie Partitioned.")
    session_timeout = Attribute(int, 30, unit="minutes", doc="Idle time after which a session ends; 0 or less: never.")
    validate_client_provided_new_session_id = Attribute(
        bool, True, doc="Take an id the client offers only if another application of the host knows it."
    )
    framework_sessions = Attribute(
        choice("auto", "off"),
        "auto",
        doc="Let Flask and Django keep their sessions in the container when the application is distributable and has"
        " chosen no back end of its own; the log says what was done.",
    )
    asgi = Attribute(
        choice("refuse", "wrap"),
        "refuse",
        doc="The treatment of an ASGI application: each request gets a 500 that names the remedy, or the package a2wsgi"
        " wraps it.",
    )
    affinity = Attribute(
        affinity,
        None,
        doc="Beyond Tomcat: in a node with workers, requests with the same cookie:NAME, query:NAME or header:NAME go to"
        " the same worker, whatever their session; those without it go to the worker that has the session.",
    )
    always_access_session = Attribute(bool, False, doc="Every request with a session id counts as an access to it.")
    preemptive_authentication = Attribute(
        bool, False, doc="Check credentials that a client sends unasked, also on unprotected pages."
    )

    # Requests.
    mapper_context_root_redirect_enabled = Attribute(bool, True, doc="Redirect /app to /app/ in the mapper.")
    mapper_directory_redirect_enabled = Attribute(bool, False, doc="Redirect directories in the mapper, before valves.")
    use_relative_redirects = Attribute(bool, True, doc="Leave Location values relative.")
    send_redirect_body = Attribute(bool, False, doc="Send a short text body with redirects.")
    cross_context = Attribute(bool, False, doc="Let the application reach other applications of the host.")
    allow_casual_multipart_parsing = Attribute(bool, False, inert="an application reads its multipart bodies itself")
    create_upload_targets = Attribute(bool, False, inert="an application reads its multipart bodies itself")
    swallow_aborted_uploads = Attribute(
        bool,
        True,
        inert="a refused upload is answered, then the connection is closed without a reset",
    )
    swallow_output = Attribute(bool, False, doc="Send what the application prints to its log.")
    allow_multiple_leading_forward_slash_in_path = Attribute(
        bool, False, inert="leading slashes are always folded, as redirects could leave the site otherwise"
    )
    fire_request_listeners_on_forwards = Attribute(bool, False, inert="request listeners are called once per request")
    dispatchers_use_encoded_paths = Attribute(bool, True, doc="Paths given to a dispatcher are percent-encoded.")
    dispatcher_wraps_same_object = Attribute(bool, False, inert="there are no request wrappers")
    suspend_wrapped_response_after_forward = Attribute(bool, False, inert="there are no response wrappers")
    encoded_solidus_handling = Attribute(
        choice("decode", "reject", "passthrough"), "decode", doc="The treatment of %2f in dispatcher paths."
    )
    encoded_reverse_solidus_handling = Attribute(
        choice("decode", "reject", "passthrough"), "decode", doc="The treatment of %5c in dispatcher paths."
    )

    # Files.
    allow_linking = Attribute(bool, None, doc="Old place of the attribute of <Resources>; wins over it when given.")
    caching_allowed = Attribute(bool, None, doc="Old place of the attribute of <Resources>.")
    cache_max_size = Attribute(int, None, unit="KiB", doc="Old place of the attribute of <Resources>.")
    cache_object_max_size = Attribute(int, None, unit="KiB", doc="Old place of the attribute of <Resources>.")
    cache_ttl = Attribute(int, None, unit="ms", xml="cacheTTL", doc="Old place of the attribute of <Resources>.")
    aliases = Attribute(str, None, doc="Old way to serve outside directories: /url=directory,/url2=directory2.")
    add_webinf_classes_resources = Attribute(
        bool, False, doc="Serve also WEB-INF/classes/META-INF/resources as static files."
    )
    context_get_resource_requires_slash = Attribute(bool, False, doc="Refuse resource names without leading slash.")
    resource_only_servlets = Attribute(
        str, "jsp", doc="Servlets, by name, that a welcome file reaches only when it exists; separated by commas."
    )

    # Deployment.
    reloadable = Attribute(bool, False, doc="Watch the application's code and reload on change. Costs a look per tick.")
    unpack_war = Attribute(
        bool, True, xml="unpackWAR", doc="False keeps this archive packed although the host unpacks."
    )
    copy_xml = Attribute(bool, False, xml="copyXML", doc="Copy META-INF/context.xml to the host's xmlBase.")
    install_dependencies = Attribute(
        bool, None, doc="false: pip installs nothing for this application. true does not overrule the host's false."
    )
    anti_resource_locking = Attribute(bool, False, inert="files here can be replaced while they are in use")
    anti_jar_locking = Attribute(
        bool, False, xml="antiJARLocking", inert="files here can be replaced while they are in use"
    )
    fail_ctx_if_servlet_start_fails = Attribute(
        bool, None, doc="A load-on-startup servlet that fails makes the application fail; the host's if not given."
    )
    unload_delay = Attribute(int, 2000, unit="ms", doc="How long a stop waits for requests that are under way.")
    privileged = Attribute(
        bool,
        False,
        doc="Let the application have servlets that work on the container (ContainerServlet), as the manager has. "
        "Counts in server.xml and in descriptors of xmlBase, not in an application's own META-INF/context.xml.",
    )
    use_naming = Attribute(bool, True, doc="Give the application its names: resources, environment entries.")
    jndi_exception_on_failed_write = Attribute(bool, True, inert="an application cannot write to its names")
    log_effective_web_xml = Attribute(bool, False, doc="Log the merged descriptor at start.")

    # Processes.
    isolation = Attribute(
        choice("shared", "process", "auto"),
        "auto",
        doc="The processes that run the application: the node's workers, with the other applications; a pool of workers"
        " of its own; or such a pool if it needs packages, or brings packages or compiled modules of its own, and does"
        " not say crossContext.",
    )
    workers = Attribute(
        int,
        0,
        doc="The number of the node's workers that run the application, the others pass its requests on; 0: all. Of a"
        " pool: the number of its workers; 0: as many as the node has.",
    )
    max_memory = Attribute(
        byte_size, 0, unit="bytes", doc="A pool's worker that uses more is replaced; 512M is understood. 0: no limit."
    )
    max_requests = Attribute(int, 0, doc="A pool's worker that has served so many is replaced. 0: no limit.")
    request_timeout = Attribute(
        int, 0, unit="ms", doc="A request of a pool that takes longer gets 503, and ends its worker. 0: no limit."
    )
    health_path = Attribute(
        inner_path,
        None,
        doc="A path in the application, /health, that a new version has to answer with a status below 500 before it"
        " gets the first request; otherwise it does not start.",
    )
    health_timeout = Attribute(int, 30_000, unit="ms", doc="How long the answer to healthPath may take.")
    user = Attribute(
        str, None, doc="The account that the application's own processes run as; such an application has a pool."
    )
    group = Attribute(str, None, doc="Their group; the user's own one if not given.")
    umask = Attribute(octal_mask, 0o027, doc="Their umask, octal.")
    home = Attribute(str, None, doc="Their HOME and working directory; the private directory if not given.")
    max_open_files = Attribute(int, 0, doc="RLIMIT_NOFILE of a process with a user of its own. 0: the server's.")
    max_processes = Attribute(
        int, 0, doc="RLIMIT_NPROC: the processes and threads of the user, of all its pools. 0: the server's."
    )
    max_address_space = Attribute(
        byte_size, 0, unit="bytes", doc="RLIMIT_AS of a process with a user of its own; 2G is understood. 0: no limit."
    )
    max_core_size = Attribute(
        byte_size, 0, unit="bytes", doc="RLIMIT_CORE of a process with a user of its own; 0 writes no core files."
    )

    # Descriptors.
    xml_block_external = Attribute(
        bool, True, doc="No external entities in descriptors. Local files only, even when it is false."
    )
    xml_namespace_aware = Attribute(bool, False, inert="descriptors are always read with namespaces")
    xml_validation = Attribute(bool, False, inert="what has a meaning in a descriptor is always checked")
    tld_validation = Attribute(bool, False, inert=_NO_TLD)
    process_tlds = Attribute(bool, True, inert=_NO_TLD)
    container_sci_filter = Attribute(str, None, inert="there are no servlet container initializers")
    parallel_annotation_scanning = Attribute(bool, False, inert="there are no annotations to scan")
    ignore_annotations = Attribute(bool, False, inert="there are no annotations")
    url_patterns_provided_in_decoded_form = Attribute(
        bool, False, doc="Take the descriptor's url-patterns as they stand, not percent-encoded."
    )
    wrapper_class = Attribute(
        str, "org.apache.catalina.core.StandardWrapper", inert="a servlet is always a StandardWrapper"
    )

    # Java's memory leaks.
    clear_references_http_client_keep_alive_thread = Attribute(bool, True, inert=_NO_CLASS_LOADER)
    clear_references_object_stream_class_caches = Attribute(bool, True, inert=_NO_CLASS_LOADER)
    clear_references_rmi_targets = Attribute(bool, True, inert=_NO_CLASS_LOADER)
    clear_references_static = Attribute(bool, False, inert=_NO_CLASS_LOADER)
    clear_references_thread_locals = Attribute(bool, True, inert=_NO_CLASS_LOADER)
    clear_references_stop_threads = Attribute(
        bool, False, inert="Python cannot stop a thread; those left behind are reported"
    )
    clear_references_stop_timer_threads = Attribute(bool, False, doc="Cancel timers the application left behind.")
    renew_threads_when_stopping_context = Attribute(bool, True, inert=_NO_CLASS_LOADER)
    skip_memory_leak_checks_on_jvm_shutdown = Attribute(bool, False, inert="leftovers are reported at every stop")
    use_bloom_filter_for_archives = Attribute(
        bool, False, inert="an archive's directory is kept in memory; Tomcat itself has given it up"
    )
    not_found_class_resource_cache_size = Attribute(int, 1000, inert=_NO_CLASS_LOADER)
