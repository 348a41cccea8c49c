"""Alembic's home: how the tables of a log came to be, and the way back."""
