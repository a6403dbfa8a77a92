"""Blobs against the specification's polynomials and Ethereum's own library; sent through anvil."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest
import rlp  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from novate.l1.anvil import Anvil
from novate.l1.blob_sources import beacon_blobs, node_blobs
from novate.l1.blobs import (
    BLOBS_MAX,
    blob_of,
    data_of_blob,
    opening_proof,
    rlp_bytes,
    rlp_list,
    sidecar_of,
)
from novate.l1.rpc import L1Error, Rpc, Unreachable
from novate.l1.wallet import Transaction
from novate.spec.errors import DecodeError
from novate.spec.public_data.blob import coefficients, evaluate
from tests.l1.chain import START, running

DATA = bytes(range(1, 256)) * 7


@settings(max_examples=60)
@given(st.recursive(st.binary(max_size=70), lambda inner: st.lists(inner, max_size=6)))
def test_rlp_equals_the_reference_library(value: bytes | list[object]) -> None:
    def ours(item: object) -> bytes:
        if isinstance(item, bytes):
            return rlp_bytes(item)
        assert isinstance(item, list)
        return rlp_list([ours(inner) for inner in item])

    assert ours(value) == rlp.encode(value)


def test_rlp_of_long_strings() -> None:
    for length in (0, 1, 55, 56, 255, 256, 65_536):
        assert rlp_bytes(b"\x80" * length) == rlp.encode(b"\x80" * length)


def test_a_blob_gives_its_data_back_and_nothing_else() -> None:
    blob = blob_of(DATA)
    assert data_of_blob(blob, len(DATA)) == DATA
    with pytest.raises(DecodeError):  # a byte less: a tail that is not zero
        data_of_blob(blob, len(DATA) - 1)
    with pytest.raises(DecodeError):
        data_of_blob(blob[:-1], len(DATA))


def test_the_opening_is_the_polynomial_s_value() -> None:
    point = 0x1234_5678_9ABC
    proof, value = opening_proof(blob_of(DATA), point)
    assert value == evaluate(coefficients(DATA), point)
    assert len(proof) == 48


def test_a_transaction_takes_one_to_six_blobs() -> None:
    for count in (0, BLOBS_MAX + 1):
        with pytest.raises(L1Error, match=f"blobs = {count}"):
            sidecar_of([bytes(131_072)] * count)


def test_blobs_travel_through_l1_and_come_back() -> None:
    sidecar = sidecar_of([blob_of(DATA), blob_of(b"second")])
    with running(Anvil(START)) as chain:
        receipt = chain.l1.transact(
            chain.wallet(), Transaction(0x1234, b"", 30_000, sidecar=sidecar)
        )
        hashes = sidecar.versioned_hashes()
        raw = chain.l1.rpc.call("eth_getTransactionByHash", receipt.hash)
        assert raw["blobVersionedHashes"] == ["0x" + found.hex() for found in hashes]
        found = node_blobs(chain.l1.rpc, raw, hashes)
        assert [data_of_blob(found[0], len(DATA)), data_of_blob(found[1], 6)] == [DATA, b"second"]
        assert node_blobs(chain.l1.rpc, raw, hashes[::-1]) == found[::-1]
        with pytest.raises(L1Error, match="no blob hashes to"):
            node_blobs(chain.l1.rpc, raw, [bytes(32)])
        with pytest.raises(L1Error, match="keeps no blobs"):
            node_blobs(chain.l1.rpc, {"hash": "0x" + "00" * 32}, hashes)


class Beacon(BaseHTTPRequestHandler):
    """A beacon node with one block's blobs; remembers what it was asked for."""

    blobs: ClassVar[list[bytes]] = []
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        body = json.dumps({"data": ["0x" + blob.hex() for blob in self.blobs]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Be silent."""


class Headers(Rpc):
    """A node of which only the block after the transaction's is asked."""

    def call(self, method: str, *params: object) -> object:
        assert (method, params) == ("eth_getBlockByNumber", ("0x8", False))
        return {"parentBeaconBlockRoot": "0x" + "ab" * 32}


def test_a_beacon_node_is_asked_by_the_next_block_s_parent_root() -> None:
    Beacon.blobs = [blob_of(b"second"), blob_of(DATA)]
    hashes = sidecar_of(Beacon.blobs).versioned_hashes()[::-1]
    transaction = {"hash": "0x01", "blockNumber": "0x7"}
    with HTTPServer(("127.0.0.1", 0), Beacon) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        fetch = beacon_blobs(f"http://127.0.0.1:{server.server_port}/")
        rpc = Headers("http://127.0.0.1:1")
        assert fetch(rpc, transaction, hashes) == Beacon.blobs[::-1]
        wanted = "&".join(f"versioned_hashes=0x{found.hex()}" for found in hashes)
        assert Beacon.asked == [f"/eth/v1/beacon/blobs/0x{'ab' * 32}?{wanted}"]
        for lies, why in [
            ([blob_of(b"other")], "no blob hashes"),
            ([b"short"], "a blob of 5 bytes"),
            ([b"\xff" * 131_072], "element >= r"),
        ]:
            Beacon.blobs = lies
            with pytest.raises(L1Error, match=why):
                fetch(rpc, transaction, hashes)
        server.shutdown()
    with pytest.raises(Unreachable):
        fetch(rpc, transaction, hashes)
    with pytest.raises(L1Error, match="http"):
        beacon_blobs("file:///etc")(rpc, transaction, hashes)
