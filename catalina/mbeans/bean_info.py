"""The description of a bean (javax.management.MBeanInfo): attributes, operations, notifications."""

from __future__ import annotations

from dataclasses import dataclass

from catalina.operations import Operation

__all__ = ["AttributeInfo", "BeanInfo", "NotificationInfo"]


@dataclass(frozen=True, slots=True)
class AttributeInfo:
    """One attribute: Java's name of its type (``[Ljava.lang.String;``), and True if it can be set."""

    name: str
    type: str
    description: str
    writable: bool = False

    @property
    def is_getter(self) -> bool:
        """Never: Tomcat's modeler writes ``is`` only for its own descriptor files, and clients do not use it."""
        return False


@dataclass(frozen=True, slots=True)
class NotificationInfo:
    """A kind of notification: the class, and the types it comes with."""

    class_name: str
    types: tuple[str, ...]
    description: str


@dataclass(frozen=True, slots=True)
class BeanInfo:
    """All of one bean.

    Args:
        class_name: Tomcat's class that shows the bean, ``org.apache.tomcat.util.modeler.BaseModelMBean`` for most.
        managed_class: the class that is shown.
    """

    class_name: str
    managed_class: str
    description: str
    attributes: tuple[AttributeInfo, ...]
    operations: tuple[Operation, ...]
    notifications: tuple[NotificationInfo, ...]
