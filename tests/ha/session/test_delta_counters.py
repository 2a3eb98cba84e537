from __future__ import annotations

from catalina.ha.session.delta_manager import DeltaManager
from catalina.ha.session.session_message import EVT_SESSION_DELTA, EVT_SESSION_EXPIRED
from catalina.mbeans.managed_bean import ManagedBean


def test_messages_are_counted_under_tomcats_names() -> None:
    manager = DeltaManager()
    manager.sent[EVT_SESSION_DELTA] += 3
    manager.received[EVT_SESSION_EXPIRED] += 2
    bean = ManagedBean(manager)
    assert bean.get("counterSend_EVT_SESSION_DELTA") == 3
    assert bean.get("counterReceive_EVT_SESSION_EXPIRED") == 2
    assert bean.get("counterSend_EVT_SESSION_EXPIRED") == 0
    assert bean.type_of("counterSend_EVT_SESSION_DELTA") == "long"


def test_a_reset_begins_anew() -> None:
    manager = DeltaManager()
    manager.sent[EVT_SESSION_DELTA] += 3
    bean = ManagedBean(manager)
    bean.invoke(bean.operation("resetStatistics", 0), [])
    assert bean.get("counterSend_EVT_SESSION_DELTA") == 0
