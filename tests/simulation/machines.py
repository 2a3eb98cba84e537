"""The invariants of a ledger, as ``ledger.py`` states them."""

from __future__ import annotations

from typing import Any

from catalina.ha.session.delta_manager import DeltaManager
from catalina.tribes.ledger.graves import MAX_GRAVES
from catalina.tribes.ledger.ledger import MAX_UNBORN, Ledger
from catalina.tribes.ledger.reconciler import Reconciler
from catalina.tribes.ledger.record import BUCKETS, MAX_REMOVED, Record, bucket_of

__all__ = ["check_ledger", "check_machine"]


def check_machine(manager: Any) -> str:
    """A rule of a manager's ledger that does not hold; empty for none."""
    return check_ledger(manager.ledger, manager.reconciler) if isinstance(manager, DeltaManager) else ""


def check_ledger(ledger: Ledger, reconciler: Reconciler) -> str:
    """A rule that does not hold; empty for none."""
    records = list(ledger)
    if len(records) != len(ledger):
        return f"counts {len(ledger)} records, has {len(records)}"
    for bucket in range(BUCKETS):
        for record in ledger.in_bucket(bucket):
            if bucket_of(record.key) != bucket or record.bucket != bucket:
                return f"{record} is in bucket {bucket}"
    faults = [fault for record in records for fault in _faults_of(ledger, record)]
    if faults:
        return faults[0]
    if len(ledger.graves) > MAX_GRAVES or len(ledger._unborn) > MAX_UNBORN:
        return "a table is over its bound"
    return _check_sums(ledger, reconciler)


def _faults_of(ledger: Ledger, record: Record) -> list[str]:
    faults = [f"{record} has no name {name}" for name in record.names if ledger.addressed(name) is not record]
    if ledger.graves.get(record.key) is not None:
        faults.append(f"{record} and its end are both there")
    if len(record.versions) - len(record.values) - len(record.extras) > MAX_REMOVED:
        faults.append(f"{record} remembers too many removed fields")
    if not record.leads_here(record.id.partition(".")[0]):
        faults.append(f"{record} shows an id that leads nowhere")
    before = record.digest()
    record.touch()
    if record.digest() != before:
        faults.append(f"{record} had the digest of an earlier state")
    return faults


def _check_sums(ledger: Ledger, reconciler: Reconciler) -> str:
    """The sums that are compared are those of the records that are there."""
    reconciler.refresh()
    known = reconciler.begin()
    ledger.changed_buckets.update(range(BUCKETS))
    return "" if reconciler.begin() == known else "the sums are those of an earlier state"
