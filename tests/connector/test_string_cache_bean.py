from __future__ import annotations

from catalina.connector.parameters import remembered_cookies
from catalina.connector.string_cache_bean import StringCacheBean
from catalina.mbeans.managed_bean import ManagedBean
from catalina.mbeans.object_name import ObjectName


def test_cookies_that_come_again_are_hits_until_a_reset() -> None:
    bean = ManagedBean(StringCacheBean(), ObjectName("Catalina", {"type": "StringCache"}))
    bean.invoke(bean.operation("reset", 0), [])
    for field in ("a=1", "b=2", "a=1"):
        remembered_cookies(field, True)
    assert (bean.get("accessCount"), bean.get("hitCount"), bean.get("cacheSize")) == (3, 1, 1024)
    bean.invoke(bean.operation("reset", 0), [])
    assert (bean.get("accessCount"), bean.get("hitCount")) == (0, 0)
