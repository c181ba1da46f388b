"""What is remembered between requests stays small, whatever clients send."""

from __future__ import annotations

from access_filter_plugin.request_log.remembered import MAX_LENGTH, MAX_TEXTS, Remembered


def test_a_text_is_made_once() -> None:
    made: list[str] = []

    def make(key: str) -> tuple[str, str]:
        made.append(key)
        return key.upper(), key

    texts = Remembered(make)
    found = [texts.texts.get(key) or texts.make(key) for key in ("a", "a", "b", "a")]
    assert (found, made) == ([("A", "a"), ("A", "a"), ("B", "b"), ("A", "a")], ["a", "b"])


def test_the_memory_is_bounded_in_number() -> None:
    texts = Remembered(lambda key: (str(key), ""))
    for number in range(3 * MAX_TEXTS):
        texts.make(number)
        assert len(texts.texts) <= MAX_TEXTS


def test_what_is_long_is_not_remembered() -> None:
    texts: Remembered[str] = Remembered(lambda key: (key[:1] * 3, ""))
    assert texts.make("x" * (MAX_LENGTH + 1)) == ("xxx", "")
    long: Remembered[str] = Remembered(lambda _: ("", "y" * (MAX_LENGTH + 1)))
    assert long.make("k")
    assert (texts.texts, long.texts) == ({}, {})
