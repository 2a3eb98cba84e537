"""The output of a suite that ran in a process of its own. The suites are scripts, started by their path."""

from __future__ import annotations

import io
import json
import sys
import unittest
from collections.abc import Iterable

__all__ = ["name_of", "run"]


def name_of(test: unittest.TestCase) -> str:
    """``Class.method``."""
    return ".".join(test.id().split(".")[-2:])


def run(kinds: Iterable[type[unittest.TestCase]], left_out: Iterable[str]) -> None:
    """Run the tests of some classes but for those left out, and print a JSON object with what has happened."""
    cases = [test for kind in kinds for test in unittest.TestLoader().loadTestsFromTestCase(kind)]
    absent = sorted(set(left_out) - {name_of(case) for case in cases})
    wanted = [case for case in cases if name_of(case) not in set(left_out)]
    result = unittest.TextTestRunner(stream=io.StringIO()).run(unittest.TestSuite(wanted))
    failed = {name_of(test): text for test, text in result.failures + result.errors}
    skipped = [name_of(test) for test, _ in result.skipped]
    json.dump({"ran": result.testsRun, "failed": failed, "skipped": skipped, "absent": absent}, sys.stdout)
