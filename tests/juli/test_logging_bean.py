from __future__ import annotations

import logging

import pytest

from catalina.errors import CatalinaError
from catalina.juli.logging_bean import LoggingBean
from catalina.mbeans.managed_bean import ManagedBean

NAME = "org.apache.catalina.test.LoggingBean"


def call(operation: str, *arguments: object) -> object:
    bean = ManagedBean(LoggingBean())
    return bean.invoke(bean.operation(operation, len(arguments)), arguments)


def test_a_level_is_set_with_javas_words_and_counts_at_once() -> None:
    logger = logging.getLogger(NAME)
    try:
        call("setLoggerLevel", NAME, "FINE")
        assert logger.isEnabledFor(logging.DEBUG)
        assert call("getLoggerLevel", NAME) == "FINE"
        call("setLoggerLevel", NAME, "SEVERE")
        assert not logger.isEnabledFor(logging.WARNING)
        call("setLoggerLevel", NAME, None)
        assert call("getLoggerLevel", NAME) == ""
    finally:
        logger.setLevel(logging.NOTSET)


def test_loggers_have_names_and_parents() -> None:
    logging.getLogger(NAME)
    assert NAME in LoggingBean().logger_names
    assert call("getParentLoggerName", "") == ""
    assert call("getLoggerLevel", "no.such.logger") is None
    assert call("getParentLoggerName", "no.such.logger") is None


@pytest.mark.parametrize(("name", "level"), [("no.such.logger", "FINE"), (NAME, "LOUD")])
def test_what_is_no_logger_or_level_is_refused(name: str, level: str) -> None:
    logging.getLogger(NAME)
    with pytest.raises(CatalinaError, match=r"does not exist|Unknown level"):
        call("setLoggerLevel", name, level)
