"""Blob transactions (EIP-4844, EIP-7594): the sidecar of blobs, commitments and cell proofs.

A blob carries the evaluations of a polynomial of public data; its versioned hash is what the
contract sees. The trusted set-up is loaded once: it takes half a second.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NamedTuple

import ckzg  # type: ignore[import-not-found] # compiled, comes without stubs

from novate.l1.rpc import L1Error
from novate.spec.public_data.blob import (
    blob_bytes,
    blob_values,
    coefficients,
    data_of,
    polynomial_of_values,
    values_of_blob,
)

BLOBS_MAX: Final = 6
"""Blobs of one transaction (EIP-7594 allows no more, whatever a block may hold)."""
BLOB_BYTES: Final = 131_072
"""4,096 elements of 32 bytes."""
VERSION: Final = b"\x01"
"""First byte of the versioned hash of a KZG commitment."""
WRAPPER_VERSION: Final = b"\x01"
"""EIP-7594: the sidecar holds cell proofs."""
PRECOMPUTE: Final = 0
"""Size of the tables ckzg makes at load: none; a few blobs do not pay for them."""


class Sidecar(NamedTuple):
    """What travels beside a blob transaction; the chain keeps only the versioned hashes."""

    blobs: tuple[bytes, ...]
    commitments: tuple[bytes, ...]
    """48 bytes each."""
    cell_proofs: tuple[bytes, ...]
    """128 of 48 bytes for each blob."""

    def versioned_hashes(self) -> list[bytes]:
        """What the contract reads by BLOBHASH."""
        return [versioned_hash(commitment) for commitment in self.commitments]


@cache
def trusted_setup() -> Any:
    """The public set-up of Ethereum, as eth-account ships it."""
    package = find_spec("eth_account")
    assert package is not None and package.origin is not None, "eth-account is a dependency"
    folder = Path(package.origin).parent / "typed_transactions" / "blob_transactions"
    return ckzg.load_trusted_setup(str(folder / "kzg_trusted_setup.txt"), PRECOMPUTE)


def versioned_hash(commitment: bytes) -> bytes:
    """0x01, then the last 31 bytes of the SHA-256 hash of a commitment."""
    return VERSION + hashlib.sha256(commitment).digest()[1:]


def blob_of(data: bytes) -> bytes:
    """The 131,072 bytes of a blob that carries the polynomial of at most 126,976 bytes."""
    return blob_bytes(blob_values(coefficients(data)))


def data_of_blob(blob: bytes, length: int) -> bytes:
    """The `length` bytes that a blob carries; DecodeError if it carries no such thing."""
    return data_of(polynomial_of_values(values_of_blob(blob)), length)


def sidecar_of(blobs: Sequence[bytes]) -> Sidecar:
    """Commitments and cell proofs of blobs. L1Error if there are more than a transaction takes."""
    if not 1 <= len(blobs) <= BLOBS_MAX:
        raise L1Error(f"blobs = {len(blobs)}: 1 to {BLOBS_MAX} in a transaction")
    setup = trusted_setup()
    commitments = tuple(ckzg.blob_to_kzg_commitment(blob, setup) for blob in blobs)
    proofs: list[bytes] = []
    for blob in blobs:
        proofs += ckzg.compute_cells_and_kzg_proofs(blob, setup)[1]
    return Sidecar(tuple(blobs), commitments, tuple(proofs))


def opening_proof(blob: bytes, point: int) -> tuple[bytes, int]:
    """The KZG proof (48 bytes) that the blob's polynomial has value y at `point`, and y."""
    proof, value = ckzg.compute_kzg_proof(blob, point.to_bytes(32, "big"), trusted_setup())
    return bytes(proof), int.from_bytes(value, "big")


def rlp_bytes(data: bytes) -> bytes:
    """A string in RLP (Ethereum yellow paper, appendix B)."""
    if len(data) == 1 and data[0] < 0x80:
        return data
    return _rlp_head(0x80, len(data)) + data


def rlp_list(items: Sequence[bytes]) -> bytes:
    """A list in RLP of items that are encoded already."""
    body = b"".join(items)
    return _rlp_head(0xC0, len(body)) + body


def _rlp_head(offset: int, length: int) -> bytes:
    """The head of a string (offset 0x80) or list (0xC0) of so many bytes."""
    if length < 56:
        return bytes([offset + length])
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([offset + 55 + len(size)]) + size


def network_form(signed: bytes, sidecar: Sidecar) -> bytes:
    """A signed blob transaction as it travels: type 3, then [body, 1, blobs, commitments, proofs].

    `signed`: the type byte and the RLP list of the transaction as it stands in a block.
    """
    parts = [sidecar.blobs, sidecar.commitments, sidecar.cell_proofs]
    lists = [rlp_list([rlp_bytes(item) for item in part]) for part in parts]
    return signed[:1] + rlp_list([signed[1:], WRAPPER_VERSION, *lists])
