from __future__ import annotations

import os
import sys

from catalina.mbeans.managed_bean import ManagedBean
from catalina.mbeans.platform.runtime import ClassLoadingBean, RuntimeBean


def test_the_interpreter_tells_what_it_is() -> None:
    values = dict(ManagedBean(RuntimeBean({})).items())
    assert values["Name"].startswith(f"{os.getpid()}@")
    assert values["VmName"] == sys.implementation.name.replace("cpython", "CPython")
    assert values["Uptime"] >= 0
    assert values["StartTime"] > 1_700_000_000_000


def test_the_servers_properties_are_shown_without_secrets() -> None:
    table = RuntimeBean({"catalina.base": "/srv", "db.password": "geheim"}).system_properties
    shown = {row.values["key"]: row.values["value"] for row in table.rows}
    assert (shown["catalina.base"], shown["db.password"]) == ("/srv", "***")
    assert shown["java.vm.version"].split(".")[0] == "3"


def test_modules_count_as_classes() -> None:
    assert ClassLoadingBean().loaded == len(sys.modules)
