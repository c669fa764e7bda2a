"""Safety checks that veto a removal and say why."""
