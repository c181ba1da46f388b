"""A machine under load is no failure of a test: Hypothesis must not mistake one for the other."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("loaded", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("loaded")
