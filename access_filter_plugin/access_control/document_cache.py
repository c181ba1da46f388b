"""Serialized documents by everything they depend on; bounded in bytes, least recently used out.

A key holds the project's generation, the decisions (never a user's name), the whole URL and every
header that enters a document. Two callers share a document only when all of that is equal.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from datetime import datetime
from hashlib import sha256
from typing import Optional

from ..value_class import value_class

DEFAULT_LIMIT = 32 * 1024 * 1024
_OVERHEAD = 1024
"""What an entry is counted beside its body, in bytes: key, headers and objects."""


@value_class
class Document:
    """An answer as it left, and how long it may be told again."""

    status: int
    content_type: str
    body: bytes
    etag: str
    valid_until: datetime


def etag_of(body: bytes) -> str:
    """Return a strong entity tag: a hash of the body alone, so that it tells nothing else."""
    return f'"{sha256(body).hexdigest()[:32]}"'


def matches_etag(if_none_match: str, etag: str) -> bool:
    """Return whether a client that sent ``If-None-Match`` already has the document."""
    if not if_none_match:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in tags or etag in tags


class DocumentCache:
    """The documents of one process."""

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self._limit = limit
        self._size = 0
        self._documents: OrderedDict[Hashable, Document] = OrderedDict()

    def __len__(self) -> int:
        return len(self._documents)

    @property
    def size(self) -> int:
        """The bytes that are counted against the limit."""
        return self._size

    def get(self, key: Hashable, now: datetime) -> Optional[Document]:
        """Return a document that is still valid, or None."""
        document = self._documents.get(key)
        if document is None:
            return None
        if now >= document.valid_until:
            self._drop(key)
            return None
        self._documents.move_to_end(key)
        return document

    def put(self, key: Hashable, document: Document) -> None:
        """Keep a document; one that is larger than a quarter of the cache is not kept."""
        cost = len(document.body) + _OVERHEAD
        if cost > self._limit // 4:
            return
        if key in self._documents:
            self._drop(key)
        self._documents[key] = document
        self._size += cost
        while self._size > self._limit:
            self._drop(next(iter(self._documents)))

    def _drop(self, key: Hashable) -> None:
        self._size -= len(self._documents.pop(key).body) + _OVERHEAD
