from __future__ import annotations

import pytest

from catalina.errors import NamingError
from catalina.naming.object_factory import ResourceSpec
from catalina.tomcat.dbcp.dbcp2.cpdsadapter.driver_adapter_cpds import DriverAdapterCPDS


def test_the_resource_says_where_the_database_is_and_who_signs_on() -> None:
    properties = {"url": "jdbc:postgresql://db/shop", "user": "shop", "password": "secret", "driver": "x.Y"}
    made = DriverAdapterCPDS().get_object(ResourceSpec("jdbc/source", "", properties))
    assert isinstance(made, DriverAdapterCPDS)
    assert (made.url, made.username, made.password) == ("jdbc:postgresql://db/shop", "shop", "secret")


def test_it_needs_a_url() -> None:
    with pytest.raises(NamingError, match="needs the attribute url"):
        DriverAdapterCPDS().get_object(ResourceSpec("jdbc/source", "", {}))
