"""What pyproject.toml cannot say: the directories bin, conf and webapps travel in the wheel as ``catalina_home``.

They are what an operator works with, so they lie at the top of the project and there is no second copy of them; the
``catalina`` command finds them beside the package (catalina/startup/home_directory.py).
"""

from pathlib import Path

from setuptools import find_packages, setup

HOME = [name for name in ("bin", "conf", "webapps") if Path(name).is_dir()]

setup(
    packages=[*find_packages(include=["catalina", "catalina.*"]), *(f"catalina_home.{name}" for name in HOME)],
    package_dir={f"catalina_home.{name}": name for name in HOME},
    package_data={f"catalina_home.{name}": ["**/*", "**/.*"] for name in HOME},
)
