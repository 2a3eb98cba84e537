"""TLS with pre-shared keys for the members' connections (Tomcat: tribes/transport/TribesSslContext.java).

Both sides prove that they have the key; there are no certificates. From 3.13 on, Python offers the callbacks by which
OpenSSL asks for a key of digest SHA-256. For earlier Pythons, and for SHA-384, this module sets the callbacks on
OpenSSL's own context, behind Python's: ``SSL_CTX_set_psk_client_callback`` and ``..._server_callback`` of TLS 1.2, and
``SSL_CTX_set_psk_use_session_callback`` and ``..._find_session_callback`` of TLS 1.3.

OpenSSL goes on without the key when it can: a TLS 1.3 client that is not asked to check certificates accepts a server
that has one and no key (CVE-2026-133325 of Tomcat). So both sides must call :meth:`TribesSslContext.check_peer` after
every handshake.
"""

from __future__ import annotations

import ctypes
import ssl
import sys
from typing import Any, TypeAlias

from catalina.errors import ConfigurationError

__all__ = ["MAX_KEY", "TribesSslContext"]

#: Bytes of a key and of an identity that OpenSSL takes.
MAX_KEY, MAX_IDENTITY = 512, 128

_PROTOCOLS = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}
#: Tomcat's ciphers. A TLS 1.3 key works only with ciphers of its digest, and is bound to one of them.
_TLS12_CIPHER = "PSK-AES128-GCM-SHA256"
_TLS13_CIPHERS = {
    "SHA256": (b"\x13\x01", b"TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256"),
    "SHA384": (b"\x13\x02", b"TLS_AES_256_GCM_SHA384"),
}

_Address = ctypes.POINTER(ctypes.c_void_p)
#: Where OpenSSL wants a result.
Addresses: TypeAlias = "ctypes._Pointer[ctypes.c_void_p]"
Sizes: TypeAlias = "ctypes._Pointer[ctypes.c_size_t]"
_CLIENT = ctypes.CFUNCTYPE(
    ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_void_p, ctypes.c_uint
)
_SERVER = ctypes.CFUNCTYPE(ctypes.c_uint, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_uint)
_USE = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, _Address, ctypes.POINTER(ctypes.c_size_t), _Address
)
_FIND = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, _Address)


class TribesSslContext:
    """Makes both sides of a connection between members.

    Args:
        identity: names the key; the same on all members.
        key: the key.
        digest: SHA256 or SHA384.
        protocol: TLSv1.2 or TLSv1.3.

    Raises:
        ConfigurationError: one of them is unsuitable, or this Python's OpenSSL cannot be reached.
    """

    def __init__(self, identity: str, key: bytes, digest: str = "SHA256", protocol: str = "TLSv1.3") -> None:
        if not identity or len(identity.encode()) > MAX_IDENTITY:
            raise ConfigurationError(f"pskIdentity, expected 1 to {MAX_IDENTITY} bytes, got {len(identity.encode())}")
        if not 16 <= len(key) <= MAX_KEY:
            raise ConfigurationError(f"pskKey, expected 16 to {MAX_KEY} bytes in hex, got {len(key)}")
        if digest not in _TLS13_CIPHERS or protocol not in _PROTOCOLS:
            raise ConfigurationError(
                f"pskDigest and pskProtocol, expected SHA256 or SHA384 and TLSv1.2 or TLSv1.3, got {digest}, {protocol}"
            )
        if protocol == "TLSv1.2" and digest != "SHA256":
            raise ConfigurationError(f"pskDigest {digest} needs pskProtocol TLSv1.3; TLSv1.2 has SHA256")
        self.identity = identity
        self.key = key
        self.protocol = protocol
        self._callbacks: list[object] = []  # OpenSSL calls them as long as the contexts live
        self._by_ssl = digest == "SHA256" and hasattr(ssl.SSLContext, "set_psk_client_callback")
        self._openssl = None if self._by_ssl else _OpenSsl(*_TLS13_CIPHERS[digest])
        self.client = self._new_context(ssl.PROTOCOL_TLS_CLIENT)
        self.server = self._new_context(ssl.PROTOCOL_TLS_SERVER)

    def check_peer(self, connection: ssl.SSLSocket) -> None:
        """Raise SSLError unless the other side of a finished handshake has proved that it has the key."""
        if connection.getpeercert(binary_form=True) is not None:
            raise ssl.SSLError("the peer has shown a certificate, expected the pre-shared key")
        if connection.version() == "TLSv1.3":
            if not connection.session_reused:  # OpenSSL reports a handshake with a key as a resumed session
                raise ssl.SSLError("the peer has not used the pre-shared key")
            return
        cipher = connection.cipher()
        if cipher is None or not cipher[0].startswith("PSK-"):
            raise ssl.SSLError(f"the peer has not used the pre-shared key but {cipher}")

    def _new_context(self, side: int) -> ssl.SSLContext:
        context = ssl.SSLContext(side)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # there are no certificates; check_peer() checks the key instead
        context.minimum_version = context.maximum_version = _PROTOCOLS[self.protocol]
        context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
        is_server = side == ssl.PROTOCOL_TLS_SERVER
        if is_server:
            context.num_tickets = 0  # no session is resumed: each connection proves the key
        if self.protocol == "TLSv1.2":
            context.set_ciphers(_TLS12_CIPHER)
        if self._openssl is None:
            self._use_ssl_module(context, is_server)
        elif self.protocol == "TLSv1.2":
            self._callbacks.append(self._openssl.set_tls12(context, is_server, self.identity.encode(), self.key))
        else:
            self._callbacks.append(self._openssl.set_tls13(context, is_server, self.identity.encode(), self.key))
        return context

    def _use_ssl_module(self, context: Any, is_server: bool) -> None:
        """Set the callbacks through the ssl module, from Python 3.13 on."""
        identity, key = self.identity, self.key
        if is_server:
            context.set_psk_server_callback(lambda theirs: key if theirs == identity else b"")
        else:
            context.set_psk_client_callback(lambda _: (identity, key))


