"""Real wheels put to use before and after a prune: what worked must still work.

`groups` says which packages and what is done with each; ``python -m lab.wheelset`` does it.
"""
