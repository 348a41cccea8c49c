"""Watches API servers while somebody else upgrades, and says which rule was broken when.

A process of its own that shares no code with the planner: what it calls a budget, a dependency and
a disruption it reads off the clusters and the request by itself.
"""
