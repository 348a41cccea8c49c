"""The one door to a live cluster; the kubernetes client lives only here."""
