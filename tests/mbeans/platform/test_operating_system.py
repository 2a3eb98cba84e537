from __future__ import annotations

from catalina.mbeans.managed_bean import ManagedBean
from catalina.mbeans.platform.operating_system import OperatingSystemBean


def test_the_machine_is_told_in_javas_words() -> None:
    values = dict(ManagedBean(OperatingSystemBean()).items())
    assert values["Name"] == "Linux"
    assert values["AvailableProcessors"] >= 1
    assert 0 < values["OpenFileDescriptorCount"] <= values["MaxFileDescriptorCount"]
    assert 0 <= values["FreeMemorySize"] <= values["TotalMemorySize"] == values["TotalPhysicalMemorySize"]
    assert values["ProcessCpuTime"] > 0
    assert -1 <= values["ProcessCpuLoad"] <= 1
    assert -1 <= values["CpuLoad"] <= 1
