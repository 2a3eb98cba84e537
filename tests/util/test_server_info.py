from __future__ import annotations

import catalina
from catalina.util.server_info import SERVER_INFO, server_number, version_lines


def test_the_name_carries_the_version_of_the_package() -> None:
    assert f"Catalina for Python/{catalina.__version__}" == SERVER_INFO
    assert server_number().startswith(catalina.__version__)
    assert len(server_number().split(".")) == 4


def test_the_first_line_is_the_name() -> None:
    assert next(iter(version_lines())) == f"Server version: {SERVER_INFO}"
