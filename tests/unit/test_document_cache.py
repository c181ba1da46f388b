"""The cache of documents: what it keeps, what it drops, and that its tags tell nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from access_filter_plugin.access_control.document_cache import (
    Document,
    DocumentCache,
    etag_of,
    matches_etag,
)

NOW = datetime(2026, 11, 23, tzinfo=timezone.utc)
LATER = NOW + timedelta(hours=1)


def document(body: bytes) -> Document:
    return Document(200, "text/xml", body, etag_of(body), LATER)


def test_a_document_is_found_under_its_key_and_no_other() -> None:
    cache = DocumentCache()
    cache.put(("a", 1), document(b"one"))
    assert cache.get(("a", 1), NOW) == document(b"one")
    assert cache.get(("a", 2), NOW) is None


def test_a_document_does_not_outlive_its_validity() -> None:
    cache = DocumentCache()
    cache.put("key", document(b"one"))
    assert cache.get("key", LATER) is None
    assert len(cache) == 0
    assert cache.size == 0


def test_the_least_recently_used_document_goes_first() -> None:
    cache = DocumentCache(limit=10_000)
    for name in "abcd":
        cache.put(name, document(b"x" * 1000))
    cache.get("a", NOW)
    cache.put("e", document(b"x" * 1000))
    assert cache.get("a", NOW) is not None
    assert cache.get("b", NOW) is None


def test_the_size_never_passes_the_limit() -> None:
    cache = DocumentCache(limit=20_000)
    for number in range(100):
        cache.put(number, document(b"x" * (number * 37)))
        assert cache.size <= 20_000


def test_a_document_put_twice_is_counted_once() -> None:
    cache = DocumentCache()
    cache.put("key", document(b"one"))
    size = cache.size
    cache.put("key", document(b"two"))
    assert cache.size == size


def test_a_document_too_large_for_the_cache_is_not_kept() -> None:
    cache = DocumentCache(limit=10_000)
    cache.put("key", document(b"x" * 9000))
    assert len(cache) == 0


def test_equal_bodies_have_equal_tags_whatever_made_them() -> None:
    assert etag_of(b"same") == etag_of(b"same")
    assert etag_of(b"same") != etag_of(b"other")


def test_a_client_with_the_tag_has_the_document() -> None:
    tag = etag_of(b"body")
    assert matches_etag(tag, tag)
    assert matches_etag(f'"other", W/{tag}', tag)
    assert matches_etag("*", tag)
    assert not matches_etag("", tag)
    assert not matches_etag('"other"', tag)
