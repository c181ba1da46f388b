"""What the suites share: projects made in code, and a client of the in-process server."""
