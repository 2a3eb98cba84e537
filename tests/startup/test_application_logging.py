from __future__ import annotations

import logging
from pathlib import Path

import pytest

from catalina.startup.catalina import Catalina

SERVER_XML = """\
<Server port="-1"><Service name="Catalina"><Engine name="Catalina" defaultHost="localhost">
<Host name="localhost" appBase="webapps"/></Engine></Service></Server>
"""

APPLICATION = """\
import logging
import {module}_part
log = logging.getLogger("{module}_part.requests")
log.info("hello from {module}")
def application(environ, start_response):
    raise AssertionError
"""

LOGGING = """\
handlers = org.apache.juli.FileHandler
org.apache.juli.FileHandler.directory = ${catalina.base}/logs
org.apache.juli.FileHandler.prefix = ${classloader.webappName}.
org.apache.juli.FileHandler.formatter = org.apache.juli.VerbatimFormatter
"""


def deploy(base: Path, name: str, module: str, logging_properties: str | None) -> None:
    application = base / "webapps" / name
    application.mkdir(parents=True)
    (application / f"{module}_part.py").write_text("")
    (application / "app.py").write_text(APPLICATION.format(module=module))
    if logging_properties is not None:
        (application / "logging.properties").write_text(logging_properties)


def serve(base: Path) -> None:
    (base / "conf").mkdir()
    (base / "conf" / "server.xml").write_text(SERVER_XML)
    catalina = Catalina(base, base)
    catalina.load()
    catalina.start()
    catalina.stop()


def logged(base: Path, prefix: str) -> list[str]:
    return [line for path in (base / "logs").glob(f"{prefix}.*.log") for line in path.read_text().splitlines()]


def test_modules_of_the_application_log_where_its_file_says(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    deploy(tmp_path, "shop", "application_logging_shop", LOGGING)
    serve(tmp_path)
    assert logged(tmp_path, "shop") == ["hello from application_logging_shop"]
    assert "hello from" not in caplog.text


def test_without_a_file_they_log_with_the_node(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    deploy(tmp_path, "cart", "application_logging_cart", None)
    serve(tmp_path)
    assert "hello from application_logging_cart" in caplog.text


def test_two_applications_with_modules_of_one_name_have_logs_of_their_own(tmp_path: Path) -> None:
    for name in ("one", "two"):
        deploy(tmp_path, name, "application_logging_same", LOGGING)
    serve(tmp_path)
    assert logged(tmp_path, "one") == logged(tmp_path, "two") == ["hello from application_logging_same"]


def test_after_the_stop_nothing_is_left_on_the_loggers(tmp_path: Path) -> None:
    deploy(tmp_path, "shop", "application_logging_gone", LOGGING)
    serve(tmp_path)
    logger = logging.getLogger("application_logging_gone_part")
    assert logger.handlers == []
    assert logger.propagate
