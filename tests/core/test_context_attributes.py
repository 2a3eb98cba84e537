"""Every documented attribute of <Context> is declared, with Tomcat's default."""

from __future__ import annotations

import json
from pathlib import Path

from catalina.core.standard_context import StandardContext
from catalina.core.standard_host import StandardHost
from catalina.core.standard_server import StandardServer
from tests.support.needs import missing


def test_everything_that_tomcat_documents_is_declared_with_its_default() -> None:
    reference = Path(__file__).parents[3] / "shared" / "reference" / "components.json"
    if not reference.is_file():
        missing(f"{reference} is not there")
    components = {each["className"]: each for each in json.loads(reference.read_text())["components"]}
    for kind in (StandardContext, StandardHost, StandardServer):
        declared = kind.attributes()
        for attribute in components[f"org.apache.catalina.core.{kind.__name__}"]["documented"]:
            name, fresh = attribute["name"], attribute.get("freshValue")
            if name == "className":
                continue
            assert name in declared, f"{kind.__name__} {name}"
            if isinstance(fresh, bool | int):
                assert declared[name].default == fresh, f"{kind.__name__} {name}"
