"""Runs Pyramid's own tests of sessions against ours.

``pyramid_sessions.py SOURCE LEFT_OUT...``, where SOURCE is an unpacked source archive of Pyramid.
"""

from __future__ import annotations

import sys
import unittest

from report import run


def main(source: str, *left_out: str) -> None:
    sys.path.insert(0, source)
    from catalina.contrib.pyramid import CatalinaSession, CatalinaSessionFactory
    from tests.test_session import SharedCookieSessionTests

    class Session(CatalinaSession):
        @property
        def _dirty(self) -> bool:
            """The parts of the cookie's session that the tests look at."""
            return self.modified

    class Factory(CatalinaSessionFactory):
        session_class = Session

    class CatalinaSessionTests(SharedCookieSessionTests, unittest.TestCase):
        def _makeOne(self, request: object, **values: object) -> CatalinaSession:
            return Factory(**values)(request)

    run((CatalinaSessionTests,), left_out)


if __name__ == "__main__":
    main(*sys.argv[1:])
