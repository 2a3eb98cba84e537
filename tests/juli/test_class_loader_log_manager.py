from __future__ import annotations

import logging
import logging.config
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.digester.property_file import parse_properties
from catalina.juli.class_loader_log_manager import (
    ClassLoaderLogManager,
    ContainerLogger,
    close_logging,
    configure_logging,
)
from catalina.juli.levels import FINEST

FILE = "org.apache.juli.FileHandler"
ASYNC_FILE = "1catalina.org.apache.juli.AsyncFileHandler"


@pytest.fixture
def configure(tmp_path: Path) -> Iterator[Callable[[str], ClassLoaderLogManager]]:
    """Set up logging from a text; undone afterwards, also pytest's own handlers are kept."""
    managers: list[ClassLoaderLogManager] = []
    root = logging.getLogger()
    before = (root.level, list(root.handlers))

    def configure(text: str) -> ClassLoaderLogManager:
        manager = ClassLoaderLogManager(parse_properties(text), {"catalina.base": str(tmp_path)})
        managers.append(manager)
        manager.configure()
        return manager

    yield configure
    for manager in managers:
        manager.close()
    root.setLevel(before[0])
    assert root.handlers == before[1]


def lines(tmp_path: Path, prefix: str) -> list[str]:
    return [
        line.split("] ", 1)[1]
        for path in tmp_path.glob(f"logs/{prefix}*.log")
        for line in path.read_text().splitlines()
    ]


TOMCAT = """
handlers = 1catalina.org.apache.juli.FileHandler, 2localhost.org.apache.juli.FileHandler
.handlers = 1catalina.org.apache.juli.FileHandler
1catalina.org.apache.juli.FileHandler.level = FINE
1catalina.org.apache.juli.FileHandler.directory = ${catalina.base}/logs
1catalina.org.apache.juli.FileHandler.prefix = catalina.
2localhost.org.apache.juli.FileHandler.directory = ${catalina.base}/logs
2localhost.org.apache.juli.FileHandler.prefix = localhost.
juli_test.[localhost].level = INFO
juli_test.[localhost].handlers = 2localhost.org.apache.juli.FileHandler
juli_test.tribes.level = FINEST
"""


def test_the_root_logger_has_the_handlers_of_its_own_list(configure: Any, tmp_path: Path) -> None:
    configure(TOMCAT)
    logging.getLogger("juli_test.other").info("hello")
    assert lines(tmp_path, "catalina.") == ["juli_test.other.testTheRootLoggerHasTheHandlersOfItsOwnList hello"]
    assert lines(tmp_path, "localhost.") == []


def test_a_logger_with_handlers_does_not_hand_on_to_its_parent(configure: Any, tmp_path: Path) -> None:
    configure(TOMCAT)
    logging.getLogger("juli_test.[localhost].[/app]").warning("hello")
    assert len(lines(tmp_path, "localhost.")) == 1
    assert lines(tmp_path, "catalina.") == []


def test_a_logger_with_handlers_hands_on_when_told_so(configure: Any, tmp_path: Path) -> None:
    configure(TOMCAT + "juli_test.[localhost].useParentHandlers = true\n")
    logging.getLogger("juli_test.[localhost]").warning("hello")
    assert len(lines(tmp_path, "localhost.")) == len(lines(tmp_path, "catalina.")) == 1


def test_levels_hold_for_the_logger_and_what_is_below_it(configure: Any) -> None:
    configure(TOMCAT)
    assert logging.getLogger("juli_test.tribes.MESSAGES").isEnabledFor(FINEST)
    assert not logging.getLogger("juli_test.other").isEnabledFor(logging.DEBUG)


def test_a_handler_drops_what_is_below_its_level(configure: Any, tmp_path: Path) -> None:
    configure(TOMCAT)
    logging.getLogger("juli_test.tribes").log(FINEST, "too fine")
    logging.getLogger("juli_test.tribes").debug("fine")
    assert len(lines(tmp_path, "catalina.")) == 1


def test_without_a_list_of_its_own_the_root_logger_has_all_handlers(configure: Any, tmp_path: Path) -> None:
    configure(f"handlers = {FILE}\n{FILE}.directory = {tmp_path}/logs\n{FILE}.prefix = all.\n")
    logging.getLogger("juli_test.x").info("hello")
    assert len(lines(tmp_path, "all.")) == 1


def test_a_formatter_is_named_for_a_handler(configure: Any, tmp_path: Path) -> None:
    configure(
        f"handlers = {FILE}\n{FILE}.directory = {tmp_path}/logs\n{FILE}.formatter = org.apache.juli.VerbatimFormatter\n"
    )
    logging.getLogger("juli_test.x").info("only this")
    assert next(tmp_path.glob("logs/juli.*.log")).read_text() == "only this\n"


