"""Names of an application: Context and web.xml together."""

import pytest

from catalina.core.context_naming import ContextNaming
from catalina.core.standard_context import StandardContext
from catalina.core.standard_server import StandardServer
from catalina.descriptor.elements import EnvEntry, ResourceRef
from catalina.errors import NamingError
from catalina.loader.webapp_loader import WebappLoader
from catalina.tomcat.util.descriptor.web.context_environment import ContextEnvironment
from tests.support.stand_in import stand_in


def make(*entries, env=(), refs=()):
    naming = ContextNaming()
    server = stand_in(StandardServer, catalina_base=".", properties={}, global_naming_resources=None)
    naming.container = stand_in(StandardContext, name="/shop", server=server, loader=stand_in(WebappLoader, load=None))
    for entry in entries:
        naming.add(entry)
    naming.set_descriptor({entry.name: entry for entry in env}, {ref.name: ref for ref in refs})
    naming.start()
    return naming


def environment(text, **values):
    return ContextEnvironment(name="a", value=text, **values)


def test_entries_of_both_are_found():
    naming = make(environment("context"), env=[EnvEntry("b", value="web")], refs=[ResourceRef("c")])
    assert naming.lookup("java:comp/env/a") == "context"
    assert naming.lookup("b") == "web"


def test_web_xml_wins_unless_the_context_forbids_it():
    web = [EnvEntry("a", value="web")]
    assert make(environment("context"), env=web).lookup("a") == "web"
    assert make(environment("context", override=False), env=web).lookup("a") == "context"


def test_an_env_entry_without_value_is_not_bound():
    with pytest.raises(NamingError):
        make(env=[EnvEntry("a")]).lookup("a")


def test_what_the_descriptor_declared_is_forgotten_with_it():
    naming = make(env=[EnvEntry("b", value="web")])
    naming.stop()
    naming.forget_descriptor()
    naming.start()
    with pytest.raises(NamingError):
        naming.lookup("b")
