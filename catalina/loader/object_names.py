"""Makes objects from the names in web.xml: WSGI callables, middleware factories, listeners.

A name has one of three forms: ``module:attribute`` (with ``()`` behind it if it is a factory),
``package.module.attribute``, or one of the classNames of the container's own servlets and filters
(``org.apache.catalina.servlets.DefaultServlet``).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from catalina.attributes import AttributeRefused, Component
from catalina.digester.class_names import JAVA_ONLY, ClassBroken, find_class
from catalina.digester.recognised import recognised_class
from catalina.errors import DeploymentError
from catalina.loader.load_failure import describe_failure, own_frames

if TYPE_CHECKING:
    from catalina.loader.webapp_loader import WebappLoader

__all__ = ["configure", "find_object", "instantiate"]

log = logging.getLogger("org.apache.catalina.core.StandardContext")

#: Packages of Java classes that existing descriptors name. They never exist as Python modules.
JAVA_PACKAGES = ("org.apache.", "jakarta.", "javax.", "org.springframework.", "com.sun.", "java.")


def find_object(loader: WebappLoader, name: str) -> object:
    """The object that a name stands for, not yet instantiated: a class, a function, a WSGI callable.

    Raises:
        DeploymentError: nothing with that name can be loaded; the text says what is expected instead.
    """
    if name.startswith("org.apache."):
        return _find_own(name)
    if name.startswith(JAVA_PACKAGES):
        raise DeploymentError(
            f"{name!r} is a Java class; a Python application names a WSGI callable as module:attribute"
        )
    return loader.load(name.removesuffix("()"))


def _find_own(name: str) -> type:
    try:
        found = find_class(name)
    except ClassBroken as exc:
        raise DeploymentError(f"{name!r} cannot be used: {exc}") from exc
    if found is None:
        known = recognised_class(name)
        why = JAVA_ONLY.get(name) or (known.why if known else "no class of Catalina for Python answers to this name")
        raise DeploymentError(f"{name!r}: {why}")
    return found


def instantiate(found: object, name: str, parameters: Mapping[str, str], log: logging.Logger) -> object:
    """The servlet or listener itself: a class is called with the init parameters, as is a factory ``module:make()``.

    Raises:
        DeploymentError: the call fails; the text says how.
    """
    if isinstance(found, type) and issubclass(found, Component):
        component = found()
        configure(component, name, parameters, log)
        return component
    if isinstance(found, type) or name.endswith("()"):
        return call(found, name, parameters)
    return found


def call(found: Any, name: str, parameters: Mapping[str, str], *arguments: object) -> object:
    """Call the application's own factory. Raises DeploymentError with the exception of the factory."""
    try:
        return found(*arguments, **parameters)
    except BaseException as exc:  # the code is the application's
        log.error("An exception while %r was made", name, exc_info=(type(exc), exc, own_frames(exc)))
        raise DeploymentError(f"{name!r} cannot be made: {describe_failure(exc)}") from exc


def configure(component: Component, name: str, parameters: Mapping[str, str], log: logging.Logger) -> None:
    """Set init parameters as attributes; one that is unknown or does not convert gives a warning, and the default
    stays.
    """
    for parameter, value in parameters.items():
        try:
            if not component.set_attribute(parameter, value):
                log.warning("[%s] has no init parameter [%s]; ignored", name, parameter)
            elif why := component.inert_reason(parameter):
                log.info("[%s]: init parameter [%s] has no effect: %s", name, parameter, why)
        except AttributeRefused as refused:
            log.warning("[%s]: init parameter %s=%r ignored, expected %s", name, parameter, value, refused.expected)
