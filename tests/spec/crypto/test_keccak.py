"""Keccak-256 against published digests, and its permutation against the library's SHA-3."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novate.spec.crypto.keccak import RATE_BYTES, keccak_256, sponge

SHA3_PADDING = 0x06


@pytest.mark.parametrize(
    ("data", "digest"),
    [
        # Keccak team's known answers for Keccak[c = 512] with 256-bit output
        (b"", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
        (b"\xcc", "eead6dbfc7340a56caedc044696a168870549a6a7f6f56961e84a54bd9970b8a"),
        # Solidity's ABI documentation: the selector of baz(uint32,bool) is 0xcdcd77c0
        (b"baz(uint32,bool)", "cdcd77c0"),
        # ERC-20: the selector of transfer and the topic of Transfer
        (b"transfer(address,uint256)", "a9059cbb"),
        (
            b"Transfer(address,address,uint256)",
            "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef",
        ),
    ],
)
def test_published_digests(data: bytes, digest: str) -> None:
    assert keccak_256(data).hex().startswith(digest)


@pytest.mark.parametrize("length", [0, 1, RATE_BYTES - 1, RATE_BYTES, RATE_BYTES + 1, 272, 1000])
def test_lengths_around_the_rate_as_the_library_hashes_them(length: int) -> None:
    data = bytes(k * k % 251 for k in range(length))
    assert sponge(data, SHA3_PADDING) == hashlib.sha3_256(data).digest()


@given(st.binary(max_size=400))
def test_any_bytes_as_the_library_hashes_them(data: bytes) -> None:
    assert sponge(data, SHA3_PADDING) == hashlib.sha3_256(data).digest()
    assert keccak_256(data) != hashlib.sha3_256(data).digest()
