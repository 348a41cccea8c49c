"""Carries a plan out on live clusters, wave by wave, from checkpoint to checkpoint.

What a run intends is appended to the log before it acts, and what came of it after; whoever takes a
run over goes on from what the log says.
"""
