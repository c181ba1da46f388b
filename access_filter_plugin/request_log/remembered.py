"""Texts that are written once and found again by what they were made of."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Callable, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)

MAX_TEXTS = 512
MAX_LENGTH = 2000


class Remembered(Generic[Key]):
    """A bounded memory: ``texts.get(key) or remember(key)``.

    Plainer than ``lru_cache`` on purpose: right after QGIS's own work everything a look-up touches
    comes from main memory, and this touches the least.
    """

    def __init__(self, make: Callable[[Key], str]) -> None:
        self._make = make
        self.texts: dict[Key, str] = {}

    def make(self, key: Key) -> str:
        """Make the text of a key that is not among ``texts``, and keep it unless it is long."""
        text = self._make(key)
        if len(text) <= MAX_LENGTH and len(repr(key)) <= MAX_LENGTH:
            if len(self.texts) >= MAX_TEXTS:
                self.texts.clear()
            self.texts[key] = text
        return text
