from __future__ import annotations

import logging
import logging.config
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalina.juli.class_loader_log_manager import close_logging, configure_logging
from catalina.juli.container_logger import ContainerLogger

FILE = "1catalina.org.apache.juli.AsyncFileHandler"


@pytest.fixture(autouse=True)
def others_are_left_as_they_were() -> Iterator[None]:
    """Changes of an application to the loggers of the process must not reach the tests that come after."""
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    enabled = [logger for logger in root.manager.loggerDict.values()
               if isinstance(logger, logging.Logger) and not logger.disabled]  # fmt: skip
    yield
    root.level, root.handlers = before
    for logger in enabled:
        logger.disabled = False
    root.manager._clear_cache()  # type: ignore[attr-defined]  # what levels loggers remember


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "logging.properties"
    file.write_text(f"handlers = {FILE}\n{FILE}.directory = {tmp_path}/logs\n{FILE}.prefix = catalina.\n")
    configure_logging({"java.util.logging.config.file": str(file)})
    yield tmp_path / "logs"
    close_logging()


def written(logs: Path) -> str:
    close_logging()
    return "".join(path.read_text() for path in logs.glob("*.log"))


def an_application_configures_its_log() -> None:
    """The snippet of a framework's documentation; disable_existing_loggers is true by default."""
    logging.config.dictConfig({"version": 1, "root": {"level": "ERROR", "handlers": []}})


def test_a_dict_config_of_an_application_leaves_the_containers_log_alone(logs: Path) -> None:
    log = logging.getLogger("org.apache.catalina.startup.HostConfig")
    log.info("before")
    an_application_configures_its_log()
    log.info("after")
    logging.getLogger("org.apache.catalina.made.Later").info("later")
    text = written(logs)
    assert [word in text for word in ("before", "after", "later")] == [True, True, True]


def test_a_file_config_of_an_application_leaves_the_containers_log_alone(logs: Path, tmp_path: Path) -> None:
    log = logging.getLogger("org.apache.catalina.startup.HostConfig")
    ini = tmp_path / "logging.ini"
    ini.write_text(
        "[loggers]\nkeys=root\n[handlers]\nkeys=\n[formatters]\nkeys=\n[logger_root]\nlevel=ERROR\nhandlers=\n"
    )
    logging.config.fileConfig(ini)
    log.info("after")
    assert "after" in written(logs)


def test_a_record_of_the_container_is_written_once(logs: Path) -> None:
    logging.getLogger("org.apache.catalina.startup.HostConfig").info("once")
    assert written(logs).count("once") == 1


def test_an_applications_loggers_are_of_the_class_that_it_chose(logs: Path) -> None:
    class Own(logging.Logger):
        pass

    before = logging.getLoggerClass()
    logging.setLoggerClass(Own)
    try:
        assert type(logging.getLogger("juli_test_own.logger")) is Own
        assert type(logging.getLogger("org.apache.juli_test_own")) is ContainerLogger
    finally:
        logging.setLoggerClass(before)


def test_the_level_of_a_container_logger_still_decides(logs: Path) -> None:
    log = logging.getLogger("org.apache.catalina.startup.HostConfig")
    log.debug("quiet")
    assert "quiet" not in written(logs)
