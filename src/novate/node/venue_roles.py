"""The roles that make a venue: the sequencer behind its door, the batcher, and the oracles."""

from __future__ import annotations

import sys
import time
from threading import Event
from typing import Final

from novate.native import NativePrimitives
from novate.node.archive import Archive
from novate.node.batcher import Batcher
from novate.node.client import Client
from novate.node.config import Config, MarketTable, read_secrets
from novate.node.door import Door
from novate.node.log import Log
from novate.node.oracle import Oracle
from novate.node.port import book_factory, engine_kit
from novate.node.restart import log_folder, restart
from novate.node.sequencer import Sequencer
from novate.node.sources import Recording, Source, Walk, read_quotes, read_reports
from novate.spec.commitment import commit

IDLE_S: Final = 0.05
"""How long a role waits when there is nothing to do."""


def say(role: str, text: str) -> None:
    """One line on standard error."""
    print(f"{time.strftime('%H:%M:%S')} {role}: {text}", file=sys.stderr, flush=True)


def unix_ms() -> int:
    """The time."""
    return time.time_ns() // 1_000_000


def run_sequencer(config: Config, stop: Event) -> None:
    """The one writer, behind its door."""
    primitives = NativePrimitives()
    genesis = config.state()
    [secret] = read_secrets(config.path(config.sequencer.key))
    kit = engine_kit(config.node.engine)
    archive = Archive(config.folder, kit, genesis, commit(genesis, primitives).root)
    with Log(log_folder(config.folder)) as log:
        started = time.monotonic()
        back = restart(log, archive, genesis, kit, book_factory(config.node.book))
        say(
            "sequencer",
            f"{back.replayed} records after record {back.snapshot} replayed in "
            f"{time.monotonic() - started:.2f} s, {log.cut} torn bytes cut off",
        )
        sequencer = Sequencer(log, archive, kit, config.limits, primitives, secret, back)
        clock = unix_ms if config.node.clock == "system" else None
        door = Door(config.socket, sequencer, clock)
        try:
            while not stop.is_set():
                door.serve_once(IDLE_S)
        finally:
            door.close()
    say("sequencer", f"stopped after record {log.sequence}")


def run_batcher(config: Config, stop: Event) -> None:
    """Sealed batches become submissions."""
    primitives = NativePrimitives()
    genesis = config.state()
    root = commit(genesis, primitives).root
    kit = engine_kit(config.node.engine)
    archive = Archive(config.folder, kit, genesis, root)
    batcher = Batcher(config.folder, archive, (genesis, root), kit, config.policy, primitives)
    while not stop.is_set():
        submission = batcher.step()
        if submission is None:
            stop.wait(IDLE_S)
            continue
        header = submission.header
        say("batcher", f"batch {header.number}, {header.form.name.lower()} form, queued")


def run_oracle(config: Config, stop: Event) -> None:
    """Reports of every grid second."""
    state = config.state()
    now_ms = unix_ms()
    with Client(config.socket, state.preset) as client:
        told = config.node.clock == "told"
        now = (client.stand().time_ms if told else now_ms) // 1_000
        oracle = Oracle(
            state.parameters,
            read_secrets(config.path(config.required_oracle.keys)),
            {market.underlying: source_of(config, market, now) for market in config.markets},
            config.surface,
            NativePrimitives(),
        )
        while not stop.is_set():
            now = (client.stand().time_ms if told else unix_ms()) // 1_000
            for reports in oracle.due(now):
                reason = client.tell(reports)
                if reason:
                    say("oracle", f"market {reports.underlying}: {reason}")
            stop.wait(IDLE_S)


def source_of(config: Config, market: MarketTable, now: int) -> Source:
    """The source of a market's prices, from now on."""
    if market.source == "recording":
        return Recording(read_quotes(config.path(market.file), market.ticks_per_unit), now)
    if market.source == "reports":
        return read_reports(config.path(market.file))
    return Walk(market.seed, market.start, now, market.step_ppm)
