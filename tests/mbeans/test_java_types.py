from __future__ import annotations

import pytest

from catalina.mbeans.java_types import hash_map_order, modeler_class, whole_number_type


@pytest.mark.parametrize(
    ("name", "class_name", "value", "kind"),
    [
        ("requestCount", "org.apache.coyote.RequestGroupInfo", 1, "int"),
        ("bytesSent", "org.apache.coyote.RequestGroupInfo", 1, "long"),
        ("DropTime", "org.apache.catalina.tribes.membership.McastService", 1, "long"),
        ("hitCount", "org.apache.catalina.webresources.Cache", 1, "long"),
        ("hitCount", "org.apache.tomcat.util.buf.StringCache", 1, "int"),
        ("counterSend_EVT_SESSION_DELTA", "x", 1, "long"),
        ("requestCount", "x", 2**31, "long"),
    ],
)
def test_whole_numbers_have_the_type_that_tomcat_gives_them(name: str, class_name: str, value: int, kind: str) -> None:
    assert whole_number_type(name, class_name, value) == kind


@pytest.mark.parametrize(
    ("put_in", "listed"),
    [
        # As the Java Tomcat 10.1.60 lists them. Names that share a bucket stay in the order in which they were put in.
        (
            "bytesReceived bytesSent maxTime requestCount processingTime errorCount",
            "maxTime requestCount bytesReceived bytesSent processingTime errorCount",
        ),
        ("hitCount lookupCount maxSize objectMaxSize size ttl", "objectMaxSize hitCount size maxSize lookupCount ttl"),
    ],
)
def test_attributes_stand_in_the_order_of_javas_hash_map(put_in: str, listed: str) -> None:
    found = hash_map_order([*put_in.split(), "modelerType"])
    assert [name for name in found if name != "modelerType"] == listed.split()


def test_the_order_of_any_text_is_defined() -> None:
    assert sorted(hash_map_order(["\U0001f600", "ä", "a"])) == ["a", "ä", "\U0001f600"]


def test_the_wrapping_class_goes_by_the_kind_of_the_name() -> None:
    assert modeler_class("Server", "", "S") == "org.apache.tomcat.util.modeler.BaseModelMBean"
    assert modeler_class("Connector", "", "C") == "org.apache.catalina.mbeans.ConnectorMBean"
    assert modeler_class("Channel", "Receiver", "org.x.NioReceiver") == "org.x.NioReceiver"
    assert modeler_class("Cluster", "Deployer", "D") == "org.apache.catalina.mbeans.ClassNameMBean"
