"""The requests that were written one by one."""

from __future__ import annotations

from tests.interop.differential.case import Table, request
from tests.interop.differential.cases import CASES

TABLES = [Table("by hand", [request(method, target, *headers, body=body) for method, target, headers, body in CASES])]
