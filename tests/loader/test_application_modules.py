"""sys.modules while names clash."""

from __future__ import annotations

from types import ModuleType

import pytest

from catalina.loader.application_modules import ApplicationModules
from catalina.loader.asker import Asker
from catalina.loader.import_space import ImportSpace


@pytest.fixture
def table():
    asker = Asker()
    modules = ApplicationModules({"plain": ModuleType("plain")}, asker)
    modules.clashes.add("shop")
    return modules


@pytest.fixture
def space(tmp_path):
    (tmp_path / "shop.py").touch()
    return ImportSpace("/a", [str(tmp_path)])


def test_plain_names_are_the_interpreters(table):
    extra = ModuleType("extra")
    table["extra"] = extra
    assert table.plain["extra"] is table["extra"] is table.get("extra") is extra
    del table["extra"]
    assert "extra" not in table


def test_a_clashing_name_is_that_of_who_asks(table, space):
    own, environments = ModuleType("shop"), ModuleType("shop")
    table["shop"] = environments
    with table.asker.bound_to(space):
        assert "shop" not in table
        table["shop"] = own
        assert table["shop"] is own
    assert table["shop"] is environments
    assert "shop" not in table.plain


def test_a_submodule_is_bound_to_its_package_at_once_and_unbound_when_it_fails(table, space):
    package, child = ModuleType("shop"), ModuleType("shop.child")
    with table.asker.bound_to(space):
        table["shop"] = package
        table["shop.child"] = child
        assert package.child is child
        del table["shop.child"]
        assert not hasattr(package, "child")


def test_what_a_compiled_module_entered_by_itself_is_moved(table, space):
    module = ModuleType("shop")
    table.plain["shop"] = module
    with table.asker.bound_to(space):
        table["shop"] = module
    assert "shop" not in table.plain


def test_pop_setdefault_and_update_work_as_on_any_dict(table, space):
    module = ModuleType("shop")
    with table.asker.bound_to(space):
        table.update({"shop": module})
        assert table.setdefault("shop") is module
        assert table.pop("shop") is module
        assert table.pop("shop", None) is None
        with pytest.raises(KeyError):
            table.pop("shop")


def test_what_is_listed_is_what_the_asker_sees(table, space):
    with table.asker.bound_to(space):
        table["shop"] = ModuleType("shop")
        assert set(table) == set(table.keys()) == {"plain", "shop"} == set(table.copy())
        assert len(table) == len(table.items()) == len(table.values()) == 2
    assert set(table) == {"plain"}


def test_it_cannot_be_emptied(table):
    for call in (table.clear, table.popitem):
        with pytest.raises(TypeError, match="shared by all applications"):
            call()


def test_it_is_a_dict_and_true(table):
    assert isinstance(table, dict)
    assert table
