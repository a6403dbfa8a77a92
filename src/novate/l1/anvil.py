"""An embedded L1: the anvil binary, started on loopback, with time travel, mining and reorgs.

It runs Osaka rules with the gas limit of a transaction enforced (EIP-7825) and can keep its chain
in a file, so that it may be stopped and go on. For tests, the demo and benchmarks.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Literal

from novate.l1.rpc import L1Error, Rpc, Unreachable, to_hex, to_int

HOST: Final = "127.0.0.1"
CHAIN_ID: Final = 31337
START_TIMEOUT_S: Final = 30.0
STOP_TIMEOUT_S: Final = 30.0
DRAIN_TIMEOUT_S: Final = 10.0
PACKAGE: Final = Path("node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil")
CHECKOUT: Final = Path(__file__).resolve().parents[3]
MNEMONIC: Final = "test test test test test test test test test test test junk"
"""Public test mnemonic of Hardhat and Foundry; its accounts are funded on every anvil."""


class AnvilMissing(L1Error):
    """There is no anvil binary; the message says how to get it."""


def find_anvil() -> Path:
    """The binary: NOVATE_ANVIL, the checkout's Node packages, or the PATH. AnvilMissing."""
    named = os.environ.get("NOVATE_ANVIL")
    for candidate in (named, CHECKOUT / PACKAGE, shutil.which("anvil")):
        if candidate is not None and Path(candidate).is_file():
            return Path(candidate)
    raise AnvilMissing("no anvil binary: run `npm ci` in the checkout, or set NOVATE_ANVIL")


