"""Random input for everything that condaprune reads, with a clock and a memory limit.

``python -m fuzz`` (`make fuzz`) runs all targets; see `fuzz.__main__` for its options and
`fuzz.targets` for what a target is and where a new one goes.
"""
