from __future__ import annotations

from catalina.mbeans.managed_bean import ManagedBean
from catalina.webresources.cache_bean import CacheBean
from catalina.webresources.resource import Resource
from catalina.webresources.resource_cache import ResourceCache


def test_look_ups_are_counted_and_memory_is_given_back() -> None:
    cache = ResourceCache(lambda path: Resource(path), 5.0, 10 * 2**20, 2**20)
    for _ in range(3):
        cache.get("/a")
    bean = ManagedBean(CacheBean(cache))
    assert (bean.get("lookupCount"), bean.get("hitCount")) == (3, 2)
    assert (bean.get("maxSize"), bean.get("objectMaxSize"), bean.get("ttl")) == (10240, 512, 5000)
    bean.invoke(bean.operation("clear", 0), [])
    cache.get("/a")
    assert bean.get("hitCount") == 2
