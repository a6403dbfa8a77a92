"""JSON-RPC over one kept-alive HTTP connection: calls, batches of calls, typed errors.

A call is repeated after a broken connection only where repeating does no harm: reads, and raw
transactions, which a node recognises by their hash. Everything else (a test node's mining or time
travel) is sent at most once. Source: Ethereum execution APIs, JSON-RPC 2.0.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

TIMEOUT_S: Final = 120.0
ATTEMPTS: Final = 3
PAUSE_S: Final = 0.2
"""Before the second attempt; doubled before each further one."""
SAFE_PREFIXES: Final = ("eth_get", "eth_call", "eth_chainId", "eth_block", "eth_fee", "eth_max")
SAFE: Final = frozenset({"eth_sendRawTransaction", "web3_clientVersion", "net_version"})
BATCH_MAX: Final = 64
"""Calls sent in one request; hosted nodes refuse much larger batches."""

Json = Any
Call = tuple[str, Sequence[Json]]


class L1Error(Exception):
    """Something that L1, or the way to it, refused."""


class Unreachable(L1Error):
    """No answer from the node; whether it received the call is not known."""


class RpcError(L1Error):
    """The node answered with an error: its code, message, and the data of a revert if any."""

    def __init__(self, method: str, code: int, message: str, data: bytes | None = None) -> None:
        """Keep the parts; the text names the method."""
        super().__init__(f"{method}: {message} (code {code})")
        self.method = method
        self.code = code
        self.message = message
        self.data = data


class Rpc:
    """A node at a URL. Not to be shared between threads: it has one connection."""

    def __init__(self, url: str, timeout_s: float = TIMEOUT_S) -> None:
        """`url`: http or https. ValueError for another scheme; nothing is sent yet."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or parts.hostname is None:
            raise ValueError(f"url = {url!r}: must be http://HOST[:PORT] or https://…")
        self.url = url
        self._secure = parts.scheme == "https"
        self._host, self._port = parts.hostname, parts.port
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self.timeout_s = timeout_s
        """Of a connection opened from now on."""
        self._connection: http.client.HTTPConnection | None = None
        self._sent = 0

    def __enter__(self) -> Rpc:
        """The client itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def call(self, method: str, *params: Json) -> Json:
        """The result of one call. RpcError, or Unreachable."""
        request = self._request(method, params)
        answer = self._exchange(request, is_safe(method))
        return _result(method, answer, request["id"])

    def many(self, calls: Sequence[Call]) -> list[Json]:
        """The results of several calls, in order, sent together. The first RpcError is raised."""
        results: list[Json] = []
        for first in range(0, len(calls), BATCH_MAX):
            results += self._some(calls[first : first + BATCH_MAX])
        return results

    def _some(self, calls: Sequence[Call]) -> list[Json]:
        """One request's worth of calls."""
        requests = [self._request(method, params) for method, params in calls]
        answers = self._exchange(requests, all(is_safe(method) for method, _ in calls))
        if not isinstance(answers, list):
            return [_result("batch", answers, None)]
        by_id = {answer.get("id"): answer for answer in answers if isinstance(answer, dict)}
        return [
            _result(method, by_id.get(request["id"]), request["id"])
            for (method, _), request in zip(calls, requests, strict=True)
        ]

    def _request(self, method: str, params: Sequence[Json]) -> dict[str, Json]:
        """The object that asks for one call."""
        self._sent += 1
        return {"jsonrpc": "2.0", "id": self._sent, "method": method, "params": list(params)}

    def _exchange(self, body: Json, safe: bool) -> Json:
        """Send a body and read the answer, again after a broken connection if that is safe."""
        encoded = json.dumps(body, separators=(",", ":")).encode()
        for attempt in range(ATTEMPTS):
            try:
                return self._post(encoded)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if not safe or attempt == ATTEMPTS - 1:
                    raise Unreachable(f"{self.url}: {type(error).__name__}: {error}") from error
                time.sleep(PAUSE_S * 2**attempt)
        raise AssertionError("the last attempt returns or raises")

    def _post(self, body: bytes) -> Json:
        """One HTTP request over the kept connection."""
        if self._connection is None:
            kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
            self._connection = kind(self._host, self._port, timeout=self.timeout_s)
        self._connection.request("POST", self._path, body, {"Content-Type": "application/json"})
        response = self._connection.getresponse()
        data = response.read()
        try:
            return json.loads(data)
        except ValueError as error:
            shown = data[:200].decode("utf-8", "replace")
            raise L1Error(f"{self.url}: HTTP {response.status}, no JSON: {shown!r}") from error


def is_safe(method: str) -> bool:
    """Whether sending a call twice does no more than sending it once."""
    return method in SAFE or method.startswith(SAFE_PREFIXES)


def _result(method: str, answer: Json, identity: int | None) -> Json:
    """The result in an answer. RpcError if it holds an error, L1Error if it is no answer."""
    if not isinstance(answer, dict) or answer.get("id", identity) != identity:
        raise L1Error(f"{method}: no answer to this call")
    error = answer.get("error")
    if error is not None:
        raise _error(method, error)
    if "result" not in answer:
        raise L1Error(f"{method}: an answer without result or error")
    return answer["result"]


def _error(method: str, error: Json) -> RpcError:
    """The typed error of a JSON-RPC error object; revert data stand in `data`, nested or not."""
    if not isinstance(error, dict):
        return RpcError(method, 0, str(error))
    data = error.get("data")
    if isinstance(data, dict):
        data = data.get("data", data.get("result"))
    found = None
    if isinstance(data, str) and data.startswith("0x"):
        try:
            found = bytes.fromhex(data[2:])
        except ValueError:
            found = None
    return RpcError(method, int(error.get("code", 0)), str(error.get("message", "")), found)


def to_int(quantity: Json) -> int:
    """The number of a hexadecimal quantity. L1Error if it is none."""
    try:
        return int(quantity, 16)
    except (TypeError, ValueError) as error:
        raise L1Error(f"{quantity!r} is not a quantity") from error


def to_bytes(data: Json) -> bytes:
    """The bytes of hexadecimal data. L1Error if it is none."""
    if not isinstance(data, str) or not data.startswith("0x"):
        raise L1Error(f"{str(data)[:40]!r} is not hexadecimal data")
    try:
        return bytes.fromhex(data[2:])
    except ValueError as error:
        raise L1Error(f"{data[:40]!r} is not hexadecimal data") from error


def to_hex(value: int | bytes) -> str:
    """A quantity or data as L1's JSON writes it."""
    return hex(value) if isinstance(value, int) else "0x" + value.hex()


def address_hex(address: int) -> str:
    """An address, a number below 2**160, as 20 hexadecimal bytes."""
    return "0x" + address.to_bytes(20, "big").hex()
