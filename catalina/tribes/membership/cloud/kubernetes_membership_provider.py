"""Takes the pods of a namespace for members (Tomcat: membership/cloud/KubernetesMembershipProvider.java)."""

from __future__ import annotations

import ipaddress
import json
import logging
import ssl
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

from catalina.errors import ConfigurationError
from catalina.tribes.member import Member
from catalina.tribes.membership.cloud.cloud_membership_provider import (
    CUSTOM_ENV_PREFIX,
    CloudMembershipProvider,
    environment,
    member_id,
)
from catalina.tribes.membership.cloud.stream_provider import (
    CertificateStreamProvider,
    StreamProvider,
    TokenStreamProvider,
)

if TYPE_CHECKING:
    from catalina.tribes.membership.cloud.cloud_membership_provider import CloudService

__all__ = ["KubernetesMembershipProvider"]

log = logging.getLogger("org.apache.catalina.tribes.membership.cloud.KubernetesMembershipProvider")

_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount/"


class KubernetesMembershipProvider(CloudMembershipProvider):
    """Asks the API server for the running pods of the namespace.

    It reads these environment variables, of which the first that is set counts (``PING_`` stands for
    ``OPENSHIFT_KUBE_PING_``): PING_NAMESPACE, KUBERNETES_NAMESPACE; PING_MASTER_PROTOCOL, KUBERNETES_MASTER_PROTOCOL
    (https); PING_MASTER_HOST, KUBERNETES_SERVICE_HOST; PING_MASTER_PORT, KUBERNETES_SERVICE_PORT; PING_API_VERSION,
    KUBERNETES_API_VERSION (v1); PING_LABELS, KUBERNETES_LABELS; PING_SA_TOKEN_FILE, SA_TOKEN_FILE; PING_CA_CERT_FILE,
    KUBERNETES_CA_CERTIFICATE_FILE; PING_CLIENT_CERT_FILE, KUBERNETES_CLIENT_CERTIFICATE_FILE with
    KUBERNETES_CLIENT_KEY_FILE and KUBERNETES_CLIENT_KEY_PASSWORD, instead of a token.
    """

    def __init__(self, service: CloudService) -> None:
        super().__init__(service)
        self._started_ms = time.time() * 1000
        self._streams: StreamProvider | None = None
        self._path = ""

    def start(self) -> None:
        """Read the environment and ask. Without credentials there are no members, which is logged."""
        namespace = self.namespace()
        log.debug("Namespace [%s] set; clustering enabled", namespace)
        version = environment(CUSTOM_ENV_PREFIX + "API_VERSION", "KUBERNETES_API_VERSION") or "v1"
        labels = environment(CUSTOM_ENV_PREFIX + "LABELS", "KUBERNETES_LABELS")
        self._path = f"/api/{version}/namespaces/{quote_plus(namespace)}/pods"
        if labels:
            self._path += f"?labelSelector={quote_plus(labels)}"
        try:
            self._streams = self._make_streams()
        except (OSError, ssl.SSLError, ConfigurationError) as exc:
            log.error("Failed to open stream: %s", exc)
        super().start()

    def _make_streams(self) -> StreamProvider:
        host = environment(CUSTOM_ENV_PREFIX + "MASTER_HOST", "KUBERNETES_SERVICE_HOST")
        port = environment(CUSTOM_ENV_PREFIX + "MASTER_PORT", "KUBERNETES_SERVICE_PORT")
        if not host or not port or not port.isdecimal():
            raise ConfigurationError(
                f"expected KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT, got {host!r}, {port!r}"
            )
        protocol = environment(CUSTOM_ENV_PREFIX + "MASTER_PROTOCOL", "KUBERNETES_MASTER_PROTOCOL") or "https"
        ca_file = environment(CUSTOM_ENV_PREFIX + "CA_CERT_FILE", "KUBERNETES_CA_CERTIFICATE_FILE")
        common = (
            protocol,
            host,
            int(port),
            ca_file or _ACCOUNT + "ca.crt",
            self.service.connect_timeout / 1000,
            self.service.read_timeout / 1000,
        )
        certificate = environment(CUSTOM_ENV_PREFIX + "CLIENT_CERT_FILE", "KUBERNETES_CLIENT_CERTIFICATE_FILE")
        if certificate is None:
            token_file = environment(CUSTOM_ENV_PREFIX + "SA_TOKEN_FILE", "SA_TOKEN_FILE") or _ACCOUNT + "token"
            return TokenStreamProvider(*common, token_file=token_file)
        key_file = environment("KUBERNETES_CLIENT_KEY_FILE")
        if key_file is None:
            raise ConfigurationError("Client certificate key was not specified in the environment")
        password = environment("KUBERNETES_CLIENT_KEY_PASSWORD")
        return CertificateStreamProvider(*common, certificate_file=certificate, key_file=key_file, password=password)

    def fetch_members(self) -> Sequence[Member] | None:
        """The running pods, without this one."""
        if self._streams is None:
            return None
        try:
            answer = self._streams.get(self._path)
        except (OSError, ssl.SSLError) as exc:
            log.error("Failed connection to [%s]: %s", self._streams, exc)
            return None
        try:
            pods = list(self.parse_pods(answer))
        except ValueError as exc:
            log.error("JSON error: %s", exc)
            return None
        return pods

    def parse_pods(self, answer: bytes) -> Iterator[Member]:
        """The members of a list of pods; a pod that is not understood is logged and left out.

        Raises:
            ValueError: the answer is no JSON, or no list of pods.
        """
        listing = json.loads(answer)
        items = listing.get("items") if isinstance(listing, dict) else None
        if not isinstance(items, list):
            raise ValueError("Invalid pods list: [no items]")
        for item in items:
            pod = _Pod.read(item)
            if pod is None:
                continue
            if pod.address.packed == self.service.local_member.host:
                self.service.set_local_id(member_id(pod.uid))
                continue
            yield Member(
                pod.address.packed,
                self.service.local_member.port,
                alive_ms=int(self._started_ms - pod.created_ms),
                unique_id=member_id(pod.uid),
            )


class _Pod:
    """The needed facts of a pod."""

    def __init__(self, address: str, uid: str, created: str) -> None:
        self.address = ipaddress.ip_address(address)
        self.uid = uid
        self.created_ms = datetime.fromisoformat(created).timestamp() * 1000

    @classmethod
    def read(cls, item: object) -> _Pod | None:
        """Read a pod; None when it is not running or lacks a fact."""
        if not isinstance(item, dict) or item.get("kind", "Pod") != "Pod":
            return None
        metadata, status = item.get("metadata"), item.get("status")
        if not isinstance(metadata, dict) or not isinstance(status, dict):
            log.warning("Pod is missing some required attributes: [metadata, status]")
            return None
        if status.get("phase") != "Running":
            return None
        address, created = status.get("podIP"), metadata.get("creationTimestamp")
        try:
            return cls(str(address), str(metadata.get("uid") or address), str(created))
        except ValueError as exc:
            log.warning("Pod is missing some required attributes: [%s] %s", metadata.get("name"), exc)
            return None
