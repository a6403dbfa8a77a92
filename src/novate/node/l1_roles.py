"""The roles that speak to L1: requests come in, batches go out."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Final

from novate.l1.client import L1
from novate.l1.deploy import read_deployment
from novate.l1.follower import Follower
from novate.l1.history import History
from novate.l1.inbox_reader import InboxReader
from novate.l1.outbox import Outbox, Outcome
from novate.l1.rpc import L1Error, Rpc
from novate.l1.submission import Queue
from novate.l1.submitter import Began, Happened, Refused, Stale, Submitter
from novate.l1.wallet import L1Wallet
from novate.node.client import Client
from novate.node.config import Config, read_seeds
from novate.node.l1_link import L1Link
from novate.node.venue_roles import IDLE_S, say, unix_ms

RETRY_S: Final = 1.0
"""How long a role waits when what it needs is not there: L1, the sequencer."""


def run_inbox(config: Config, stop: Event) -> None:
    """Requests and reverts of L1 go to the sequencer."""
    table = config.required_l1
    deployment = read_deployment(config.path(table.deployment))
    rpc = Rpc(table.rpc)
    contracts = [deployment.contract("settlement"), deployment.contract("parameters")]
    preset = config.state().preset
    with Client(config.socket, preset) as client:
        link = L1Link(
            InboxReader(rpc, deployment.contract("inbox"), deployment.block, table.confirmations),
            Follower(rpc, contracts, deployment.block, table.confirmations),
            History(),
            client,
            [],
            preset,
        )
        retry("inbox", stop, link.step)


def run_submitter(config: Config, stop: Event) -> None:
    """Queued batches go to L1 and become final there."""
    table = config.required_l1
    deployment = read_deployment(config.path(table.deployment))
    l1: L1 = deployment.client(Rpc(table.rpc))
    [key] = read_seeds(config.path(table.key))
    contracts = [deployment.contract("settlement"), deployment.contract("parameters")]
    submitter = Submitter(
        l1,
        contracts[0],
        Follower(l1.rpc, contracts, deployment.block, table.confirmations),
        History(),
        Queue(config.folder / "queue"),
        Outbox(
            l1,
            L1Wallet(key, deployment.chain_id),
            config.folder / "outbox.json",
            lambda: unix_ms() // 1_000,
        ),
        deployment.terms.challenge_window,
    )

    def step() -> str:
        """A line about what happened."""
        happened = submitter.step()
        return "" if happened is None else told(happened)

    retry("submitter", stop, step)


def retry(role: str, stop: Event, step: Callable[[], str]) -> None:
    """Step until stopped, say what is new, and wait where L1 cannot be reached."""
    said = ""
    while not stop.is_set():
        try:
            line, wait_s = step(), IDLE_S
        except L1Error as error:
            line, wait_s = f"{error}", RETRY_S
        if line and line != said:
            say(role, line)
        said = line or said
        stop.wait(0 if line and wait_s == IDLE_S else wait_s)


def told(happened: Happened) -> str:
    """One line about what a submitter did."""
    match happened:
        case Outcome():
            gas = "" if happened.receipt is None else f", {happened.receipt.gas} gas"
            return f"{happened.label}: {happened.fate.value}{gas} {happened.error}".rstrip()
        case Began():
            return f"{happened.label}: sent"
        case Stale():
            return f"batch {happened.number} is stale: {happened.why}"
        case Refused():
            return f"batch {happened.number} is refused: {happened.error}"
