"""HTTP Digest (RFC 7616; Tomcat: authenticator/DigestAuthenticator.java, http/parser/Authorization.java)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from catalina.attributes import Attribute, AttributeRefused, comma_list
from catalina.authenticator.authenticator_base import UNAUTHORIZED, AuthenticatorBase
from catalina.authenticator.constants import DIGEST
from catalina.authenticator.digest_nonces import NonceCheck, Nonces, SeenCounts
from catalina.node_state import node_secret, node_state, place_of
from catalina.realm.message_digest import digest, digest_name

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response
    from catalina.session.session import Principal

__all__ = ["DigestAuthenticator", "DigestCredentials", "parse_digest"]

QOP = "auth"
#: The name in Java or in the RFC -> the RFC's name.
PERMITTED = {
    "MD5": "MD5",
    "SHA-256": "SHA-256",
    "SHA-512/256": "SHA-512-256",
    "SHA-512-256": "SHA-512-256",
}
_SCHEME = re.compile(r"digest\s+", re.IGNORECASE)
_WORD = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_DIRECTIVE = re.compile(rf'\s*({_WORD})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|({_WORD}))\s*(,|$)', re.DOTALL)
_HEXADECIMAL = re.compile(r"[0-9a-fA-F]+")
#: Directives that must be quoted, and those that must be hexadecimal digits.
_QUOTED = frozenset({"username", "realm", "nonce", "uri", "cnonce", "opaque"})
_HEX = frozenset({"response", "nc"})


@dataclass(frozen=True, slots=True)
class DigestCredentials:
    """The directives that the client sent; None for a missing one."""

    username: str | None = None
    realm: str | None = None
    nonce: str | None = None
    uri: str | None = None
    response: str | None = None
    algorithm: str | None = None
    cnonce: str | None = None
    opaque: str | None = None
    qop: str | None = None
    nc: str | None = None


def parse_digest(header: str) -> DigestCredentials | None:
    """Parse the Authorization field (RFC 7616 section 3.4), ignoring unknown directives.

    Returns None when its scheme is not Digest, or it is not well-formed.
    """
    scheme = _SCHEME.match(header)
    if scheme is None:
        return None
    values: dict[str, str] = {}
    at = scheme.end()
    while at < len(header):
        found = _DIRECTIVE.match(header, at)
        if found is None:
            return None
        name, quoted, token, _ = found.groups()
        name = name.lower()
        if name in _QUOTED and quoted is None:
            return None
        value = token if quoted is None else re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL)
        if name in _HEX and not _HEXADECIMAL.fullmatch(value):
            return None
        values[name] = value
        at = found.end()
    return DigestCredentials(**{name: values.get(name) for name in DigestCredentials.__slots__})


def _algorithms(text: str) -> tuple[str, ...]:
    names = tuple(PERMITTED.get(name, "") for name in comma_list(text))
    if not names or "" in names:
        raise AttributeRefused("a list of " + ", ".join(sorted(set(PERMITTED.values()))))
    return names


@dataclass(frozen=True, slots=True)
class _Answer:
    """The client's answer, in the form that a realm compares."""

    response: str
    nonce: str
    nc: str
    cnonce: str
    qop: str
    realm_name: str
    digest_a2: str
    algorithm: str


