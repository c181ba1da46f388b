"""The first wall: which requests of a restricted subject can be enforced at all, and in what form."""
