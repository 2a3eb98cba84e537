"""A mail session: the server and the settings for an application's mail (Tomcat:
naming/factory/MailSessionFactory.java).
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage

from catalina.errors import NamingError
from catalina.naming.object_factory import ResourceSpec

__all__ = ["MailSession", "MailSessionFactory"]

PORTS = {"smtp": 25, "smtps": 465}


@dataclass(frozen=True, slots=True)
class MailSession:
    """The ``mail.*`` properties of a Resource of type ``jakarta.mail.Session``.

    ``mail.transport.protocol`` (smtp or smtps), ``mail.smtp.host``, ``.port``, ``.user``, ``.auth``, ``.timeout`` and
    ``.connectiontimeout`` (ms), ``.starttls.enable``, ``.starttls.required``, ``.ssl.enable``, ``.from``,
    ``mail.from``; ``password``.
    """

    properties: Mapping[str, str] = field(repr=False)

    def get(self, name: str, default: str = "") -> str:
        """``mail.<protocol>.<name>``, else ``mail.<name>``."""
        return self.properties.get(f"mail.{self.protocol}.{name}", self.properties.get(f"mail.{name}", default))

    @property
    def protocol(self) -> str:
        """smtp or smtps."""
        return self.properties.get("mail.transport.protocol", "smtp").lower()

    @property
    def sender(self) -> str | None:
        """The address that mail without a From field comes from."""
        return self.get("from") or None

    def connect(self) -> smtplib.SMTP:
        """A connection, logged in where the properties say so; the caller closes it. Raises OSError, SMTPException."""
        tls = self.protocol == "smtps" or self._is_true("ssl.enable")
        host, port = self.get("host", "localhost"), int(self.get("port") or PORTS["smtps" if tls else "smtp"])
        seconds = int(self.get("timeout") or self.get("connectiontimeout") or 30_000) / 1000
        context = ssl.create_default_context()
        server = (
            smtplib.SMTP_SSL(host, port, timeout=seconds, context=context)
            if tls
            else smtplib.SMTP(host, port, timeout=seconds)
        )
        try:
            self._secure_and_log_in(server, context, tls)
        except BaseException:
            server.close()
            raise
        return server

    def _secure_and_log_in(self, server: smtplib.SMTP, context: ssl.SSLContext, tls: bool) -> None:
        server.ehlo_or_helo_if_needed()
        required = self._is_true("starttls.required")
        if not tls and (required or (self._is_true("starttls.enable") and server.has_extn("starttls"))):
            server.starttls(context=context)
        user, password = self.get("user"), self.properties.get("password", "")
        if user and (password or self._is_true("auth")):
            server.login(user, password)

    def _is_true(self, name: str) -> bool:
        return self.get(name).lower() == "true"

    def send(self, message: EmailMessage) -> None:
        """Send a message to everybody in To, Cc and Bcc. Raises OSError, SMTPException."""
        if message["From"] is None and self.sender is not None:
            message["From"] = self.sender
        with self.connect() as server:
            server.send_message(message)


class MailSessionFactory:
    """Makes mail sessions."""

    def get_object(self, spec: ResourceSpec) -> object:
        """The session.

        Raises:
            NamingError: the protocol is none for sending, or a number is none.
        """
        session = MailSession(dict(spec.properties))
        if session.protocol not in PORTS:
            raise NamingError(f"{spec}: mail.transport.protocol={session.protocol!r}, expected smtp or smtps")
        for name in ("port", "timeout", "connectiontimeout"):
            value = session.get(name)
            if value and not value.isdecimal():
                raise NamingError(f"{spec}: mail.{session.protocol}.{name}={value!r}, expected a whole number")
        return session
