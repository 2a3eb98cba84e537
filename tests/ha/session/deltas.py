"""Deltas of other nodes, action by action."""

from __future__ import annotations

from catalina.ha.session.delta_manager import DeltaManager
from catalina.ha.session.delta_request import (
    ACTION_REMOVE,
    ACTION_SET,
    FIXED_NAMES,
    TYPE_ATTRIBUTE,
    TYPE_LISTENER,
    TYPE_NOTE,
    DeltaAction,
)
from catalina.ha.session.delta_session import DeltaSession, fields_of
from catalina.tribes.io.java import EncodedValue
from catalina.tribes.ledger.version import Version
from tests.support.narrowing import of_type


def attribute(name: str, value: EncodedValue | None) -> DeltaAction:
    """An attribute was set, or removed."""
    return DeltaAction(TYPE_ATTRIBUTE, ACTION_REMOVE if value is None else ACTION_SET, name, value)


def note(name: str, value: EncodedValue | None) -> DeltaAction:
    """A note was set, or removed."""
    return DeltaAction(TYPE_NOTE, ACTION_REMOVE if value is None else ACTION_SET, name, value)


def listener(value: EncodedValue, is_added: bool = True) -> DeltaAction:
    """A listener was added, or removed."""
    return DeltaAction(TYPE_LISTENER, ACTION_SET if is_added else ACTION_REMOVE, FIXED_NAMES[TYPE_LISTENER], value)


def take_over(session: DeltaSession, version: Version, *actions: DeltaAction, notify: bool = False) -> None:
    """The session as a delta with these actions leaves it."""
    manager = of_type(DeltaManager, session.manager)
    session.told(manager.ledger.take(session.record, fields_of(actions), version), notify)
    session.touched_elsewhere()
