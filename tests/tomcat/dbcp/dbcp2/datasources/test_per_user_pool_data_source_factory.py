from __future__ import annotations

from pathlib import Path

from tests.tomcat.dbcp.dbcp2.datasources.pools import assert_it_gives_connections


def test_the_class_name_leads_to_pools_that_another_resource_feeds(tmp_path: Path) -> None:
    assert_it_gives_connections("PerUserPoolDataSourceFactory", tmp_path)
