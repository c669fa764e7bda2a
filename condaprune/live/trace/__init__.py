"""What a real run of the user's workload opened, executed and looked for in a prefix.

`session.record` makes a trace, `format` writes and reads it, `foreign` imports the evidence of
other tools, `needs` tells the planner what a trace asks to keep, `only` what is left where
nothing else is to stay, and `ageing` whether a trace is of this environment.
"""
