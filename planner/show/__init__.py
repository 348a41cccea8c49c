"""Shows values to people: tables on a terminal, one page of HTML. Decides nothing."""
