"""A pytest plugin: every Starlette application that asks for Starlette's sessions gets the container's."""

from __future__ import annotations

import starlette.middleware.sessions

import catalina.contrib.starlette

starlette.middleware.sessions.SessionMiddleware = catalina.contrib.starlette.SessionMiddleware
