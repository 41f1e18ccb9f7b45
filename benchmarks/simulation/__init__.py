"""A day of a million tasks on a virtual clock: what back-off and rate limits do to calls, and to delays."""
