"""Prefixes and made-up traces, as for the tests of recording."""

from __future__ import annotations

from tests.live.trace.conftest import WORKLOADS, inventory_of, prefix, python, trace_of

__all__ = ["WORKLOADS", "inventory_of", "prefix", "python", "trace_of"]
