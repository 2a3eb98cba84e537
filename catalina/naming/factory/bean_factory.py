"""An object with properties (Tomcat: naming/factory/BeanFactory.java)."""

from __future__ import annotations

import importlib

from catalina.errors import NamingError
from catalina.naming.object_factory import ResourceSpec

__all__ = ["BeanFactory"]


class BeanFactory:
    """``type`` is a Python class, ``shop.rates.Rates``; the other attributes are set on an instance of it, as text."""

    def get_object(self, spec: ResourceSpec) -> object:
        """A new object.

        Raises:
            NamingError: there is no such class, or it has no such attribute.
        """
        module_name, _, class_name = spec.type.replace(":", ".").rpartition(".")
        try:
            bean: object = getattr(importlib.import_module(module_name), class_name)()
        except (ImportError, AttributeError, TypeError, ValueError) as error:
            raise NamingError(f"{spec}: no object of the Python class {spec.type!r}: {error}") from error
        for name, value in spec.properties.items():
            if name in ("factory", "forceString"):
                continue
            if not hasattr(bean, name):
                raise NamingError(f"{spec}: {spec.type} has no attribute {name!r}")
            setattr(bean, name, value)
        return bean
