"""An application's directory and its root."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalina.core.standard_context import StandardContext
from catalina.core.standard_host import StandardHost
from catalina.webresources.standard_root import StandardRoot
from tests.support.stand_in import stand_in


@pytest.fixture
def application(tmp_path: Path) -> Path:
    directory = tmp_path / "app"
    (directory / "sub").mkdir(parents=True)
    (directory / "WEB-INF").mkdir()
    (directory / "a.txt").write_text("a")
    (directory / "sub" / "b.txt").write_text("bb")
    return directory


@pytest.fixture
def make_root(application: Path, tmp_path: Path) -> Callable[..., StandardRoot]:
    """Make a started root: attributes of ``<Resources>``, ``context`` for those of ``<Context>``."""

    def make(context: dict[str, Any] | None = None, **values: Any) -> StandardRoot:
        root = StandardRoot(**values)
        attributes: dict[str, Any] = dict.fromkeys(
            ("allow_linking", "caching_allowed", "cache_ttl", "cache_max_size", "cache_object_max_size", "aliases")
        )
        attributes |= {"add_webinf_classes_resources": False, "document_root": application, "name": "/app"}
        attributes |= {"host": stand_in(StandardHost, catalina_base=tmp_path)} | (context or {})
        root.context = stand_in(StandardContext, **attributes)
        return root

    return make
