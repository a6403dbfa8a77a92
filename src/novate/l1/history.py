"""What L1 says of the venue: the genesis, the batches that stand, what is final, the fork.

Built from events alone and in their order. Events of vanished blocks are forgotten and the rest is
gone through again: reorganisations are rare, and then nothing has to know how to undo itself.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from novate.l1.abi import Log
from novate.l1.follower import Follower, Step
from novate.l1.rpc import L1Error
from novate.spec.errors import DecodeError
from novate.spec.genesis import genesis
from novate.spec.parameters import Parameters
from novate.spec.presets import MAIN, MINIMAL, Preset
from novate.spec.public_data.codec import Reader
from novate.spec.public_data.header import Header, decode_header
from novate.spec.public_data.opening import Carrier
from novate.spec.public_data.parameters import parameters_codec
from novate.spec.state import State

PRESETS: Final = {preset.name: preset for preset in (MAIN, MINIMAL)}


class Polynomial(NamedTuple):
    """One polynomial of a batch's data."""

    carrier: Carrier
    length: int
    """Bytes."""
    value: int
    """y."""


class Commit(NamedTuple):
    """A committed batch, as its event tells it."""

    number: int
    header: Header
    polynomials: tuple[Polynomial, ...]
    data_polynomials: int
    """The first so many carry the data."""
    hash: bytes
    """Under which the contract keeps it."""
    struct: Any
    """`CommittedBatch`, to be handed back to the contract."""
    block: int
    transaction: str
    sequencer: int

    @property
    def withdrawals_root(self) -> bytes:
        """Root of its payments; zero for none."""
        return bytes(self.struct[1])


class GenesisOnL1(NamedTuple):
    """What `Began` publishes of the first state."""

    preset: Preset
    treasury: int
    time: int
    settlement_root: bytes
    root: bytes
    """Both as 32 bytes, four little-endian elements."""


@dataclass
class History:
    """The venue on L1, as far as its events were read."""

    logs: list[Log] = field(default_factory=list)
    began: GenesisOnL1 | None = None
    parameters: list[tuple[bytes, bytes]] = field(default_factory=list)
    """Digest and bytes of all parameters ever in force; the first are those of genesis."""
    standing: dict[int, Commit] = field(default_factory=dict)
    """Batches that are committed and not reverted, by number; 0 is the genesis."""
    challengers: dict[int, int] = field(default_factory=dict)
    """Challenger of each open contest, by batch."""
    proven: set[int] = field(default_factory=set)
    finalized: int = 0
    finality: list[tuple[int, int]] = field(default_factory=list)
    """L1 block in which each batch became final, and its number."""
    fork: int = 0
    reverts: int = 0
    frozen: bool = False

    @property
    def committed(self) -> int:
        """Number of the last standing batch."""
        return max(self.standing, default=0)

    def take(self, step: Step) -> None:
        """Take over what a follower found."""
        if step.kept is not None:
            kept = [log for log in self.logs if log.block <= step.kept]
            vars(self).update(vars(History()))  # all of it follows from the logs
            for log in kept:
                self._apply(log)
        for log in step.logs:
            self._apply(log)

    def follow(self, follower: Follower) -> bool:
        """Take over everything there is; whether anything happened."""
        happened = False
        while (step := follower.step()) is not None:
            self.take(step)
            happened = True
        return happened

    def _apply(self, log: Log) -> None:
        """One event; those that say nothing of batches are only kept."""
        self.logs.append(log)
        values = log.arguments
        match log.name:
            case "Began":
                self.began = _began(values["genesis"])
            case "ParametersActivated":
                self.parameters.append((bytes(values["digest"]), bytes(values["parameters"])))
            case "BatchCommitted":
                commit = commit_of(log)
                self.standing[commit.number] = commit
            case "BatchChallenged":
                self.challengers[values["number"]] = values["challenger"]
            case "BatchProven":
                self.proven.add(values["number"])
                self.challengers.pop(values["number"], None)
            case "BatchFinalized":
                self.finalized = values["number"]
                self.finality.append((log.block, self.finalized))
            case "BatchReverted":
                self._revert(values["number"], values["newFork"])
            case "Frozen":
                self.frozen = True

    def _revert(self, number: int, fork: int) -> None:
        """Batches from `number` on are gone."""
        for gone in [found for found in self.standing if found >= number]:
            del self.standing[gone]
            self.challengers.pop(gone, None)
            self.proven.discard(gone)
        self.fork = fork
        self.reverts += 1

    def finalized_by(self, block: int) -> int:
        """Number of the last batch that was final at an L1 block."""
        place = bisect_right(self.finality, (block, 2**32))
        return self.finality[place - 1][1] if place else 0

    def first_state(self) -> State:
        """The state of batch 0, from L1 alone. L1Error unless its roots are those published."""
        began = self.began
        if began is None or not self.parameters:
            raise L1Error("the events of the deployment are missing: begin at an earlier block")
        parameters = read_parameters(self.parameters[0][1], began.preset)
        return genesis(began.preset, parameters, began.treasury, began.time)


def read_parameters(data: bytes, preset: Preset) -> Parameters:
    """The parameters of exactly these bytes. L1Error if there are none."""
    try:
        reader = Reader(data)
        parameters = parameters_codec(preset).read(reader)
        reader.finish()
    except DecodeError as error:
        raise L1Error(f"parameters on L1: {error}") from error
    return parameters


def _began(values: Any) -> GenesisOnL1:
    """The genesis of the event. L1Error on a preset that this version does not know."""
    name, treasury, time, settlement_root, root = values
    if name not in PRESETS:
        raise L1Error(f"preset = {name!r}: this version knows {', '.join(PRESETS)}")
    return GenesisOnL1(PRESETS[name], treasury, time, bytes(settlement_root), bytes(root))


def commit_of(log: Log) -> Commit:
    """The batch of a `BatchCommitted` event. L1Error if its header cannot be read."""
    struct = log.arguments["batch"]
    header, opening, sequencer = struct[0][0], struct[0][1], struct[0][2]
    try:
        decoded = decode_header(bytes(header))
        polynomials = tuple(
            Polynomial(Carrier(carrier), length, value) for carrier, length, value in opening[3]
        )
    except (DecodeError, ValueError) as error:
        raise L1Error(f"batch {log.arguments['number']}: {error}") from error
    return Commit(
        number=log.arguments["number"],
        header=decoded,
        polynomials=polynomials,
        data_polynomials=opening[2],
        hash=bytes(log.arguments["batchHash"]),
        struct=struct,
        block=log.block,
        transaction=log.transaction,
        sequencer=sequencer,
    )
