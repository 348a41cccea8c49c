"""Plans for people and programs to read."""
