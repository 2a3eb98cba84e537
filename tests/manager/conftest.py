from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.manager.site import Site, make_base, running


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with running(make_base(tmp_path / "base")) as site:
        yield site
