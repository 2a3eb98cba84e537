from __future__ import annotations

from pathlib import Path

import pytest

from catalina.mbeans.managed_bean import ManagedBean
from catalina.naming.data_source_bean import DataSourceBean, is_engine

sqlalchemy = pytest.importorskip("sqlalchemy")


def test_a_pool_tells_how_many_connections_it_has(tmp_path: Path) -> None:
    engine = sqlalchemy.create_engine(
        f"sqlite:///{tmp_path}/x.db", poolclass=sqlalchemy.QueuePool, pool_size=3, max_overflow=2
    )
    bean = ManagedBean(DataSourceBean(engine, 1))
    with engine.connect():
        assert (bean.get("numActive"), bean.get("numIdle")) == (1, 0)
    assert (bean.get("numActive"), bean.get("numIdle")) == (0, 1)
    assert (bean.get("maxTotal"), bean.get("maxIdle"), bean.get("initialSize")) == (5, 3, 1)
    bean.invoke(bean.operation("restart", 0), [])
    assert bean.get("numIdle") == 0
    engine.dispose()


def test_a_password_is_not_shown() -> None:
    engine = sqlalchemy.create_engine("sqlite://")
    engine.url = sqlalchemy.URL.create("postgresql", "ops", "geheim", "db", 5432, "shop")
    bean = ManagedBean(DataSourceBean(engine))
    assert "geheim" not in str(dict(bean.items()))
    assert bean.get("username") == "ops"
    engine.dispose()


def test_only_an_engine_is_a_pool() -> None:
    engine = sqlalchemy.create_engine("sqlite://")
    assert is_engine(engine)
    assert not is_engine(object())
    engine.dispose()
