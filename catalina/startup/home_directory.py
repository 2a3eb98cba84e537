"""Finds CATALINA_HOME, the directory of the scripts, the default configuration and the bundled applications."""

from __future__ import annotations

import os
from pathlib import Path

import catalina

__all__ = ["INSTALLED_HOME", "SOURCE_TREE", "home_directory"]

#: The parent of the package: the project in a source tree, site-packages when pip installed it.
SOURCE_TREE = Path(catalina.__file__).parents[1]
#: The directory in which the wheel has bin, conf and webapps (setup.py).
INSTALLED_HOME = "catalina_home"


def home_directory() -> Path:
    """CATALINA_HOME: from the environment, a source tree, or the wheel's directory (``catalina_home``).

    Raises:
        FileNotFoundError: the installation has none.
    """
    named = os.environ.get("CATALINA_HOME")
    candidates = [Path(named)] if named else [SOURCE_TREE, SOURCE_TREE / INSTALLED_HOME]
    for candidate in candidates:
        if (candidate / "bin" / "catalina.sh").is_file():
            return candidate
    looked = " and ".join(str(candidate) for candidate in candidates)
    raise FileNotFoundError(f"no bin/catalina.sh in {looked}; set CATALINA_HOME")
