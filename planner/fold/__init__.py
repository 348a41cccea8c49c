"""The fleet at a position of the log: the newest snapshot, and what came after it."""
