from __future__ import annotations

from catalina.core.filter_bean import FilterBean
from catalina.descriptor.elements import FilterDef
from catalina.mbeans.managed_bean import ManagedBean


def test_a_filter_tells_its_definition_without_secrets() -> None:
    definition = FilterDef("csrf", "shop:Filter", {"size": "3", "secretKey": "geheim"})
    bean = ManagedBean(FilterBean(definition))
    assert bean.get("filterName") == "csrf"
    assert bean.get("filterClass") == "shop:Filter"
    assert bean.get("filterInitParameterMap") == ["secretKey=***", "size=3"]
