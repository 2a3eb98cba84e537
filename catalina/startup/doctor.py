"""``catalina doctor``: examines a node, its machine and its group, and reports faults with their remedies."""

from __future__ import annotations

import glob
import json
import os
import resource
import ssl
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from catalina.errors import CatalinaError
from catalina.extras import is_installed
from catalina.startup.finding import CODES, Finding
from catalina.startup.group_findings import group_findings
from catalina.startup.session_safety import clusters_of, contexts_of
from catalina.tomcat.util.net.tls_context import certificate_chain

if TYPE_CHECKING:
    from pathlib import Path

    from catalina.core.standard_server import StandardServer
    from catalina.tomcat.util.net.ssl_host_config_certificate import SSLHostConfigCertificate

__all__ = ["certificate_finding", "examine", "finding_lines", "node_findings", "told", "verdict_of"]
#: A certificate that expires within this number of days is a warning.
CERTIFICATE_DAYS = 30
#: From this share of a limit on, the use of it is a warning.
NEARLY = 0.8
#: Number of files and connections that a node has open besides those of its clients.
OWN_FILES = 200


def examine(server: StandardServer, report: Callable[[str, int, int], None]) -> list[Finding]:
    """Examine everything, which takes some seconds when there is a cluster. Nothing is changed.

    Args:
        report: called with the part that is being examined.
    """
    found = list(node_findings(server))
    clusters = clusters_of(server)
    if not clusters:
        found.append(Finding("cluster", "ok", "this node is in no cluster"))
    for cluster in clusters:
        report(f"listening to {cluster.name}", 0, 0)
        found += group_findings(cluster)
    return found


def verdict_of(findings: list[Finding]) -> str:
    """The worst verdict."""
    return max((each.verdict for each in findings), key=list(CODES).index, default="ok")


def told(findings: list[Finding], as_json: bool) -> tuple[list[str], int]:
    """The report as lines, and the exit code."""
    verdict = verdict_of(findings)
    whole = {"verdict": verdict, "findings": [each.as_dict() for each in findings]}
    return [json.dumps(whole, indent=1)] if as_json else finding_lines(findings), CODES[verdict]


def finding_lines(findings: list[Finding]) -> list[str]:
    """The report for people: faults first, each with its advice below."""
    lines = []
    for each in sorted(findings, key=lambda each: -CODES[each.verdict]):
        lines.append(f"{each.verdict.upper():8} {each.check}: {each.text}")
        if each.advice:
            lines.append(f"         -> {each.advice}")
    counts = {word: sum(each.verdict == word for each in findings) for word in ("error", "warning")}
    return [*lines, "", f"{counts['error']} errors, {counts['warning']} warnings, {len(findings)} looks"]


def node_findings(server: StandardServer) -> Iterator[Finding]:
    """Examine limits, applications and certificates."""
    yield from _limits(server)
    yield from _applications(server)
    yield from _certificates(server)


def _limits(server: StandardServer) -> Iterator[Finding]:
    used, limit = len(os.listdir("/proc/self/fd")), resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    wanted = OWN_FILES + sum(
        connector.protocol_handler.max_connections for service in server.services for connector in service.connectors
    )
    advice = f"LimitNOFILE={wanted} in the systemd unit, or ulimit -n {wanted} before the start"
    if used > NEARLY * limit:
        yield Finding("files", "error", f"{used} of {limit} file descriptors are in use", advice)
    elif wanted > limit:
        text = f"the limit is {limit} file descriptors; the connectors' maxConnections and the rest make {wanted}"
        yield Finding("files", "warning", text, advice)
    else:
        yield Finding("files", "ok", f"{used} of {limit} file descriptors are in use")
    yield _inotify()


def _inotify() -> Finding:
    try:
        with open("/proc/sys/fs/inotify/max_user_watches", encoding="ascii") as source:
            limit = int(source.read())
    except (OSError, ValueError) as error:
        return Finding("watches", "unknown", f"the limit of inotify watches cannot be read: {error}")
    used = 0
    for path in glob.glob("/proc/self/fdinfo/*"):
        try:
            with open(path, encoding="ascii", errors="replace") as source:
                used += sum(line.startswith("inotify ") for line in source)
        except OSError:
            continue  # another thread has closed it since listdir()
    text = f"this node uses {used} of the user's {limit} inotify watches"
    if used > NEARLY * limit:
        return Finding("watches", "warning", text, f"sysctl -w fs.inotify.max_user_watches={4 * limit}")
    return Finding("watches", "ok", text)


def _applications(server: StandardServer) -> Iterator[Finding]:
    failed = 0
    for context in contexts_of(server):
        name = f"{context.host.name}{context.name or '/'}"
        if context.failure and not context.state.available:
            failed += 1
            yield Finding("applications", "error", f"[{name}] does not run: {context.failure}", "catalina reload, "
                          "when the cause is gone")  # fmt: skip
        elif context.cluster is None or context.privileged:
            continue  # the sessions of who works on this node (manager) are this node's
        elif context.state.available and not context.distributable:
            text = f"the sessions of [{name}] are not replicated: the application is not marked distributable"
            advice = "distributable = True in the module of the application, or <distributable/> in WEB-INF/web.xml"
            yield Finding("applications", "warning", text, advice)
    if not failed:
        yield Finding("applications", "ok", "every application runs")


def _certificates(server: StandardServer) -> Iterator[Finding]:
    for service in server.services:
        for connector in service.connectors:
            if not connector.is_tls:
                continue
            if connector.tls is None:
                yield Finding("certificates", "error", f"{connector} has no certificate", "catalina configtest")
                continue
            for config in connector.tls.configs:
                for certificate in config.certificates:
                    yield certificate_finding(f"{connector} {config.host_name}", certificate, connector.tls.base)


def certificate_finding(where: str, certificate: SSLHostConfigCertificate, base: Path) -> Finding:
    """How long a configured certificate is good."""
    if not is_installed("cryptography"):
        return Finding("certificates", "unknown", f"{where}: reading certificates needs the package cryptography")
    from cryptography import x509

    try:
        chain = certificate_chain(certificate, base)
        first = chain[chain.index("-----BEGIN") :].partition("-----END CERTIFICATE-----")
        read = x509.load_der_x509_certificate(ssl.PEM_cert_to_DER_cert("".join(first[:2])))
    except (CatalinaError, OSError, ValueError) as error:
        return Finding("certificates", "error", f"{where}: the certificate cannot be read: {error}")
    days = (read.not_valid_after_utc.timestamp() - time.time()) / 86400
    text = f"{where}: {read.subject.rfc4514_string()} is good until {read.not_valid_after_utc:%Y-%m-%d}"
    advice = "renew it; /manager/text/sslReload takes the new files without a restart"
    if days < 0:
        return Finding("certificates", "error", text.replace(" is good", " was good"), advice)
    return Finding("certificates", "warning" if days < CERTIFICATE_DAYS else "ok", text,
                   advice if days < CERTIFICATE_DAYS else "")  # fmt: skip
