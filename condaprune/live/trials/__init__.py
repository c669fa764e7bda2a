"""What a pruned environment must still do before a run in place is final (``--verify``)."""
