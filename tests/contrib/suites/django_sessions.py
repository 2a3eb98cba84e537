"""Runs Django's own tests of session stores and of its middleware against ours.

``django_sessions.py SOURCE LEFT_OUT...``, where SOURCE is an unpacked source archive of Django.
"""

from __future__ import annotations

import sys

from django.conf import settings
from report import run


def main(source: str, *left_out: str) -> None:
    sys.path.insert(0, f"{source}/tests")
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

    runner = DiscoverRunner(verbosity=0)
    old = runner.setup_databases()
    run((CatalinaSessionTests, CatalinaSessionWithTimeZoneTests, SessionMiddlewareTests), left_out)
    runner.teardown_databases(old)


if __name__ == "__main__":
    main(*sys.argv[1:])
