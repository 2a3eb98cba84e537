"""A pytest plugin: every Flask application has the container's sessions, as if it had asked for them."""

from __future__ import annotations

import os

from _pytest import compat, monkeypatch
from flask import Flask

from catalina.contrib.flask import CatalinaSessionInterface

if not hasattr(monkeypatch, "notset"):  # Flask's conftest names it; later versions of pytest have it elsewhere
    monkeypatch.notset = compat.NOTSET

Flask.session_interface = CatalinaSessionInterface()

if os.environ.get("CATALINA_TEST_BREAKS_SESSIONS"):  # the suite must notice
    CatalinaSessionInterface.session_class.__setitem__ = lambda session, name, value: None
