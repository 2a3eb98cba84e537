"""conf/catalina.properties, and its effect on the process (Tomcat: startup/CatalinaProperties.java, Bootstrap.java)."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

from catalina.digester.property_file import read_properties
from catalina.digester.substitution import MappingSource, Substitution
from catalina.errors import ConfigurationError

__all__ = ["DEFAULT_COMMON_LOADER", "extend_import_path", "load_catalina_properties"]

#: The places of extensions of the container: valves, realms and listeners that server.xml names.
DEFAULT_COMMON_LOADER = (
    '"${catalina.base}/lib","${catalina.base}/lib/*.whl","${catalina.home}/lib","${catalina.home}/lib/*.whl"'
)
#: Tomcat's class loaders; Python has one import path, in this order.
_LOADERS = ("common.loader", "server.loader", "shared.loader")
_ARCHIVES = (".whl", ".zip")


def load_catalina_properties(properties: dict[str, str]) -> None:
    """Add the file's properties to ``properties``; they win over ``-D``, as in Tomcat.

    ``catalina.config`` names the file (a path or a file: URL); the default is ``conf/catalina.properties`` of the base.
    A base without the file has no such properties.

    Raises:
        ConfigurationError: ``catalina.config`` names a file that cannot be read.
    """
    configured = properties.get("catalina.config")
    if configured:
        path = Path(unquote(urlsplit(configured).path) if configured.startswith("file:") else configured)
    else:
        path = Path(properties["catalina.base"]) / "conf" / "catalina.properties"
        if not path.is_file():
            return
    try:
        properties.update(read_properties(path))
    except OSError as error:
        raise ConfigurationError(f"cannot read the properties file {str(path)!r}: {error.strerror}") from error


def extend_import_path(properties: dict[str, str]) -> None:
    """Append the directories and archives of the loaders to ``sys.path``.

    A pattern ``lib/*.jar`` of a file written for Java finds the wheels and zips of that directory.
    """
    substitution = Substitution([MappingSource(properties)])
    for loader in _LOADERS:
        for entry in _entries(
            substitution(properties.get(loader, DEFAULT_COMMON_LOADER if loader == _LOADERS[0] else ""))
        ):
            for path in _paths(Path(entry)):
                if str(path) not in sys.path:
                    sys.path.append(str(path))


def _entries(text: str) -> list[str]:
    """Items separated by commas, with or without double quotes around them."""
    return [
        (quoted or plain).strip()
        for quoted, plain in re.findall(r'"([^"]*)"|([^",]+)', text)
        if quoted or plain.strip()
    ]


def _paths(entry: Path) -> list[Path]:
    if entry.name in ("*.jar", "*.whl", "*.zip"):
        return sorted(path for path in entry.parent.glob("*") if path.suffix in _ARCHIVES)
    return [entry] if entry.is_dir() or (entry.suffix in _ARCHIVES and entry.is_file()) else []
