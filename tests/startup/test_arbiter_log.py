from __future__ import annotations

import logging

from catalina.startup.arbiter_log import ArbiterLog


def test_news_of_gunicorn_are_details_and_its_warnings_warnings(caplog):
    caplog.set_level(logging.DEBUG, "org.apache.catalina.startup.Arbiter")
    log = ArbiterLog(None)
    log.info("Booting worker with pid: %s", 7)
    log.warning("Worker (pid:%s) was sent %s!", 7, "SIGSEGV")
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("DEBUG", "Booting worker with pid: 7"),
        ("WARNING", "Worker (pid:7) was sent SIGSEGV!"),
    ]