def test_the_consoles_format_is_the_jdks_property(configure: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Set for the JDK's own formatter, whether a handler names it or has it by default."""
    configure(
        "handlers = java.util.logging.ConsoleHandler\njava.util.logging.SimpleFormatter.format = %4$s | %5$s%6$s%n\n"
    )
    logging.getLogger("juli_test.format").info("hello")
    assert capsys.readouterr().err == "INFO | hello\n"


def test_a_system_property_wins_over_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "java.util.logging.SimpleFormatter.format"
    settings = {"handlers": "java.util.logging.ConsoleHandler", name: "file %5$s%n"}
    manager = ClassLoaderLogManager(settings, {name: "property %5$s%n"})
    manager.configure(["juli_test_property"])
    logging.getLogger("juli_test_property").info("hello")
    manager.close()
    assert manager.problems == []
    assert capsys.readouterr().err == "property hello\n"


def test_the_console_shows_info_unless_told_otherwise(configure: Any, capsys: pytest.CaptureFixture[str]) -> None:
    configure(".level = ALL\nhandlers = java.util.logging.ConsoleHandler\n")
    logging.getLogger("juli_test.x").debug("fine")
    logging.getLogger("juli_test.x").info("info")
    assert "INFO: info" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        (f"{FILE}.levle = INFO", f"{FILE}.levle ignored, FileHandler has no levle"),
        (f"{FILE}.maxDays = many", f"{FILE}.maxDays = 'many' ignored, expected a whole number of days"),
        (f"{FILE}.level = LOUD", f"{FILE}.level = 'LOUD' ignored, expected a level from ALL to OFF"),
        (f"{FILE}.formatter = no.Such", "no.Such ignored, expected a Formatter"),
        ("juli_test.x.level = LOUD", "juli_test.x.level = 'LOUD' ignored, expected a level from ALL to OFF"),
        ("juli_test.x.handlers = no.Such", "no.Such ignored, expected a Handler"),
    ],
)
def test_what_is_not_understood_is_one_warning(configure: Any, tmp_path: Path, setting: str, problem: str) -> None:
    configure(f"handlers = {FILE}\n{FILE}.directory = {tmp_path}/logs\n{FILE}.prefix = all.\n{setting}\n")
    found = "".join(path.read_text() for path in tmp_path.glob("logs/*.log"))
    assert problem in found


def test_closing_gives_the_loggers_back_as_they_were(configure: Any) -> None:
    configure(TOMCAT).close()
    logger = logging.getLogger("juli_test.[localhost]")
    assert logger.handlers == []
    assert logger.propagate
    assert logger.level == logging.NOTSET


def test_an_applications_file_configures_the_loggers_of_its_modules(tmp_path: Path) -> None:
    text = f"handlers = {FILE}\n{FILE}.directory = {tmp_path}/logs\n{FILE}.prefix = app.\n"
    manager = ClassLoaderLogManager(parse_properties(text), {})
    manager.configure(["juli_test_shop", "juli_test_cart"], accept=lambda record: record.getMessage() != "refused")
    logging.getLogger("juli_test_shop.x").info("mine")
    logging.getLogger("juli_test_cart").info("refused")
    logging.getLogger("juli_test.elsewhere").info("not mine")
    assert not logging.getLogger("juli_test_shop").propagate
    manager.close()
    assert logging.getLogger("juli_test_shop").propagate
    assert len(lines(tmp_path, "app.")) == 1


def test_without_a_file_the_process_logs_to_the_console(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    level = root.level
    manager = configure_logging({})
    logging.getLogger("juli_test.x").warning("hello")
    manager.close()
    root.setLevel(level)
    assert "WARNING: hello" in capsys.readouterr().err


def test_the_process_logs_as_the_named_file_says(tmp_path: Path) -> None:
    root = logging.getLogger()
    level = root.level
    file = tmp_path / "logging.properties"
    file.write_text(TOMCAT)
    manager = configure_logging({"java.util.logging.config.file": str(file), "catalina.base": str(tmp_path)})
    logging.getLogger("juli_test.x").info("hello")
    manager.close()
    root.setLevel(level)
    assert len(lines(tmp_path, "catalina.")) == 1


KEYS = st.lists(
    st.sampled_from(
        ["handlers", "", "level", "1x", "juli_test", "[a]", "useParentHandlers", FILE, "maxDays", "formatter"]
    ),
    max_size=4,
).map(".".join)
VALUES = st.sampled_from(
    ["", "ALL", "nonsense", "true", "5", f"{FILE}, 1x.{FILE}", f"1x.{FILE}", "${catalina.base}", ",,"]
)


@given(st.dictionaries(KEYS, VALUES, max_size=6))
def test_any_settings_are_set_up_and_taken_down(settings: dict[str, str]) -> None:
    root = logging.getLogger("juli_test_any")
    manager = ClassLoaderLogManager(settings, {"catalina.base": "/nowhere"})
    manager.configure(["juli_test_any"])
    manager.close()
    assert root.handlers == []
    assert root.propagate


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
    file.write_text(
        f"handlers = {ASYNC_FILE}\n{ASYNC_FILE}.directory = {tmp_path}/logs\n{ASYNC_FILE}.prefix = catalina.\n"
    )
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