def free_port() -> int:
    """A port of the loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Anvil:
    """One anvil process; a context manager that ends it. `start` may be called again after it."""

    timestamp: int
    """Time of the genesis block, unix seconds."""
    state_file: Path | None = None
    """Where the chain is kept on a clean stop, and read from at a start."""
    port: int = field(default_factory=free_port)
    automine: bool = True
    """Mine a block for every transaction; else only when told to."""
    base_fee: int | None = None
    """wei; None: anvil's own."""
    log_file: Path | None = None
    process: subprocess.Popen[bytes] | None = None
    start_height: int = 0
    """Blocks when it was started. It has no older states after a restart, so reorganisations that
    go back further are refused.
    """
    _cache: tempfile.TemporaryDirectory[str] | None = None
    """Where anvil puts older states; it would leave them in the home folder."""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self.port}"

    def __enter__(self) -> Anvil:
        """Start it."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it."""
        self.stop()

    def command(self) -> list[str]:
        """The command line."""
        words = [str(find_anvil()), "--host", HOST, "--port", str(self.port), "--quiet"]
        words += ["--chain-id", str(CHAIN_ID), "--timestamp", str(self.timestamp)]
        words += ["--mnemonic", MNEMONIC, "--slots-in-an-epoch", "1", "--no-cors"]
        words += ["--enable-tx-gas-limit", "--no-request-size-limit", "--order", "fees"]
        if self._cache is not None:
            words += ["--cache-path", self._cache.name]
        if not self.automine:
            words.append("--no-mining")
        if self.base_fee is not None:
            words += ["--block-base-fee-per-gas", str(self.base_fee)]
        if self.state_file is not None:
            words += ["--state", str(self.state_file)]
        return words

    def start(self) -> None:
        """Start the process and wait until it answers. L1Error if it does not."""
        if self.process is not None:
            raise L1Error(f"anvil on port {self.port} runs already")
        self._cache = tempfile.TemporaryDirectory(prefix="anvil-")
        with open(self.log_file or os.devnull, "ab") as sink:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=sink, stderr=sink
            )
        limit = time.monotonic() + START_TIMEOUT_S
        while not self._answers():
            code = self.process.poll()
            if code is not None or time.monotonic() > limit:
                self.stop()
                raise L1Error(f"anvil on port {self.port} did not start (exit code {code})")
            time.sleep(0.02)
        self._set_clock()

    def _set_clock(self) -> None:
        """Go on from the time of the latest block: anvil begins at its genesis at every start."""
        with self.rpc() as rpc:
            latest = rpc.call("eth_getBlockByNumber", "latest", False)
            self.start_height = to_int(latest["number"])
            passed = to_int(latest["timestamp"]) - self.timestamp
            if passed > 0:
                rpc.call("evm_increaseTime", to_hex(passed))

    def _answers(self) -> bool:
        """Whether the port answers a call; a refused connection is a no, at once."""
        try:
            with socket.create_connection((HOST, self.port), timeout=1):
                pass
            with Rpc(self.url, timeout_s=5) as rpc:
                return to_int(rpc.call("eth_chainId")) == CHAIN_ID
        except (OSError, Unreachable):
            return False

    def stop(self) -> None:
        """End the process and wait; the chain is written to the state file if there is one."""
        process, self.process = self.process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if self._cache is not None:
            self._cache.cleanup()

    def freeze(self) -> None:
        """Let the process hang: calls are taken by the system and answered after `thaw`."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        """Send a signal to the process. L1Error if it does not run."""
        if self.process is None:
            raise L1Error(f"anvil on port {self.port} does not run")
        self.process.send_signal(number)

    def rpc(self) -> Rpc:
        """A new client of it."""
        return Rpc(self.url)


class ChainControl:
    """What only a test node can do: mine, travel in time, reorganise. Nothing is sent twice."""

    def __init__(self, rpc: Rpc) -> None:
        """Control the node behind `rpc`."""
        self.rpc = rpc

    def mine(self, blocks: int = 1, interval_s: int = 1) -> None:
        """Mine blocks, `interval_s` apart."""
        self.rpc.call("anvil_mine", to_hex(blocks), to_hex(interval_s))

    def set_time(self, timestamp: int) -> None:
        """Mine one block of that time; it must be later than the latest one."""
        self.rpc.call("evm_setNextBlockTimestamp", to_hex(timestamp))
        self.mine()

    def set_automine(self, on: bool) -> None:
        """Mine a block for every transaction, or only when told to."""
        self.rpc.call("evm_setAutomine", on)

    def set_base_fee(self, wei: int) -> None:
        """The base fee of the next block."""
        self.rpc.call("anvil_setNextBlockBaseFeePerGas", to_hex(wei))

    def reorg(self, depth: int, keep: Literal["none", "all"] = "none") -> None:
        """Replace the latest `depth` blocks by others; their transactions are dropped or kept.

        Kept ones are mined again in their order in the first of the new blocks. A block that anvil
        mines by itself at the same moment leaves a hole in its chain, so the pool is let drain.
        """
        if self.rpc.call("anvil_getAutomine"):
            self._drain()
        pairs = [] if keep == "none" else [[raw, 0] for raw in self._raw_transactions(depth)]
        self.rpc.call("anvil_reorg", depth, pairs)

    def _drain(self) -> None:
        """Wait until no transaction waits for its block. L1Error if some do for ever."""
        limit = time.monotonic() + DRAIN_TIMEOUT_S
        while to_int(self.rpc.call("txpool_status")["pending"]):
            if time.monotonic() > limit:
                raise L1Error(f"transactions waited for {DRAIN_TIMEOUT_S} s without being mined")
            time.sleep(0.005)

    def _raw_transactions(self, depth: int) -> list[str]:
        """The signed bytes of every transaction of the latest `depth` blocks."""
        height = to_int(self.rpc.call("eth_blockNumber"))
        numbers = range(height - depth + 1, height + 1)
        blocks = self.rpc.many([("eth_getBlockByNumber", (hex(n), False)) for n in numbers])
        hashes = [found for block in blocks for found in block["transactions"]]
        return self.rpc.many([("eth_getRawTransactionByHash", (found,)) for found in hashes])
