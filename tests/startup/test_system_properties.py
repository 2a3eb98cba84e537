from __future__ import annotations

import os
from pathlib import Path

import pytest

from catalina.startup.system_properties import process_properties


def test_the_names_that_configuration_files_refer_to_are_there() -> None:
    properties = process_properties()
    assert properties["user.dir"] == str(Path.cwd())
    assert properties["os.name"] == os.uname().sysname
    assert properties["file.separator"] == "/"


def test_a_user_without_a_name_is_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert process_properties()["user.name"] == str(os.getuid())
