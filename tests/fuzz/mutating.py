"""Hostile versions of valid bytes, by a generator's whim: the same seed gives the same."""

import re
from collections.abc import Callable, Sequence
from random import Random

NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
TEXT = re.compile(rb'"[^"\n]*"')
HUGE = (
    b"1e999", b"-1e999", b"1e308", b"-0", b"0", b"-1", b"NaN", b"Infinity", b"nan", b"inf", b"18446744073709551616",
    b"9223372036854775807", b"-9223372036854775809", b"0.1e-400", b"1" + b"0" * 400, b"1" + b"0" * 5000, b"1_0",
    b"0x" + b"f" * 5000, b"00", b"true", b"null", b'"1"', b"[1]", b"{}",
)  # fmt: skip
ODD = (
    b"\0", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\\ud800", b"\\u0000",
    b"\x1b[31m", b"\xe2\x80\xae", b"\r", b"\n", b"\r\n", b"\t", b" ", b'"', b"'", b"\\", b"{", b"}", b"[", b"]",
    b",", b":", b"=", b";", b"#", b".", b"\xd9\xa3", b"\xc2\xb2",
)  # fmt: skip
WIDE = (0, 1, 0xFF, 2**31, 2**32 - 1, 2**60, 2**63, 2**64 - 1)


def mutated(random: Random, seeds: Sequence[bytes], tokens: Sequence[bytes]) -> bytes:
    """One of the seeds with one or a few things changed, and now and then nothing but noise."""
    content = random.choice(seeds)
    if random.random() < 0.02:
        return random.randbytes(random.randrange(200))
    for _ in range(random.choice((1, 1, 1, 2, 3, 8))):
        content = random.choice(_WAYS)(random, content, [*tokens, *ODD] if random.random() < 0.8 else seeds)
    return content[: 1 << 21]


def _place(random: Random, content: bytes) -> int:
    return random.randrange(len(content) + 1)


def _span(random: Random, content: bytes) -> tuple[int, int]:
    start = _place(random, content)
    return start, min(len(content), start + random.choice((1, 1, 2, 4, 8, 40, 400)))


def _flip(random: Random, content: bytes, _: Sequence[bytes]) -> bytes:
    if not content:
        return content
    at = random.randrange(len(content))
    return content[:at] + bytes([content[at] ^ 1 << random.randrange(8)]) + content[at + 1 :]


def _cut(random: Random, content: bytes, _: Sequence[bytes]) -> bytes:
    return content[: _place(random, content)]


def _drop(random: Random, content: bytes, _: Sequence[bytes]) -> bytes:
    start, end = _span(random, content)
    return content[:start] + content[end:]


def _repeat(random: Random, content: bytes, _: Sequence[bytes]) -> bytes:
    start, end = _span(random, content)
    return content[:end] + content[start:end] * random.choice((1, 2, 10, 1000)) + content[end:]


def _insert(random: Random, content: bytes, words: Sequence[bytes]) -> bytes:
    at = _place(random, content)
    return content[:at] + random.choice(words) + content[at:]


def _overwrite(random: Random, content: bytes, words: Sequence[bytes]) -> bytes:
    at, word = _place(random, content), random.choice(words)
    return content[:at] + word + content[at + len(word) :]


def _splice(random: Random, content: bytes, words: Sequence[bytes]) -> bytes:
    other = random.choice(words)
    return content[: _place(random, content)] + other[_place(random, other) :]


def _number(random: Random, content: bytes, _: Sequence[bytes]) -> bytes:
    return _swapped(random, content, NUMBER, random.choice(HUGE))


def _nested(random: Random, content: bytes, _: Sequence[bytes]) -> bytes:
    depth = random.choice((3, 200, 990, 100_000))
    bomb = random.choice((b"[" * depth, b"[" * depth + b"]" * depth, b'{"a":' * depth, b"{a=" * depth, b"a." * depth))
    return _swapped(random, content, random.choice((NUMBER, TEXT)), bomb)


def _long(random: Random, content: bytes, _: Sequence[bytes]) -> bytes:
    text = random.choice((b"a", b"9", b".", b" ", b"\\u0041", b"\xc3\xa9")) * random.choice((100, 10_000, 300_000))
    return _swapped(random, content, random.choice((NUMBER, TEXT)), random.choice((text, b'"' + text + b'"')))


def _wide(random: Random, content: bytes, _: Sequence[bytes]) -> bytes:
    at, size = _place(random, content), random.choice((4, 8))
    if random.random() < 0.5:
        at = random.randrange(0, 64, 4)
    return content[:at] + (random.choice(WIDE) % 2 ** (8 * size)).to_bytes(size, "little") + content[at + size :]


def _swapped(random: Random, content: bytes, what: re.Pattern[bytes], by: bytes) -> bytes:
    """One of the first thousand places where that stands, replaced."""
    found = [match.span() for match, _ in zip(what.finditer(content), range(1000), strict=False)]
    if not found:
        return content
    start, end = random.choice(found)
    return content[:start] + by + content[end:]


_WAYS: tuple[Callable[[Random, bytes, Sequence[bytes]], bytes], ...] = (
    _flip, _cut, _drop, _repeat, _insert, _overwrite, _splice, _number, _number, _nested, _long, _wide,
)  # fmt: skip
