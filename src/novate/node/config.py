"""The configuration of a node: one TOML file, documented here field by field.

    [node]       folder, genesis, socket, engine, book, clock
    [sequencer]  key, and when rounds and batches end
    [batcher]    form and carrier of the data on L1
    [oracle]     keys, surface, and a [[oracle.market]] for each market with its source
    [l1]         rpc, deployment, key: without it nothing goes to L1

Paths are relative to the file. Nothing listens on a network: the socket is a file of this user, and
`l1.rpc` is where a node of L1 is asked.
"""

from __future__ import annotations

import json
import stat
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from novate.native import secret_of_seed
from novate.node.policy import Policy
from novate.node.sequencer import Limits
from novate.node.settings import ConfigError, one_of, read_table, whole
from novate.node.sources import Surface
from novate.spec.bounds import PRICE_MAX, VOL_PPM_MAX
from novate.spec.errors import LawError
from novate.spec.genesis import genesis
from novate.spec.presets import MAIN, MINIMAL
from novate.spec.public_data.codec import decode, encode
from novate.spec.public_data.header import DataForm
from novate.spec.public_data.opening import Carrier
from novate.spec.public_data.parameters import parameters_codec
from novate.spec.state import FEE_ACCOUNT, State

PRESETS: Final = {preset.name: preset for preset in (MAIN, MINIMAL)}
SEED_BYTES_MIN: Final = 32
NAME_MAX: Final = 100
"""Bytes that a Unix socket's path may have, on every system."""
COUNT_MAX: Final = 10**9


@dataclass(frozen=True)
class NodeTable:
    """What all processes of a node share."""

    folder: str
    """Where log, snapshots, sealed batches and the queue to L1 lie."""
    genesis: str
    """JSON: preset, time, treasury, parameters; see `write_genesis`."""
    socket: str = "sequencer.socket"
    """The sequencer's Unix socket."""
    engine: str = "novate.node.kit:CompiledKit"
    """`module:attribute` of an `EngineKit`."""
    book: str = "novate.book.compiled:CompiledExchange"
    """`module:attribute` of a `BookFactory`."""
    clock: str = one_of("system", ("system", "told"))
    """told: clients of the socket tell the time (demonstrations, tests)."""


@dataclass(frozen=True)
class SequencerTable:
    """The sequencer's key, and when rounds and batches end."""

    key: str
    """File with the seed of the receipts' key: 64 or more hexadecimal digits."""
    round_age_s: int = whole(30, 5, 300)
    drift_ppm: int = whole(5_000, 1, 1_000_000)
    fills_per_round: int = whole(4_000, 1, COUNT_MAX)
    rounds_per_batch: int = whole(4, 1, 256)
    fills_per_batch: int = whole(8_000, 1, COUNT_MAX)
    batch_age_s: int = whole(120, 5, 86_400)
    snapshot_every: int = whole(50_000, 1, COUNT_MAX)
    snapshots_kept: int = whole(4, 1, 1_000)


@dataclass(frozen=True)
class BatcherTable:
    """What goes to L1."""

    form: str = one_of("full", ("full", "diff"))
    carrier: str = one_of("calldata", ("calldata", "blob"))


@dataclass(frozen=True)
class OracleTable:
    """The oracle process."""

    keys: str
    """File with the seeds of the oracles' keys, one a line."""
    market: Any = ()
    """Tables `[[oracle.market]]`."""
    premium_ppm: int = whole(0, -1_000_000, 1_000_000)
    basis_ppm: int = whole(0, -999_999, 1_000_000)
    vol_ppm: int = whole(600_000, 1, VOL_PPM_MAX)
    expiries: int = whole(2, 0, 16)


@dataclass(frozen=True)
class MarketTable:
    """The source of one market's prices."""

    underlying: int = whole(0, 0, 255)
    source: str = one_of("walk", ("walk", "recording", "reports"))
    start: int = whole(1, 1, PRICE_MAX)
    """walk: first price, ticks."""
    seed: int = whole(1, 0, COUNT_MAX)
    """walk."""
    step_ppm: int = whole(200, 0, 100_000)
    """walk: largest move in 5 s."""
    file: str = ""
    """recording: parquet file of best quotes; reports: what `write_reports` wrote."""
    ticks_per_unit: int = whole(100, 1, 10**12)
    """recording."""


@dataclass(frozen=True)
class L1Table:
    """The base chain."""

    rpc: str
    deployment: str
    """JSON that `novate.l1.deploy` wrote."""
    key: str
    """File with the L1 key of the sequencer's account, 64 hexadecimal digits."""
    confirmations: int = whole(12, 0, 10_000)


