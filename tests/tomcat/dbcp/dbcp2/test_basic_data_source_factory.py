"""Tomcat's default pool by its class name."""

from sqlalchemy import Engine, text

from catalina.digester.class_names import find_class
from catalina.naming.object_factory import ResourceSpec
from catalina.tomcat.dbcp.dbcp2.basic_data_source_factory import BasicDataSourceFactory
from tests.support.narrowing import of_type


def test_the_class_name_leads_to_a_working_data_source(tmp_path):
    assert find_class("org.apache.tomcat.dbcp.dbcp2.BasicDataSourceFactory") is BasicDataSourceFactory
    engine = of_type(
        Engine, BasicDataSourceFactory().get_object(ResourceSpec("x", "", {"url": f"jdbc:sqlite:{tmp_path}/x.db"}))
    )
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    engine.dispose()
