"""Texts that are written once and found again by what they were made of."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Callable, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)

MAX_TEXTS = 512
MAX_LENGTH = 2000


class Remembered(Generic[Key]):
    """A bounded memory of pairs of texts: ``texts.get(key) or make(key)``.

    Plainer than ``lru_cache`` on purpose: right after QGIS's own work everything a look-up touches
    comes from main memory, and this touches the least.
    """

    def __init__(self, make: Callable[[Key], tuple[str, str]]) -> None:
        self._make = make
        self.texts: dict[Key, tuple[str, str]] = {}

    def make(self, key: Key) -> tuple[str, str]:
        """Make the texts of a key that is not among ``texts``, and keep them unless they are long."""
        texts = self._make(key)
        if len(texts[0]) + len(texts[1]) <= MAX_LENGTH and len(repr(key)) <= MAX_LENGTH:
            if len(self.texts) >= MAX_TEXTS:
                self.texts.clear()
            self.texts[key] = texts
        return texts
