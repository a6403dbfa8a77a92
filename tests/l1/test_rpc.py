"""The JSON-RPC client against a server that misbehaves on command."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from novate.l1.rpc import BATCH_MAX, L1Error, Rpc, RpcError, Unreachable, to_bytes, to_int


class Node(HTTPServer):
    """A node whose next answers are prepared; `None` breaks the connection instead."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.prepared: list[Any] = []
        self.received: list[Any] = []


class Handler(BaseHTTPRequestHandler):
    """Answers with what the node prepared, else echoes the parameters as the result."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        node: Any = self.server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        node.received.append(body)
        answer = node.prepared.pop(0) if node.prepared else echo
        if answer is None:
            self.close_connection = True
            self.connection.close()
            return
        data = answer if isinstance(answer, bytes) else json.dumps(answer(body)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *arguments: object) -> None:
        """Be silent."""


def echo(body: Any) -> Any:
    if isinstance(body, list):
        return [echo(request) for request in reversed(body)]
    return {"jsonrpc": "2.0", "id": body["id"], "result": body["params"]}


@pytest.fixture
def node() -> Iterator[Node]:
    with Node() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()


@pytest.fixture
def rpc(node: Node, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rpc]:
    monkeypatch.setattr("novate.l1.rpc.PAUSE_S", 0.0)
    with Rpc(f"http://127.0.0.1:{node.server_port}", timeout_s=5) as client:
        yield client


def test_results_come_back_in_order_whatever_the_node_does(node: Node, rpc: Rpc) -> None:
    calls = [("eth_getBlockByNumber", (number, False)) for number in range(2 * BATCH_MAX + 1)]
    assert rpc.many(calls) == [[number, False] for number in range(2 * BATCH_MAX + 1)]
    assert [len(body) for body in node.received] == [BATCH_MAX, BATCH_MAX, 1]


def test_a_read_survives_two_broken_connections_and_no_third(node: Node, rpc: Rpc) -> None:
    node.prepared = [None, None]
    assert rpc.call("eth_getBalance", 7) == [7]
    node.prepared = [None, None, None]
    with pytest.raises(Unreachable):
        rpc.call("eth_getBalance", 7)
    assert len(node.received) == 6


@pytest.mark.parametrize("method", ["anvil_mine", "evm_increaseTime", "eth_sendTransaction"])
def test_what_must_not_happen_twice_is_sent_once(node: Node, rpc: Rpc, method: str) -> None:
    node.prepared = [None]
    with pytest.raises(Unreachable):
        rpc.call(method, 1)
    assert len(node.received) == 1


def test_a_batch_with_one_unsafe_call_is_sent_once(node: Node, rpc: Rpc) -> None:
    node.prepared = [None]
    with pytest.raises(Unreachable):
        rpc.many([("eth_getBalance", ()), ("anvil_mine", ())])
    assert len(node.received) == 1


def test_errors_keep_code_message_and_the_data_of_a_revert(node: Node, rpc: Rpc) -> None:
    def refusal(data: Any) -> Any:
        error = {"code": 3, "message": "execution reverted", "data": data}
        return lambda body: {"id": body["id"], "error": error}

    node.prepared = [refusal("0x08c379a0"), refusal({"data": "0x01"}), refusal("no hex")]
    found = []
    for _ in range(3):
        with pytest.raises(RpcError) as caught:
            rpc.call("eth_call")
        found.append((caught.value.code, caught.value.data))
    assert found == [(3, b"\x08\xc3\x79\xa0"), (3, b"\x01"), (3, None)]


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>busy</html>",
        lambda body: {"id": body["id"] + 1, "result": 1},
        lambda body: {"id": body["id"]},
        lambda body: 5,
    ],
)
def test_an_answer_that_is_none_is_an_error(node: Node, rpc: Rpc, answer: Any) -> None:
    node.prepared = [answer]
    with pytest.raises(L1Error):
        rpc.call("eth_getBalance")


def test_only_http_urls_are_taken() -> None:
    for url in ("ftp://127.0.0.1", "127.0.0.1:8545", "http://"):
        with pytest.raises(ValueError, match="url"):
            Rpc(url)


def test_quantities_and_data_are_checked() -> None:
    assert to_int("0x10") == 16
    assert to_bytes("0x00ff") == b"\x00\xff"
    for bad in (None, "", "0xz", 3):
        with pytest.raises(L1Error):
            to_bytes(bad)
    for bad in (None, "0xz", []):
        with pytest.raises(L1Error):
            to_int(bad)
