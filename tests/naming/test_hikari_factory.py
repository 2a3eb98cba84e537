"""HikariCP's names."""

from catalina.naming.hikari_factory import HikariFactory
from catalina.naming.object_factory import ResourceSpec


def test_its_properties_are_translated(tmp_path):
    properties = {
        "jdbcUrl": f"jdbc:sqlite:{tmp_path}/x.db",
        "maximumPoolSize": "7",
        "dataSource.user": "",
        "autoCommit": "true",
    }
    engine = HikariFactory().get_object(ResourceSpec("jdbc/x", "javax.sql.DataSource", properties))
    assert str(engine.url).endswith("x.db")
    assert engine.get_execution_options() == {} or engine is not None
    engine.dispose()
