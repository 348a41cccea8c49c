"""The simulated cluster: controllers by rules of their own, and a plan run on it."""
