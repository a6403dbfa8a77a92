"""Where the blobs of a commit transaction are had from: a node that keeps them, or a beacon node.

The chain holds only their versioned hashes, so what a source gives is checked against those. Beacon
nodes keep blobs for some eighteen days; after that an archive has to be asked, by the same call.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.error import URLError
from urllib.request import urlopen

import ckzg  # type: ignore[import-not-found] # compiled, comes without stubs

from novate.l1.blobs import BLOB_BYTES, trusted_setup, versioned_hash
from novate.l1.rpc import L1Error, Rpc, Unreachable, to_bytes, to_int

TIMEOUT_S: Final = 60.0

BlobSource = Callable[[Rpc, Any, Sequence[bytes]], list[bytes]]
"""The blobs of a transaction, given as the node tells it, by their versioned hashes in order."""


def node_blobs(rpc: Rpc, transaction: Any, hashes: Sequence[bytes]) -> list[bytes]:
    """Blobs from an execution node that keeps them, as anvil does. L1Error if it has none."""
    identity = transaction["hash"]
    found = rpc.call("anvil_getBlobsByTransactionHash", identity)
    if found is None:
        raise L1Error(f"transaction {identity}: the node keeps no blobs of it")
    return checked(identity, [to_bytes(blob) for blob in found], hashes)


def beacon_blobs(url: str) -> BlobSource:
    """Blobs from a beacon node (Beacon API, `getBlobs`).

    The beacon block of an execution block is named by the next block's parent beacon block root
    (EIP-4788), so no slot has to be computed.
    """

    def fetch(rpc: Rpc, transaction: Any, hashes: Sequence[bytes]) -> list[bytes]:
        """Ask for these hashes of the block after whose beacon root the next one names."""
        number = to_int(transaction["blockNumber"])
        after = rpc.call("eth_getBlockByNumber", hex(number + 1), False)
        if after is None:
            raise L1Error(f"block {number}: its beacon root is known one block later")
        wanted = "&".join(f"versioned_hashes=0x{found.hex()}" for found in hashes)
        root = after["parentBeaconBlockRoot"]
        answer = _get(f"{url.rstrip('/')}/eth/v1/beacon/blobs/{root}?{wanted}")
        data = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(data, list):
            raise L1Error(f"{url}: no blobs of beacon block {root}")
        return checked(transaction["hash"], [to_bytes(blob) for blob in data], hashes)

    return fetch


def _get(url: str) -> Any:
    """The JSON at a URL. Unreachable, or L1Error if it is none."""
    if not url.startswith(("http://", "https://")):
        raise L1Error(f"{url}: must be http:// or https://")
    try:
        with urlopen(url, timeout=TIMEOUT_S) as response:
            return json.loads(response.read())
    except (URLError, OSError) as error:
        raise Unreachable(f"{url}: {error}") from error
    except ValueError as error:
        raise L1Error(f"{url}: no JSON") from error


def checked(identity: str, blobs: Sequence[bytes], hashes: Sequence[bytes]) -> list[bytes]:
    """The blobs in the order of their versioned hashes. L1Error if one is missing or another."""
    setup, found = trusted_setup(), {}
    for blob in blobs:
        if len(blob) != BLOB_BYTES:
            raise L1Error(f"transaction {identity}: a blob of {len(blob)} bytes, not {BLOB_BYTES}")
        try:
            found[versioned_hash(ckzg.blob_to_kzg_commitment(blob, setup))] = blob
        except RuntimeError as error:
            raise L1Error(f"transaction {identity}: a blob with an element >= r") from error
    missing = [item.hex() for item in hashes if item not in found]
    if missing:
        raise L1Error(f"transaction {identity}: no blob hashes to {missing[0]}")
    return [found[item] for item in hashes]
