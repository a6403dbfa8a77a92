"""The bytes that a commit transaction published: the batch's data and the contract's part.

Calldata stand in the transaction's input: the contract takes commits only from accounts that call
it directly. Blobs come from a source that is passed in.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from novate.l1.abi import Artifact
from novate.l1.blob_sources import BlobSource, node_blobs
from novate.l1.blobs import data_of_blob
from novate.l1.history import Commit
from novate.l1.rpc import L1Error, Rpc, to_bytes
from novate.spec.errors import DecodeError
from novate.spec.public_data.opening import Carrier


class Published(NamedTuple):
    """What a batch put on L1."""

    data: bytes
    """In the form that its header says."""
    contract_data: bytes
    """Requests with outcomes, and payments."""
    input_bytes: int
    """Of the whole transaction."""


class _Call(NamedTuple):
    """The call that committed a batch."""

    transaction: Any
    """As the node tells it."""
    name: str
    values: dict[str, Any]
    input_bytes: int


def _call(rpc: Rpc, settlement: Artifact, commit: Commit) -> _Call:
    """Read the commit transaction of a batch. L1Error if it is none."""
    raw = rpc.call("eth_getTransactionByHash", commit.transaction)
    if raw is None:
        raise L1Error(f"batch {commit.number}: no transaction {commit.transaction}")
    calldata = to_bytes(raw["input"])
    name, values = settlement.arguments(calldata)
    if name not in ("commitCalldata", "commitBlobs"):
        raise L1Error(f"batch {commit.number}: {commit.transaction} calls {name}, commits nothing")
    return _Call(raw, name, values, len(calldata))


def contract_data(rpc: Rpc, settlement: Artifact, commit: Commit) -> bytes:
    """The contract's part of a batch: always calldata, so it is on L1 for ever."""
    return bytes(_call(rpc, settlement, commit).values["contractData"])


def published(
    rpc: Rpc, settlement: Artifact, commit: Commit, source: BlobSource = node_blobs
) -> Published:
    """What the commit transaction of a batch carries. L1Error if it is not to be had."""
    call = _call(rpc, settlement, commit)
    if call.name == "commitCalldata":
        data = bytes(call.values["data"])
    else:
        hashes = [to_bytes(found) for found in call.transaction.get("blobVersionedHashes", [])]
        _check_count(commit, hashes)
        data = _data_of_blobs(commit, source(rpc, call.transaction, hashes))
    return Published(data, bytes(call.values["contractData"]), call.input_bytes)


def _check_count(commit: Commit, hashes: list[bytes]) -> None:
    """L1Error unless each polynomial of the data has its blob."""
    carried = commit.polynomials[: commit.data_polynomials]
    if len(hashes) != len(carried) or any(part.carrier != Carrier.BLOB for part in carried):
        raise L1Error(f"batch {commit.number}: {len(hashes)} blobs, {len(carried)} polynomials")


def _data_of_blobs(commit: Commit, blobs: list[bytes]) -> bytes:
    """The data that the blobs of a commit carry, together."""
    carried = commit.polynomials[: commit.data_polynomials]
    try:
        pieces = [
            data_of_blob(blob, part.length) for blob, part in zip(blobs, carried, strict=True)
        ]
    except DecodeError as error:
        raise L1Error(f"batch {commit.number}: {error}") from error
    return b"".join(pieces)
