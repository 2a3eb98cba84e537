"""Objects with properties."""

import pytest

from catalina.errors import NamingError
from catalina.naming.factory.bean_factory import BeanFactory
from catalina.naming.object_factory import ResourceSpec


class Rates:
    """An object of the operator's."""

    currency = ""
    digits = "2"


def make(name=f"{__name__}.Rates", **properties):
    return BeanFactory().get_object(ResourceSpec("bean/rates", name, properties))


@pytest.mark.parametrize("name", [f"{__name__}.Rates", f"{__name__}:Rates"])
def test_properties_are_set_on_a_new_object(name):
    rates = make(name, currency="EUR", factory="x")
    assert type(rates).__name__ == "Rates"
    assert (rates.currency, rates.digits) == ("EUR", "2")


@pytest.mark.parametrize("name", ["com.example.Rates", "nothing", f"{__name__}.Missing"])
def test_a_class_that_there_is_not_is_named(name):
    with pytest.raises(NamingError, match=name):
        make(name)


def test_an_attribute_that_there_is_not_is_named():
    with pytest.raises(NamingError, match="no attribute 'colour'"):
        make(colour="red")
