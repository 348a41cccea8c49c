"""Frozen values that the stages exchange; no I/O and no SQL."""
