"""From clusters, live or recorded, to observations."""
