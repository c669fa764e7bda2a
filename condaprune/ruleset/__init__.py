"""The rule sets: loaded, validated, matched."""
