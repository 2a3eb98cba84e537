"""``frameworkSessions="auto"``: Flask and Django keep their sessions in the container without a change of their code.

Done when a servlet has been loaded, and only for an application that is distributable: it has said that its sessions
may travel. What the application has chosen for itself stays.
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

#: A module that an application of the framework has loaded, and what asks the framework to.
FRAMEWORKS = {
    "flask": ("flask.app", "catalina.contrib.flask:adopt"),
    "django": ("django.core.handlers.base", "catalina.contrib.django:adopt"),
}


def adopt_sessions(context: StandardContext, application: object) -> None:
    """Ask the frameworks that the application has loaded, once each, and say what was done.

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
        except DeploymentError as error:  # a version of the framework that the adapter does not know
            log.warning('[%s] frameworkSessions="auto": the sessions stay as they are: %s', context.name or "/", error)
            continue
        except Exception as error:  # the framework's own code, and the application's settings
            log.warning('[%s] frameworkSessions="auto": the sessions stay as they are: %s', context.name or "/",
                        describe_failure(error), exc_info=True)  # fmt: skip
            continue
        if done:
            log.info('[%s] frameworkSessions="auto": %s', context.name or "/", done)
