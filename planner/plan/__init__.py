"""From the fleet and a request to a plan."""
