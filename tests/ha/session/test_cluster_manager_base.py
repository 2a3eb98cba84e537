from __future__ import annotations

from catalina.ha.session.delta_manager import DeltaManager
from catalina.util.standard_session_id_generator import StandardSessionIdGenerator


def test_a_clone_has_the_templates_settings_and_nothing_else_of_it() -> None:
    template = DeltaManager(state_transfer_timeout=7, expire_sessions_on_shutdown=True)
    template.set_attribute("sessionAttributeNameFilter", "user.*")
    template.create_session("S")
    clone = template.clone_from_template()
    assert type(clone) is DeltaManager
    assert (clone.state_transfer_timeout, clone.expire_sessions_on_shutdown) == (7, True)
    assert not clone.codec.lets_name_through("cart")
    assert clone.find_sessions() == []
    assert clone.codec.manager is clone


def test_the_clone_has_a_generator_of_its_own_with_the_same_settings() -> None:
    template = DeltaManager()
    template.session_id_generator = StandardSessionIdGenerator(session_id_length=4)
    clone = template.clone_from_template()
    assert clone.session_id_generator is not template.session_id_generator
    assert clone.session_id_generator is not None
    assert clone.session_id_generator.session_id_length == 4
