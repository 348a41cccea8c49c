"""The fleet upgrade planner."""
