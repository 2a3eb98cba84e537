"""The plugin under test, as a project's conftest.py names it with ``pytest_plugins``."""

from catalina.testing import catalina_nodes

__all__ = ["catalina_nodes"]
