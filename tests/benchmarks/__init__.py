"""Tests of the benchmarks: their arithmetic, and the gate that catches slower code."""
