"""Mail sessions, against a small SMTP server of the test's own."""

import socketserver
import threading
from email.message import EmailMessage

import pytest

from catalina.errors import NamingError
from catalina.naming.mail_session import MailSession, MailSessionFactory
from catalina.naming.object_factory import ResourceSpec


@pytest.fixture
def smtp():
    """A server that keeps what it is told; (port, lines)."""
    lines = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            self.wfile.write(b"220 test\r\n")
            data = False
            for raw in self.rfile:
                line = raw.decode().rstrip("\r\n")
                lines.append(line)
                if data:
                    data = line != "."
                    if not data:
                        self.wfile.write(b"250 kept\r\n")
                elif line.upper().startswith("EHLO"):
                    self.wfile.write(b"250-test\r\n250 AUTH PLAIN\r\n")
                elif line.upper().startswith("AUTH"):
                    self.wfile.write(b"235 ok\r\n")
                elif line.upper() == "DATA":
                    data = True
                    self.wfile.write(b"354 go on\r\n")
                elif line.upper() == "QUIT":
                    self.wfile.write(b"221 bye\r\n")
                    return
                else:
                    self.wfile.write(b"250 ok\r\n")

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.server_address[1], lines
    server.shutdown()
    thread.join(10)
    server.server_close()


def make(**properties):
    properties = {name.replace("_", "."): value for name, value in properties.items()}
    return MailSessionFactory().get_object(ResourceSpec("mail/Session", "jakarta.mail.Session", properties))


def message():
    text = EmailMessage()
    text["To"] = "ann@example.org"
    text.set_content("hello")
    return text


def test_mail_leaves_by_the_server_with_the_default_sender(smtp):
    port, lines = smtp
    session = make(mail_smtp_host="127.0.0.1", mail_smtp_port=str(port), mail_from="shop@example.org")
    session.send(message())
    assert "RCPT TO:<ann@example.org>" in [line.replace("rcpt TO", "RCPT TO") for line in lines]
    assert "From: shop@example.org" in lines
    assert "hello" in lines


def test_a_user_logs_in(smtp):
    port, lines = smtp
    session = make(mail_smtp_host="127.0.0.1", mail_smtp_port=str(port), mail_smtp_user="bob", password="secret")
    with session.connect():
        pass
    assert any(line.startswith("AUTH") for line in lines)


def test_tls_that_is_required_is_not_done_without(smtp):
    port, _ = smtp
    session = make(mail_smtp_host="127.0.0.1", mail_smtp_port=str(port), mail_smtp_starttls_required="true")
    with pytest.raises(OSError, match="STARTTLS"):
        session.connect()


def test_tls_that_is_only_offered_may_be_missing(smtp):
    port, _ = smtp
    session = make(mail_smtp_host="127.0.0.1", mail_smtp_port=str(port), mail_smtp_starttls_enable="true")
    with session.connect():
        pass


def test_properties_of_the_protocol_win():
    session = MailSession({"mail.host": "general", "mail.smtp.host": "special"})
    assert session.get("host") == "special"
    assert session.sender is None


@pytest.mark.parametrize(
    "properties", [{"mail_transport_protocol": "imap"}, {"mail_smtp_port": "x"}, {"mail_smtp_timeout": "-1"}]
)
def test_what_cannot_work_is_an_error(properties):
    with pytest.raises(NamingError, match=r"mail\."):
        make(**properties)


def test_the_password_does_not_show():
    assert "secret" not in repr(MailSession({"password": "secret"}))