@dataclass(frozen=True)
class Config:
    """A whole configuration."""

    base: Path
    """The folder that paths are relative to."""
    node: NodeTable
    sequencer: SequencerTable
    batcher: BatcherTable
    oracle: OracleTable | None
    markets: tuple[MarketTable, ...]
    l1: L1Table | None

    def path(self, name: str) -> Path:
        """A path of the configuration."""
        return self.base / name

    @property
    def folder(self) -> Path:
        """The node's folder."""
        return self.path(self.node.folder)

    @property
    def socket(self) -> Path:
        """The sequencer's socket."""
        return self.path(self.node.socket)

    @property
    def limits(self) -> Limits:
        """When rounds and batches end."""
        names = Limits.__dataclass_fields__
        return Limits(**{name: getattr(self.sequencer, name) for name in names})

    @property
    def policy(self) -> Policy:
        """What goes to L1."""
        return Policy(DataForm[self.batcher.form.upper()], Carrier[self.batcher.carrier.upper()])

    @property
    def surface(self) -> Surface:
        """What oracles say besides the index. ConfigError without an oracle."""
        table = self.required_oracle
        return Surface(table.premium_ppm, table.basis_ppm, table.vol_ppm, table.expiries)

    @property
    def required_oracle(self) -> OracleTable:
        """The oracle's table. ConfigError without one."""
        if self.oracle is None:
            raise ConfigError("[oracle] is missing")
        return self.oracle

    @property
    def required_l1(self) -> L1Table:
        """The table of L1. ConfigError without one."""
        if self.l1 is None:
            raise ConfigError("[l1] is missing")
        return self.l1

    def state(self) -> State:
        """The genesis state."""
        return read_genesis(self.path(self.node.genesis))


def read_config(path: Path) -> Config:
    """The configuration of a file. ConfigError names what is wrong with it."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from error
    unknown = sorted(set(tables) - {"node", "sequencer", "batcher", "oracle", "l1"})
    if unknown:
        raise ConfigError(f"[{unknown[0]}] is unknown")
    oracle = read_table(OracleTable, tables["oracle"], "oracle") if "oracle" in tables else None
    listed = oracle.market if oracle is not None else ()
    markets = tuple(read_table(MarketTable, table, "oracle.market") for table in listed)
    config = Config(
        base=path.resolve().parent,
        node=read_table(NodeTable, tables.get("node", {}), "node"),
        sequencer=read_table(SequencerTable, tables.get("sequencer", {}), "sequencer"),
        batcher=read_table(BatcherTable, tables.get("batcher", {}), "batcher"),
        oracle=oracle,
        markets=markets,
        l1=read_table(L1Table, tables["l1"], "l1") if "l1" in tables else None,
    )
    _check(config)
    return config


def _check(config: Config) -> None:
    """What one field says of another."""
    length = len(str(config.socket).encode())
    if length > NAME_MAX:
        raise ConfigError(f"node.socket: {config.socket} has {length} bytes, max {NAME_MAX}")
    underlyings = [market.underlying for market in config.markets]
    if len(set(underlyings)) < len(underlyings):
        raise ConfigError(f"oracle.market.underlying = {underlyings}: each may have one source")
    for market in config.markets:
        if market.source != "walk" and not market.file:
            raise ConfigError(f"oracle.market.file of underlying {market.underlying} is missing")


def read_secrets(path: Path) -> list[int]:
    """The secret keys of a file of seeds. ConfigError if others may read it, or on a bad line."""
    return [secret_of_seed(seed) for seed in read_seeds(path)]


def read_seeds(path: Path) -> list[bytes]:
    """The seeds of a file that only its owner may read, one a line in hexadecimal digits."""
    try:
        mode = path.stat().st_mode
        lines = path.read_text(encoding="ascii").split()
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(f"{path}: mode {stat.S_IMODE(mode):o}: others may read it, must be 600")
    seeds = []
    for number, line in enumerate(lines, 1):
        try:
            seed = bytes.fromhex(line.removeprefix("0x"))
        except ValueError:
            raise ConfigError(f"{path}: line {number} is not hexadecimal") from None
        if len(seed) < SEED_BYTES_MIN:
            raise ConfigError(f"{path}: line {number}: {len(seed)} bytes, min {SEED_BYTES_MIN}")
        seeds.append(seed)
    if not seeds:
        raise ConfigError(f"{path}: no key")
    return seeds


def write_genesis(path: Path, state: State) -> None:
    """Write a genesis state down, as `genesis` makes it."""
    content = {
        "preset": state.preset.name,
        "time": state.system.time,
        "treasury": hex(state.accounts[FEE_ACCOUNT].owner),
        "parameters": encode(parameters_codec(state.preset), state.parameters).hex(),
    }
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read_genesis(path: Path) -> State:
    """The genesis state of a file. ConfigError if it has none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        preset = PRESETS[content["preset"]]
        parameters = decode(parameters_codec(preset), bytes.fromhex(content["parameters"]))
        return genesis(preset, parameters, int(content["treasury"], 16), int(content["time"]))
    except (OSError, ValueError, KeyError, TypeError, LawError) as error:
        raise ConfigError(f"{path}: not a genesis: {error!r}") from error
