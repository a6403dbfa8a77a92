"""Hashing of element lists (Poseidon2 sponge, width 12) and of tree nodes (width 8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from novate.spec.crypto.goldilocks import P, is_canonical
from novate.spec.crypto.poseidon2 import WIDTH_8, WIDTH_12, permute
from novate.spec.primitives import Digest

RATE: Final = 8
DIGEST_ELEMENTS: Final = 4
TAG_BYTES_MAX: Final = 7


def tag_element(tag: str) -> int:
    """The domain tag as an element: its ASCII bytes as a little-endian integer below 2^56.

    1 to 7 printable characters (no NUL, so distinct tags give distinct elements); else ValueError.
    """
    printable = tag.isascii() and tag.isprintable()
    if not (printable and 1 <= len(tag) <= TAG_BYTES_MAX):
        raise ValueError(f"tag {tag!r} must be 1 to {TAG_BYTES_MAX} printable ASCII characters")
    return int.from_bytes(tag.encode("ascii"), "little")


def require_elements(elements: Sequence[int]) -> None:
    """ValueError unless every integer is in [0, p): an alias would hash like its residue."""
    for place, element in enumerate(elements):
        if not is_canonical(element):
            raise ValueError(f"element {place} is {element}, must be in [0, {P})")


def hash_elements(tag: str, elements: Sequence[int]) -> Digest:
    """The digest of any number of elements under a domain tag.

    Overwrite-mode sponge, rate 8, capacity 4 = (tag, number of elements, 0, 0); the last block is
    padded with zeros, which the length in the capacity makes unambiguous; no elements are one
    block of zeros.
    """
    require_elements(elements)
    state: tuple[int, ...] = (0,) * RATE + (tag_element(tag), len(elements), 0, 0)
    for start in range(0, max(len(elements), 1), RATE):
        block = tuple(elements[start : start + RATE])
        padding = (0,) * (RATE - len(block))
        state = permute(block + padding + state[RATE:], WIDTH_12)
    return state[0], state[1], state[2], state[3]


def compress(left: Digest, right: Digest) -> Digest:
    """The parent digest of two tree nodes: the permutation plus its input, cut to the left half.

    The permutation is public and invertible: cut without the feed-forward, anyone could choose an
    output, invert, and have a preimage.
    """
    before = (*left, *right)
    require_elements(before)
    after = permute(before, WIDTH_8)
    d0, d1, d2, d3 = ((after[i] + before[i]) % P for i in range(DIGEST_ELEMENTS))
    return d0, d1, d2, d3
