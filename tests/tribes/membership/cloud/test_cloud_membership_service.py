"""The provider that is asked, and the time."""

from __future__ import annotations

import hashlib

import pytest

from catalina.errors import ChannelError
from catalina.tribes.membership.cloud.cloud_membership_provider import CloudMembershipProvider
from catalina.tribes.membership.cloud.cloud_membership_service import CloudMembershipService
from catalina.tribes.membership.cloud.dns_membership_provider import DNSMembershipProvider
from catalina.tribes.membership.cloud.kubernetes_membership_provider import KubernetesMembershipProvider
from tests.support.narrowing import of_type
from tests.tribes.membership.cloud.fakes import make_service

PACKAGE = "org.apache.catalina.tribes.membership.cloud."


@pytest.mark.parametrize(
    ("name", "provider"),
    [
        ("", KubernetesMembershipProvider),
        ("kubernetes", KubernetesMembershipProvider),
        ("dns", DNSMembershipProvider),
        (PACKAGE + "DNSMembershipProvider", DNSMembershipProvider),
        (PACKAGE + "KubernetesMembershipProvider", KubernetesMembershipProvider),
    ],
)
def test_the_provider_is_chosen_by_name(name, provider, monkeypatch):
    monkeypatch.setattr(provider, "fetch_members", lambda self: ())
    service, _, _ = make_service(name)
    service.start(4)
    assert isinstance(service.provider, provider)
    service.stop(4)
    assert service.members == ()


def test_an_unknown_provider_stops_the_start():
    with pytest.raises(ChannelError, match="expected kubernetes or dns"):
        make_service("consul")[0].start(4)


def test_announcing_is_nothing_to_do():
    service, _, _ = make_service("consul")
    service.start(8)
    assert service.provider is None


def test_the_defaults_are_tomcats_and_unknown_properties_are_kept():
    service = CloudMembershipService()
    assert (service.connect_timeout, service.read_timeout, service.expiration_time) == (1000, 1000, 5000)
    assert service.set_attribute("some.property", "value")
    assert service.properties == {"some.property": "value"}


def test_the_local_id_is_the_md5_of_the_address_until_the_provider_knows_better(monkeypatch):
    monkeypatch.setattr(DNSMembershipProvider, "fetch_members", lambda self: ())
    service, _, _ = make_service("dns")
    assert service.local_member.unique_id == hashlib.md5(b"10.0.0.1").digest()
    service.start(4)
    service.set_local_id(b"u" * 16)
    assert service.local_member.unique_id == b"u" * 16
    assert of_type(CloudMembershipProvider, service.provider).membership.local == service.local_member
