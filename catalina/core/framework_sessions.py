"""``frameworkSessions="auto"``: Flask and Django keep their sessions in the container without a change of their code.

This happens when a servlet was loaded, and only for a distributable application, which has declared that its sessions
may travel. A choice of the application itself is never changed.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from catalina.errors import DeploymentError
from catalina.loader.load_failure import describe_failure

if TYPE_CHECKING:
    from catalina.core.standard_context import StandardContext

__all__ = ["adopt_sessions"]

log = logging.getLogger("org.apache.catalina.core.StandardContext")

#: Module that an application of the framework has loaded -> the function that makes the framework use the container's
#: sessions.
FRAMEWORKS = {
    "flask": ("flask.app", "catalina.contrib.flask:adopt"),
    "django": ("django.core.handlers.base", "catalina.contrib.django:adopt"),
}


def adopt_sessions(context: StandardContext, application: object) -> None:
    """Switch each framework that the application has loaded, once, and log what was done.

    Args:
        application: the WSGI callable that was just loaded.
    """
    loader = context.loader
    if not context.adopts_framework_sessions or loader.space is None:
        return
    for framework, (sign, asked) in FRAMEWORKS.items():
        if framework in loader.space.adopted or not loader.uses(sign):
            continue
        loader.space.adopted.add(framework)
        try:
            adopt = loader.load(asked)
            with loader.bound():
                done = adopt(application)
        except DeploymentError as error:  # the adapter does not know this version of the framework
            log.warning('[%s] frameworkSessions="auto": the sessions stay as they are: %s', context.name or "/", error)
            continue
        except Exception as error:  # the code is the framework's, the settings are the application's
            log.warning('[%s] frameworkSessions="auto": the sessions stay as they are: %s', context.name or "/",
                        describe_failure(error), exc_info=True)  # fmt: skip
            continue
        if done:
            log.info('[%s] frameworkSessions="auto": %s', context.name or "/", done)
