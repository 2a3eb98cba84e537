"""Runs Django's own tests of sessions against ours, in a process of its own.

``python -m tests.contrib.suites.django_sessions SOURCE``, where SOURCE is an unpacked source archive of Django. Prints
a JSON object: how many ran, which failed with which traceback, and which were left out.
"""

from __future__ import annotations

import io
import json
import sys
import unittest
from pathlib import Path

from django.conf import settings

#: Tests of Django's that cannot mean ours, with the reason.
LEFT_OUT = {
    "SessionMiddlewareTests.test_empty_session_saved": "looks into the database's table of sessions at its end",
}


def main(source: Path) -> int:
    sys.path.insert(0, str(source / "tests"))
    settings.configure(
        SECRET_KEY="a secret of the suite",
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
                        "sessions_tests"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        SESSION_ENGINE="catalina.contrib.django",
        USE_TZ=False,
    )  # fmt: skip
    import django

    django.setup()
    from django.test import SimpleTestCase, override_settings
    from django.test.runner import DiscoverRunner
    from sessions_tests.tests import SessionMiddlewareTests, SessionTestsMixin

    from catalina.contrib.django import SessionStore

    class CatalinaSessionTests(SessionTestsMixin, SimpleTestCase):
        backend = SessionStore

    @override_settings(USE_TZ=True)
    class CatalinaSessionWithTimeZoneTests(CatalinaSessionTests):
        pass

    cases = [
        test
        for kind in (CatalinaSessionTests, CatalinaSessionWithTimeZoneTests, SessionMiddlewareTests)
        for test in unittest.TestLoader().loadTestsFromTestCase(kind)
    ]
    wanted = [each for each in cases if name_of(each) not in LEFT_OUT]
    runner = DiscoverRunner(verbosity=0)
    old = runner.setup_databases()
    result = unittest.TextTestRunner(stream=io.StringIO()).run(unittest.TestSuite(wanted))
    runner.teardown_databases(old)
    failed = {name_of(test): text for test, text in result.failures + result.errors}
    json.dump({"ran": result.testsRun, "failed": failed, "skipped": [name_of(test) for test, _ in result.skipped],
               "left_out": [name_of(each) for each in cases if name_of(each) in LEFT_OUT]}, sys.stdout)  # fmt: skip
    return 0


def name_of(test: unittest.TestCase) -> str:
    return ".".join(test.id().split(".")[-2:])


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
