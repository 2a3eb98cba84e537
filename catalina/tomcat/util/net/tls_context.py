"""Makes an :class:`ssl.SSLContext` from an ``<SSLHostConfig>``.

A protection that Python's ssl does not support (revocation directories, OCSP, custom trust managers) is refused: a
connector that is laxer than its file says must not start.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import ssl
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from catalina.errors import ConfigurationError
from catalina.tomcat.util.net.cipher_names import openssl_ciphers
from catalina.tomcat.util.net.keystore import PemKey, read_authorities, read_key

if TYPE_CHECKING:
    from catalina.attributes import Component
    from catalina.tomcat.util.net.ssl_host_config import SSLHostConfig
    from catalina.tomcat.util.net.ssl_host_config_certificate import SSLHostConfigCertificate

__all__ = ["certificate_chain", "files_of", "make_context", "protocol_versions"]

log = logging.getLogger("org.apache.tomcat.util.net.SSLHostConfig")

VERSIONS = {
    "tlsv1": ssl.TLSVersion.TLSv1,
    "tlsv1.0": ssl.TLSVersion.TLSv1,
    "tlsv1.1": ssl.TLSVersion.TLSv1_1,
    "tlsv1.2": ssl.TLSVersion.TLSv1_2,
    "tlsv1.3": ssl.TLSVersion.TLSv1_3,
}
#: The versions of ``all``: Java 17 has switched off the older ones, as RFC 8996 asks. Versions that are named are on.
ALL = {ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3}
_OFF = {
    ssl.TLSVersion.TLSv1: ssl.OP_NO_TLSv1,
    ssl.TLSVersion.TLSv1_1: ssl.OP_NO_TLSv1_1,
    ssl.TLSVersion.TLSv1_2: ssl.OP_NO_TLSv1_2,
    ssl.TLSVersion.TLSv1_3: ssl.OP_NO_TLSv1_3,
}
#: Attributes that name files.
HOST_FILES = ("ca_certificate_file", "ca_certificate_path", "certificate_revocation_list_file", "truststore_file")
CERTIFICATE_FILES = (
    "certificate_file", "certificate_key_file", "certificate_chain_file", "certificate_keystore_file",
    "certificate_key_password_file", "certificate_keystore_password_file",
)  # fmt: skip
_TOKEN = re.compile(r"\s*([+-]?)\s*([A-Za-z0-9.]+)\s*(?:,|(?=[+-])|$)")


def protocol_versions(text: str) -> set[ssl.TLSVersion]:
    """``all``, ``TLSv1.2,TLSv1.3`` or ``all -TLSv1 -TLSv1.1`` -> versions (Tomcat: SSLHostConfig.setProtocols).

    Raises:
        ConfigurationError: a name is unknown, or nothing is left.
    """
    chosen: set[ssl.TLSVersion] = set()
    at = 0
    text = text.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ConfigurationError(f"protocols {text!r}: cannot be read from {text[at:]!r} on")
        at = match.end()
        sign, name = match[1], match[2].lower()
        if name in ("sslv2hello", "sslv2", "sslv3"):
            continue  # OpenSSL no longer has it; Tomcat leaves it out of "all", too
        versions = ALL if name == "all" else {VERSIONS[name]} if name in VERSIONS else None
        if versions is None:
            raise ConfigurationError(f"protocols {text!r}: {match[2]!r}, expected all or TLSv1 to TLSv1.3")
        chosen = chosen - versions if sign == "-" else chosen | versions
    if not chosen:
        raise ConfigurationError(f"protocols {text!r}: no protocol is left")
    return chosen


def make_context(config: SSLHostConfig, base: Path, alpn: list[str]) -> ssl.SSLContext:
    """A context for a host name.

    Args:
        base: CATALINA_BASE, to which relative paths belong.
        alpn: the offered protocols, the preferred one first.

    Raises:
        ConfigurationError: Python's ssl cannot do what the attributes ask.
    """
    _refuse_what_is_not_supported(config)
    _check_files(config, config, HOST_FILES, base)
    for certificate in config.certificates:
        _check_files(config, certificate, CERTIFICATE_FILES, base)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        _set_versions(context, config)
        context.set_ciphers(openssl_ciphers(config.ciphers))
        _check_security_level(context, config)
        _set_options(context, config)
        _load_certificates(context, config, base)
        _set_verification(context, config, base)
        context.set_alpn_protocols(alpn)
        if config.groups:
            _set_group(context, config.groups)
    except ConfigurationError as exc:
        raise exc if exc.place else ConfigurationError(f"{config}: {exc.text}", config.place) from exc
    except (ssl.SSLError, OSError, ValueError) as exc:
        raise ConfigurationError(f"{config}: {exc}", config.place) from exc
    return context


def _check_files(config: SSLHostConfig, component: Component, names: Sequence[str], base: Path) -> None:
    """Check that each file exists, because OpenSSL would not say which one is missing.

    Raises:
        ConfigurationError: names attribute, file, and place.
    """
    for xml_name, declaration in component.attributes().items():
        text = getattr(component, declaration.name) if declaration.name in names else None
        if not text:
            continue
        path = base / text
        try:
            os.listdir(path) if declaration.name == "ca_certificate_path" else path.open("rb").close()
        except OSError as exc:
            written = config.written_as.get(xml_name, xml_name)
            raise ConfigurationError(
                f"{config}: {written} [{path}] cannot be read: {exc.strerror}", component.place or config.place
            ) from exc


def files_of(config: SSLHostConfig, base: Path) -> list[Path]:
    """Files whose change makes a context outdated."""
    names = [config.ca_certificate_file, config.truststore_file, config.certificate_revocation_list_file]
    for certificate in config.certificates:
        names += [certificate.certificate_file, certificate.certificate_key_file, certificate.certificate_chain_file]
        names.append(certificate.certificate_keystore_file)
    return [base / name for name in names if name]


def _refuse_what_is_not_supported(config: SSLHostConfig) -> None:
    commands = [] if config.open_ssl_conf is None else [str(command.name) for command in config.open_ssl_conf.commands]
    refused = {
        "ocspEnabled": config.ocsp_enabled,
        "trustManagerClassName": bool(config.trust_manager_class_name),
        "certificateRevocationListPath": bool(config.certificate_revocation_list_path),
        "revocationEnabled without certificateRevocationListFile": config.revocation_enabled
        and not config.certificate_revocation_list_file,
        f"OpenSSLConfCmd {', '.join(commands)}": bool(commands),
    }
    for what, is_set in refused.items():
        if is_set:
            raise ConfigurationError(f"{config}: {what} cannot be done with Python's ssl", config.place)


def _set_versions(context: ssl.SSLContext, config: SSLHostConfig) -> None:
    versions = protocol_versions(config.protocols)
    for name in _without_sign(config.protocols):
        log.warning(
            "The protocol [%s] was added to the list of protocols on the SSLHostConfig named [%s]. Check if a +/- "
            "prefix is missing.",
            name, config.host_name,
        )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # an operator who names an old version wants it
        context.minimum_version = min(versions)
        context.maximum_version = max(versions)
        for version, option in _OFF.items():
            if version not in versions and min(versions) < version < max(versions):
                context.options |= option


def _without_sign(text: str) -> list[str]:
    """Protocols after the first that have neither + nor -: Tomcat adds them, and warns that this may not be meant."""
    found = [(match[1], match[2]) for match in _TOKEN.finditer(text)]
    return [name for sign, name in found[1:] if not sign]


def _check_security_level(context: ssl.SSLContext, config: SSLHostConfig) -> None:
    """Check the security level: OpenSSL 3 supports TLS 1.0 and 1.1 only at level 0, so every handshake would fail
    without a reason.

    Raises:
        ConfigurationError: no version is left.
    """
    level = context.security_level
    versions = protocol_versions(config.protocols)
    refused = sorted(version for version in versions if version < ssl.TLSVersion.TLSv1_2)
    if not refused or level == 0 or ssl.OPENSSL_VERSION_INFO < (3,):
        return
    names = ", ".join(version.name.replace("_", ".") for version in refused)
    text = (
        f"protocols {config.protocols!r}: OpenSSL refuses {names} at its security level {level}; "
        f'ciphers="DEFAULT@SECLEVEL=0" would allow it'
    )
    if len(refused) == len(versions):
        raise ConfigurationError(text)
    log.warning("%s: %s", config, text)


def _set_options(context: ssl.SSLContext, config: SSLHostConfig) -> None:
    switches = (
        (ssl.OP_NO_COMPRESSION, config.disable_compression),
        (ssl.OP_NO_TICKET, config.disable_session_tickets),
        (ssl.OP_CIPHER_SERVER_PREFERENCE, config.honor_cipher_order),
        (ssl.OP_NO_RENEGOTIATION, not config.insecure_renegotiation),
    )
    for option, wanted in switches:
        context.options = context.options | option if wanted else context.options & ~option


def _load_certificates(context: ssl.SSLContext, config: SSLHostConfig, base: Path) -> None:
    if not config.certificates:
        raise ConfigurationError(f"{config}: there is no Certificate in it", config.place)
    for certificate in config.certificates:
        if certificate.certificate_file:
            _load_pem(context, certificate, base)
        else:
            _load_keystore(context, certificate, base)


def _load_pem(context: ssl.SSLContext, certificate: SSLHostConfigCertificate, base: Path) -> None:
    file = base / (certificate.certificate_file or "")
    key = base / certificate.certificate_key_file if certificate.certificate_key_file else file
    password = _key_password(certificate, base)
    if not certificate.certificate_chain_file:
        with _named(f"certificateFile [{file}] with certificateKeyFile [{key}]"):
            context.load_cert_chain(file, key, password or _no_password)
        return
    chain = file.read_bytes().rstrip() + b"\n" + (base / certificate.certificate_chain_file).read_bytes()
    named = _named(f"certificateFile [{file}] with its chain and certificateKeyFile [{key}]")
    with _as_file(chain) as chain_path, named:
        context.load_cert_chain(chain_path, key, password or _no_password)


def _load_keystore(context: ssl.SSLContext, certificate: SSLHostConfigCertificate, base: Path) -> None:
    pem = _read_keystore(certificate, base)
    with _as_file(pem.chain) as chain, _as_file(pem.key) as key:
        context.load_cert_chain(chain, key)


def _read_keystore(certificate: SSLHostConfigCertificate, base: Path) -> PemKey:
    path = base / (certificate.certificate_keystore_file or Path("~/.keystore").expanduser())
    store_password = certificate.certificate_keystore_password
    if certificate.certificate_keystore_password_file:
        store_password = _first_line(base / certificate.certificate_keystore_password_file)
    return read_key(path, store_password, _key_password(certificate, base), certificate.certificate_key_alias)


def certificate_chain(certificate: SSLHostConfigCertificate, base: Path) -> str:
    """The own certificate and its chain as they lie in the files now, PEM.

    Raises:
        ConfigurationError, OSError: they cannot be read.
    """
    if not certificate.certificate_file:
        return _read_keystore(certificate, base).chain.decode("ascii", "replace")
    names = (certificate.certificate_file, certificate.certificate_chain_file)
    return "\n".join((base / name).read_text("ascii", "replace") for name in names if name)


def _set_verification(context: ssl.SSLContext, config: SSLHostConfig, base: Path) -> None:
    mode = config.certificate_verification
    if mode == "none":
        return
    if mode == "optionalNoCA":
        log.warning(
            "%s: with certificateVerification=optionalNoCA certificates of unknown authorities are refused", config
        )
    loaded = False
    if config.ca_certificate_file or config.ca_certificate_path:
        file = base / config.ca_certificate_file if config.ca_certificate_file else None
        path = base / config.ca_certificate_path if config.ca_certificate_path else None
        with _named(f"caCertificateFile [{file}], caCertificatePath [{path}]"):
            context.load_verify_locations(file, path)
        loaded = True
    if config.truststore_file:
        context.load_verify_locations(
            cadata=read_authorities(base / config.truststore_file, config.truststore_password)
        )
        loaded = True
    if not loaded:
        context.load_default_certs(ssl.Purpose.CLIENT_AUTH)
    if config.certificate_revocation_list_file:
        with _named(f"certificateRevocationListFile [{base / config.certificate_revocation_list_file}]"):
            context.load_verify_locations(base / config.certificate_revocation_list_file)
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    context.verify_mode = ssl.CERT_REQUIRED if mode == "required" else ssl.CERT_OPTIONAL


def _set_group(context: ssl.SSLContext, groups: str) -> None:
    for group in groups.replace(":", ",").split(","):
        try:
            context.set_ecdh_curve(group.strip())
        except ValueError:
            continue
        return
    raise ValueError(f"groups {groups!r}: OpenSSL knows none of them")


def _key_password(certificate: SSLHostConfigCertificate, base: Path) -> str | None:
    if certificate.certificate_key_password_file:
        return _first_line(base / certificate.certificate_key_password_file)
    return certificate.certificate_key_password


def _first_line(path: Path) -> str:
    return path.read_text().partition("\n")[0].strip("\r")


def _no_password() -> str:
    """Replaces the prompt that OpenSSL would show on the terminal."""
    raise ConfigurationError("the private key has a password, and certificateKeyPassword is not set")


@contextlib.contextmanager
def _named(files: str) -> Iterator[None]:
    """Turns OpenSSL's errors into ours, which name the files.

    Raises:
        ConfigurationError: instead of them.
    """
    try:
        yield
    except ssl.SSLError as exc:
        raise ConfigurationError(f"{files} cannot be used: {exc.reason or exc}") from exc


@contextlib.contextmanager
def _as_file(data: bytes) -> Iterator[str]:
    """A path under which OpenSSL finds the bytes. They stay in memory, because keys do not belong on a disk."""
    fd = os.memfd_create("catalina-tls", os.MFD_CLOEXEC)
    try:
        os.write(fd, data)
        yield f"/proc/self/fd/{fd}"
    finally:
        os.close(fd)
