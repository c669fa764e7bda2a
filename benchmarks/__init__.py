"""Benchmarks: paired runs, ratios first; see docs/benchmarks.md."""
