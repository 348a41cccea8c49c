"""Frozen values that the stages give each other: no clock, no files, no SQL."""
