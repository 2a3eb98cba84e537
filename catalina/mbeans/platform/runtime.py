"""``java.lang:type=Runtime`` and ``type=ClassLoading``: the interpreter and its modules."""

from __future__ import annotations

import os
import platform
import socket
import sys
import time
from collections.abc import Mapping

from catalina.attributes import Component
from catalina.mbeans.open_data import CompositeData, CompositeType, TabularData
from catalina.mbeans.secrets import shown
from catalina.operations import Long, readable

__all__ = ["ClassLoadingBean", "RuntimeBean"]

_PROPERTY = CompositeType(
    "java.util.Map<java.lang.String, java.lang.String>",
    "java.util.Map<java.lang.String, java.lang.String>",
    {"key": ("java.lang.String", "key"), "value": ("java.lang.String", "value")},
)


class RuntimeBean(Component):
    """The interpreter.

    Args:
        properties: the server's, ``-Dname=value`` and others.
    """

    bean_class = "sun.management.RuntimeImpl"
    bean_interfaces = ("java.lang.management.RuntimeMXBean", "java.lang.management.PlatformManagedObject")

    def __init__(self, properties: Mapping[str, str]) -> None:
        super().__init__()
        self._properties = properties
        self._started = time.time()
        self._started_monotonic = time.monotonic()

    @property
    @readable("Name", doc="Process and machine.")
    def label(self) -> str:
        return f"{os.getpid()}@{socket.gethostname()}"

    @property
    @readable("Pid", doc="The name of the process.")
    def pid(self) -> Long:
        return os.getpid()

    @property
    @readable("VmName", doc="The interpreter.")
    def vm_name(self) -> str:
        return platform.python_implementation()

    @property
    @readable("VmVendor", doc="The maker of the interpreter.")
    def vm_vendor(self) -> str:
        return "Python Software Foundation"

    @property
    @readable("VmVersion", doc="Its version.")
    def vm_version(self) -> str:
        return platform.python_version()

    @property
    @readable("SpecName", doc="The language.")
    def spec_name(self) -> str:
        return "The Python Language Reference"

    @property
    @readable("SpecVendor", doc="The maker of the language.")
    def spec_vendor(self) -> str:
        return "Python Software Foundation"

    @property
    @readable("SpecVersion", doc="The version of the language.")
    def spec_version(self) -> str:
        return f"{sys.version_info.major}.{sys.version_info.minor}"

    @property
    @readable("ManagementSpecVersion", doc="The version of the beans in java.lang.")
    def management_version(self) -> str:
        return "3.0"

    @property
    @readable("StartTime", doc="When the server was made, in ms since 1970.")
    def start_time(self) -> Long:
        return int(self._started * 1000)

    @property
    @readable("Uptime", doc="Since then, in ms.")
    def uptime(self) -> Long:
        return int((time.monotonic() - self._started_monotonic) * 1000)

    @property
    @readable("InputArguments", doc="Options of the interpreter.")
    def arguments(self) -> list[str]:
        return [f"-{name}={value}" for name, value in sys._xoptions.items()]

    @property
    @readable("ClassPath", doc="Where modules are looked for.")
    def class_path(self) -> str:
        return os.pathsep.join(sys.path)

    @property
    @readable("LibraryPath", doc="Where native libraries are looked for.")
    def library_path(self) -> str:
        return os.environ.get("LD_LIBRARY_PATH", "")

    @property
    @readable("BootClassPathSupported", doc="There is none.")
    def boot_class_path(self) -> bool:
        return False

    def _interpreter(self) -> dict[str, str]:
        """The properties that tools look for in every JVM, with this interpreter's values."""
        return {
            "java.home": sys.prefix,
            "java.vm.name": self.vm_name,
            "java.vm.vendor": self.vm_vendor,
            "java.vm.version": self.vm_version,
            "java.version": self.vm_version,
        }

    @property
    @readable("SystemProperties", doc="The server's properties; secrets are hidden.")
    def system_properties(self) -> TabularData:
        properties = {**self._interpreter(), **self._properties}
        rows = [
            CompositeData(_PROPERTY, {"key": name, "value": shown(name, value)})
            for name, value in sorted(properties.items())
        ]
        return TabularData(_PROPERTY.name, _PROPERTY.description, _PROPERTY, ("key",), tuple(rows))


class ClassLoadingBean(Component):
    """The loaded modules, which are Python's counterpart of classes."""

    bean_class = "sun.management.ClassLoadingImpl"
    bean_interfaces = ("java.lang.management.ClassLoadingMXBean", "java.lang.management.PlatformManagedObject")

    @property
    @readable("LoadedClassCount", doc="Modules that are loaded.")
    def loaded(self) -> int:
        return len(sys.modules)

    @property
    @readable("TotalLoadedClassCount", doc="Modules that are loaded; Python does not count those that have gone.")
    def total(self) -> Long:
        return len(sys.modules)

    @property
    @readable("UnloadedClassCount", doc="Python does not count them.")
    def unloaded(self) -> Long:
        return 0

    @property
    @readable("Verbose", doc="True when the interpreter logs the modules that it loads.")
    def verbose(self) -> bool:
        return sys.flags.verbose > 0
