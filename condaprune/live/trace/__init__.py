"""Records what a real run of the user's workload opens, executes and looks for in a prefix.

`session.record` makes a trace; `condaprune.traces` reads it and says what it asks to keep.
"""
