"""The compositions: what each command does, put together of sources, plans, sinks and reports."""
