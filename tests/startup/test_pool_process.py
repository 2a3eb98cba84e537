"""The program of a process with a user of its own; ``tests/cluster/test_pool_users.py`` runs it."""

from __future__ import annotations

import json
import logging
import os

from catalina.startup.pool_process import TellingHandler


def test_a_record_is_a_line_of_json_with_its_traceback() -> None:
    reads, writes = os.pipe()
    handler = TellingHandler(writes)
    logger = logging.getLogger("tests.pool_process")
    logger.addHandler(handler)
    logger.propagate = False
    try:
        try:
            raise ValueError("what")
        except ValueError:
            logger.exception("It %s\nfails", "all")
    finally:
        logger.removeHandler(handler)
        logger.propagate = True
        os.close(writes)
    with open(reads, "rb") as told:
        (line,) = told.read().splitlines()
    said = json.loads(line)
    assert (said["level"], said["name"]) == (logging.ERROR, "tests.pool_process")
    assert said["text"].startswith("It all\nfails\nTraceback")
    assert said["text"].endswith("ValueError: what")
