"""One JSON line per request, with the access decision in it (contract, section 8)."""
