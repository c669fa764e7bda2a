"""Where the bytes of an environment go: measured, grouped, compared, held to budgets."""
