"""The properties that every Java process has and that configuration files refer to, such as ``${user.dir}``; and
settings of the process that have no effect.
"""

from __future__ import annotations

import getpass
import logging
import os
import platform
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from catalina.digester.findings import Finding
from catalina.errors import ConfigurationError
from catalina.jmx.remote_settings import PREFIX, read_settings
from catalina.place import Place

__all__ = ["process_properties", "process_remarks"]

#: Options of gunicorn, and the setting that does the same here. The node's processes are gunicorn's, so an operator may
#: expect that its options count.
GUNICORN_OPTIONS = {
    "access-logfile": "an AccessLogValve",
    "bind": "address and port of the <Connector>",
    "keep-alive": "keepAliveTimeout of the <Connector>",
    "max-requests": "-Dcatalina.worker.maxRequests",
    "reload": "catalina run --reload, or reloadable of the <Context>",
    "statsd-host": "the metrics of the manager application, in Prometheus' format, or an OpenTelemetryListener",
    "threads": "maxThreads of the <Connector>",
    "timeout": "a StuckThreadDetectionValve",
    "workers": "-Dcatalina.workers",
}
_OPTION = re.compile(r"--([a-z][a-z-]*)")


def process_properties() -> dict[str, str]:
    """The facts that this process knows of itself, under Java's names."""
    system = os.uname()
    return {
        "file.separator": os.sep,
        "path.separator": os.pathsep,
        "line.separator": os.linesep,
        "os.arch": "amd64" if system.machine == "x86_64" else system.machine,
        "os.name": system.sysname,
        "os.version": system.release,
        "python.version": platform.python_version(),
        "user.dir": str(Path.cwd()),
        "user.home": str(Path("~").expanduser()),
        "user.name": _user_name(),
    }


def process_remarks(properties: Mapping[str, str], environment: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """Findings about properties and variables of a node that have no effect here, or that an operator should know of.

    Args:
        environment: the process's variables.
    """
    yield from _jmx_remarks(properties)
    options = environment.get("GUNICORN_CMD_ARGS", "")
    if options:
        known = [name for name in _OPTION.findall(options) if name in GUNICORN_OPTIONS]
        here = "; ".join(f"instead of --{name}: {GUNICORN_OPTIONS[name]}" for name in known)
        text = f"GUNICORN_CMD_ARGS={options!r} has no effect, the settings are in server.xml" + (here and f"; {here}")
        yield Finding(logging.WARNING, Place("environment", 0), "", text)


def _jmx_remarks(properties: Mapping[str, str]) -> Iterator[Finding]:
    base = Path(properties.get("catalina.base", "."))
    try:
        settings = read_settings(properties, base)
    except ConfigurationError as error:
        yield Finding(logging.ERROR, Place("properties", 0), "", f"the JMX port cannot be opened: {error}")
        return
    if settings is not None:
        for remark in settings.remarks:
            yield Finding(logging.WARNING, Place("properties", 0), "", f"JMX port: {remark}")
    elif any(name.startswith(PREFIX) for name in properties):
        text = f"{PREFIX} without {PREFIX}.port opens nothing: tools cannot attach to Python as to a local JVM"
        yield Finding(logging.WARNING, Place("properties", 0), "", text)


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # the user id has no entry, as in many containers
        return str(os.getuid())
