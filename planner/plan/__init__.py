"""Reads plans: the order of dependencies, and why a thing is where it is."""
