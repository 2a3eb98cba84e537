"""``j2eeType=Filter``: a filter of an application (Tomcat: core/ApplicationFilterConfig.java)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalina.attributes import Component
from catalina.mbeans.secrets import shown

if TYPE_CHECKING:
    from catalina.descriptor.elements import FilterDef

__all__ = ["FilterBean"]


class FilterBean(Component):
    """A filter of the descriptor."""

    bean_class = "org.apache.catalina.core.ApplicationFilterConfig"

    def __init__(self, definition: FilterDef) -> None:
        super().__init__()
        self._definition = definition

    @property
    def filter_name(self) -> str:
        """Its name."""
        return self._definition.name

    @property
    def filter_class(self) -> str:
        """The class or factory of the filter."""
        return self._definition.filter_class

    @property
    def filter_init_parameter_map(self) -> list[str]:
        """Its parameters, ``name=value``; secrets are hidden."""
        return [f"{name}={shown(name, value)}" for name, value in sorted(self._definition.init_parameters.items())]
