"""Who may see and change what: policy (PAP), decision (PDP) and the walls that enforce it (PEP)."""
