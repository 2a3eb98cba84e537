"""The variables and the import path of an application that runs, for ``catalina exec``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from catalina.loader.application_environ import environment_of

if TYPE_CHECKING:
    from catalina.core.standard_context import StandardContext

__all__ = ["ENVIRONMENT", "application_environment"]

#: The service of a worker that tells it to the keeper, which has no code of the application.
ENVIRONMENT = "environment"


def application_environment(context: StandardContext) -> dict[str, object] | None:
    """Variables, import path, directory and Python of an application; None when it does not run."""
    elsewhere = context.elsewhere
    if elsewhere is not None:
        found = elsewhere.ask_all(ENVIRONMENT, f"{context.host_path}/{context.name}")
        return next(iter(found.values()), None)
    space = context.loader.space
    if space is None:
        return None
    return {
        "variables": environment_of(space),
        "imports": space.path,
        "directory": str(context.document_root),
        "python": sys.executable,
    }