class _OpenSsl:
    """The functions of the OpenSSL library that this Python's ssl module uses, and the callbacks that are set through
    them.

    Args:
        cipher: the TLS 1.3 cipher that keys are bound to, its two bytes.
        ciphers: names of the ciphers that are offered and accepted.
    """

    def __init__(self, cipher: bytes, ciphers: bytes) -> None:
        self._cipher = cipher
        self._ciphers = ciphers
        try:
            import _ssl

            library = ctypes.CDLL(getattr(_ssl, "__file__", None))
            self._declare(library)
        except (ImportError, OSError, AttributeError) as exc:
            raise ConfigurationError(
                "TLS between members needs Python 3.13 (with pskDigest SHA256), or one whose ssl module is linked to "
                f"a shared OpenSSL; this is {sys.version.split()[0]}: {exc}"
            ) from exc

    def _declare(self, library: ctypes.CDLL) -> None:
        pointer, number = ctypes.c_void_p, ctypes.c_int
        for name, result, arguments in (
            ("SSL_CTX_set_psk_client_callback", None, (pointer, _CLIENT)),
            ("SSL_CTX_set_psk_server_callback", None, (pointer, _SERVER)),
            ("SSL_CTX_set_psk_use_session_callback", None, (pointer, _USE)),
            ("SSL_CTX_set_psk_find_session_callback", None, (pointer, _FIND)),
            ("SSL_CTX_set_ciphersuites", number, (pointer, ctypes.c_char_p)),
            ("SSL_CTX_set_session_id_context", number, (pointer, ctypes.c_char_p, ctypes.c_uint)),
            ("SSL_CIPHER_find", pointer, (pointer, ctypes.c_char_p)),
            ("SSL_SESSION_new", pointer, ()),
            ("SSL_SESSION_free", None, (pointer,)),
            ("SSL_SESSION_set1_master_key", number, (pointer, ctypes.c_char_p, ctypes.c_size_t)),
            ("SSL_SESSION_set_cipher", number, (pointer, pointer)),
            ("SSL_SESSION_set_protocol_version", number, (pointer, number)),
        ):
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
        self._library = library

    def set_tls12(self, context: ssl.SSLContext, is_server: bool, identity: bytes, key: bytes) -> object:
        """Give the context the key; the caller keeps the returned objects alive as long as the context."""
        at = _ssl_ctx(context)
        if is_server:

            def find(_: int, theirs: bytes, psk: int, room: int) -> int:
                if theirs != identity or len(key) > room:
                    return 0
                ctypes.memmove(psk, key, len(key))
                return len(key)

            found = _SERVER(find)
            self._library.SSL_CTX_set_psk_server_callback(at, found)
            return found

        def show(_: int, __: int, name: int, name_room: int, psk: int, room: int) -> int:
            if len(identity) + 1 > name_room or len(key) > room:
                return 0
            ctypes.memmove(name, identity + b"\0", len(identity) + 1)
            ctypes.memmove(psk, key, len(key))
            return len(key)

        shown = _CLIENT(show)
        self._library.SSL_CTX_set_psk_client_callback(at, shown)
        return shown

    def set_tls13(self, context: ssl.SSLContext, is_server: bool, identity: bytes, key: bytes) -> object:
        """Give the context the key for TLS 1.3, where a key is presented as a session that never took place."""
        at = _ssl_ctx(context)
        self._library.SSL_CTX_set_ciphersuites(at, self._ciphers)
        if is_server:

            def find(connection: int, theirs: int, size: int, session: Addresses) -> int:
                known = ctypes.string_at(theirs, size) == identity
                session[0] = self._session(connection, key) if known else None
                return 1

            found = _FIND(find)
            self._library.SSL_CTX_set_psk_find_session_callback(at, found)
            return found

        name = ctypes.create_string_buffer(identity, len(identity))

        def use(
            connection: int,
            _: int,
            shown: Addresses,
            size: Sizes,
            session: Addresses,
        ) -> int:
            session[0] = self._session(connection, key)
            shown[0], size[0] = ctypes.addressof(name), len(identity)
            return 1 if session[0] else 0

        # OpenSSL refuses a session of another context, and the session of a key has no context.
        self._library.SSL_CTX_set_session_id_context(at, b"", 0)
        used = _USE(use)
        self._library.SSL_CTX_set_psk_use_session_callback(at, used)
        return used, name

    def _session(self, connection: int, key: bytes) -> int | None:
        library = self._library
        session: int | None = library.SSL_SESSION_new()
        cipher = library.SSL_CIPHER_find(connection, self._cipher)
        if (
            session
            and cipher
            and library.SSL_SESSION_set1_master_key(session, key, len(key))
            and library.SSL_SESSION_set_cipher(session, cipher)
            and library.SSL_SESSION_set_protocol_version(session, int(ssl.TLSVersion.TLSv1_3))
        ):
            return session
        if session:
            library.SSL_SESSION_free(session)
        return None


def _ssl_ctx(context: ssl.SSLContext) -> int:
    """The address of OpenSSL's context: the first field of Python's object, behind the object's head."""
    head = object.__basicsize__
    address = ctypes.c_void_p.from_address(id(context) + head).value
    if not address:
        raise ConfigurationError("the ssl module's context is not laid out as expected")
    return address