class DigestAuthenticator(AuthenticatorBase):
    """The password never travels, and each answer counts only once."""

    cache = Attribute(bool, False, doc="Remember the principal in the session, and ask for no more answers.")
    algorithms: Attribute[tuple[str, ...]] = Attribute(
        _algorithms, ("SHA-256", "MD5"), doc="Digests in the order they are offered."
    )
    key = Attribute(str, "", doc="Secret in the nonces; random when it is not given.")
    opaque = Attribute(str, "", doc="Text that the client sends back; random when it is not given.")
    nonce_cache_size = Attribute(int, 1000, doc="Nonces remembered; one that is pushed out asks its client again.")
    nonce_count_window_size = Attribute(int, 100, doc="How far the counts of one nonce may come out of order.")
    nonce_validity = Attribute(int, 300_000, unit="ms", doc="How long a nonce may be used.")
    validate_uri = Attribute(bool, True, doc="The uri in the answer must be the request's.")

    auth_method = DIGEST

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._nonces = Nonces("", 0, 1, 1)

    def _start(self) -> None:
        super()._start()
        place = place_of(self.container)
        self.key = self.key or node_secret(f"{place} key")
        self.opaque = self.opaque or node_secret(f"{place} opaque")
        self._nonces = Nonces(
            self.key, self.nonce_validity, self.nonce_cache_size, self.nonce_count_window_size,
            counts=node_state(SeenCounts, self.container, "nonces"),
        )  # fmt: skip

    def do_authenticate(self, request: Request, response: Response) -> bool:
        """Check the answer of the request, or ask for one."""
        if self.check_for_cached_authentication(request, response, False):
            return True
        credentials = parse_digest(request.headers.get("authorization") or "")
        principal: Principal | None = None
        stale = False
        if credentials is not None:
            check = self._validate(request, credentials)
            if check is not NonceCheck.INVALID:
                principal = self._authenticate(request, credentials)
            stale = principal is not None and check is NonceCheck.STALE
        if principal is not None and credentials is not None and not stale:
            self.register(request, response, principal, DIGEST, credentials.username, None)
            return True
        self._challenge(request, response, stale)
        return False

    def is_preemptive_auth_possible(self, request: Request) -> bool:
        """True when the request has an answer."""
        return (request.headers.get("authorization") or "").lower().startswith("digest ")

    def _validate(self, request: Request, given: DigestCredentials) -> NonceCheck:
        """True when everything except the response is right; the realm compares the response."""
        known = given.username is not None and given.response is not None and given.nonce is not None
        if not known or given.uri is None or (self.validate_uri and not _is_uri_of(request, given.uri)):
            return NonceCheck.INVALID
        if given.realm != self.realm_name or given.opaque != self.opaque or given.qop != QOP:
            return NonceCheck.INVALID
        if given.cnonce is None or given.nc is None or not 6 <= len(given.nc) <= 8:
            return NonceCheck.INVALID
        if PERMITTED.get(given.algorithm or "", "MD5") not in self.algorithms:
            return NonceCheck.INVALID
        return self._nonces.check(request.remote_addr, given.nonce or "", int(given.nc, 16))

    def _authenticate(self, request: Request, given: DigestCredentials) -> Principal | None:
        algorithm = PERMITTED.get(given.algorithm or "", "MD5").replace("512-256", "512/256")
        a2 = f"{request.method}:{given.uri}".encode("latin-1", "replace")
        answer = _Answer(
            response=given.response or "",
            nonce=given.nonce or "",
            nc=given.nc or "",
            cnonce=given.cnonce or "",
            qop=given.qop or "",
            realm_name=given.realm or "",
            digest_a2=digest(digest_name(algorithm), a2).hex(),
            algorithm=algorithm,
        )
        return self.realm.authenticate_digest(given.username or "", answer)

    def _challenge(self, request: Request, response: Response, stale: bool) -> None:
        nonce = self._nonces.make(request.remote_addr)
        response.remove_header("WWW-Authenticate")
        for algorithm in self.algorithms:
            response.add_header(
                "WWW-Authenticate",
                f'Digest realm="{self.realm_name}", qop="{QOP}", nonce="{nonce}", opaque="{self.opaque}"'
                f"{', stale=true' if stale else ''}, algorithm={algorithm}",
            )
        response.send_error(UNAUTHORIZED)


def _is_uri_of(request: Request, uri: str) -> bool:
    """True when ``uri`` is the request's target, with or without scheme and host."""
    target = request.request_uri if request.query_string is None else f"{request.request_uri}?{request.query_string}"
    if uri == target:
        return True
    host = request.headers.get("host")
    return host is not None and uri == f"{request.scheme}://{host}{target}"
