"""`novate demo`: a venue that settles on a real chain, from deposit to withdrawal, on one machine.

An embedded anvil holds the contracts; the node runs in processes of its own; the demo is everybody
else: wallets that deposit, traders that sign, oracles' data, a liar and its challenger.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from types import FrameType
from typing import TypeVar

from novate.l1.abi import ContractError
from novate.l1.anvil import Anvil
from novate.l1.deploy import describe
from novate.l1.history import Commit
from novate.l1.payments import claims_of
from novate.l1.wallet import GAS_MAX, Transaction
from novate.lab.demo_audit import Audit, costs, judge, may_withdraw
from novate.lab.demo_chain import ETHER, SEQUENCER, TERMS, DemoChain
from novate.lab.demo_data import DemoData, load
from novate.lab.demo_fraud import Fraud, FraudAct
from novate.lab.demo_kills import Kills
from novate.lab.demo_market import cast, demo_parameters, oracle_wallets, reports
from novate.lab.demo_node import DemoNode, NodeFailed
from novate.lab.demo_story import L1_LIMIT_S, PERPETUAL, Story
from novate.lab.demo_table import Ending, show
from novate.lab.market_replay import ReplaySettings
from novate.lab.progress import Progress
from novate.native import NativePrimitives
from novate.node.archive import Archive
from novate.node.config import read_config
from novate.node.log import read_log
from novate.node.port import engine_kit
from novate.node.receipts import Receipt
from novate.node.restart import log_folder
from novate.spec.commitment import commit
from novate.spec.public_data.header import DataForm
from novate.spec.state import State

SESSION_S = 180
"""Enough for minutes, not more: every second of it brings 1,300 signed messages."""
BEFORE_S = 3_600
"""Genesis is this long before the session."""
Result = TypeVar("Result")


class Demo:
    """Chain, node and story of one run."""

    def __init__(
        self, data: DemoData, folder: Path, anvil: Anvil, progress: Progress, kills: Kills
    ) -> None:
        """Deploy the contracts and configure the node; nothing trades yet."""
        self.progress = progress
        self.chain = DemoChain(anvil)
        genesis = self.chain.deploy(demo_parameters(oracle_wallets()), data.start - BEFORE_S)
        sequencer = self.chain.wallet(SEQUENCER)
        self.chain.send(sequencer, "settlement", "addBalance", value=1_000 * ETHER)
        self.genesis: State = genesis
        self.node = DemoNode(folder, self.chain.deployment, genesis)
        self.node.write_reports(reports(data))
        self.story = Story(data, cast(), self.chain, self.node, progress, kills)
        self.claimed = self.claims = 0
        self.diff_error = ""

    def play(self) -> Ending:
        """All acts."""
        story = self.story
        self._act("opening: deposits and keys on L1, first snapshots", story.opening)
        self.kit = engine_kit(read_config(self.node.config).node.engine)
        self.audit = Audit(self.chain, self.kit, self.node.folder / "rebuilt")
        seconds = story.data.seconds
        self._act(f"session: {seconds} s of order flow, options quoted and taken", story.session)
        self._act("expiry: averaging window, settlement, payment", story.expiry)
        self._act("crash hour: liquidations", story.crash)
        self._act("leaving: withdrawals, final on L1, claimed by their owners", self._leave)
        fraud = self._act("fraud: a sequencer posts a wrong root", self._defraud)
        self._act("going on: diff batches under the new fork", self._go_on)
        return self._act(
            "judging: the specification over every batch, the state from L1",
            lambda: self._judge(fraud),
        )

    def _act(self, title: str, act: Callable[[], Result]) -> Result:
        """Play an act under its title; what it returns."""
        self.progress.stage(title)
        started = perf_counter()
        result = act()
        self.story.acts_s[title.split(":")[0]] = perf_counter() - started
        return result

    def _go_on(self) -> None:
        """Trade under the new fork; differences go to L1 and stay without finality."""
        self.story.settle(self.story.again(self.chain.history().fork))
        self._try_to_finalize_diff()

    def _leave(self) -> None:
        """Withdraw, let the windows pass, claim."""
        story = self.story
        story.settle(story.client.stand().batch)
        with story.timed("the state from L1 alone"):
            state = self.audit.state()
        story.leaving(may_withdraw(state, story.roles.takers))
        last = story.client.stand().batch
        story.settle(last)
        self.chain.control.mine(TERMS.challenge_window + 1)
        with story.timed("waiting for batches to be on L1"):
            history = self.chain.wait_for(
                "finality", lambda h: h.finalized == h.committed, L1_LIMIT_S
            )
        self.progress.say(
            f"{history.finalized} batches final on L1 after a window of {TERMS.challenge_window} "
            "blocks without a challenge"
        )
        settlement = self.chain.contract("settlement")
        for number in range(1, history.finalized + 1):
            batch = history.standing[number]
            if any(batch.withdrawals_root):
                claims = claims_of(self.chain.l1, settlement, batch)
                self.claimed += self.chain.claim(claims)
                self.claims += len(claims)
        self.progress.say(f"{self.claims} owners claimed {self.claimed / 1e6:,.2f} USDC on L1")

    def _defraud(self) -> Fraud:
        """The lie and its end; the node follows L1 to the new fork."""
        vault = self.chain.vault_balance()
        fraud = FraudAct(self.chain, self.kit, self.audit, self.progress).play()
        limit = time.monotonic() + L1_LIMIT_S
        while self.story.client.stand().fork != self.chain.history().fork:
            if time.monotonic() > limit:
                raise NodeFailed("the node does not follow L1 to the new fork")
            time.sleep(0.02)
        state = self.audit.state()
        stand = self.story.client.stand()
        lost = vault - self.chain.vault_balance()
        self.progress.say(
            f"the node went back to batch {stand.batch}, the last that stands; the vault has lost "
            f"{lost} micro-USDC, {state.system.account_count} accounts are as they were"
        )
        return fraud

    def _try_to_finalize_diff(self) -> None:
        """A `diff` batch needs a proof, and the verifier takes none."""
        history = self.chain.history()
        batch = history.standing[history.committed]
        settlement = self.chain.contract("settlement")
        prover = self.chain.wallet(SEQUENCER).address
        data = settlement.artifact.call("prove", batch.struct, prover, b"no proof")
        try:
            self.chain.l1.simulate(Transaction(settlement.address, data, GAS_MAX), prover)
        except ContractError as error:
            self.diff_error = error.name
        self.chain.control.mine(TERMS.challenge_window + 1)
        self.progress.say(
            f"diff batches cannot become final yet: the verifier answers {self.diff_error} to "
            "every proof, and no window makes them final"
        )

    def _diff_is_final(self) -> bool:
        """Whether the contract would make the oldest `diff` batch final now, or has."""
        history = self.chain.history()
        waiting: list[Commit] = [
            batch
            for _, batch in sorted(history.standing.items())
            if batch.header.form == DataForm.DIFF
        ]
        settlement = self.chain.contract("settlement")
        first = waiting[0]
        return history.finalized >= first.number or bool(
            self.chain.l1.view(settlement, "isFinalizable", first.struct)
        )

    def _judge(self, fraud: Fraud) -> Ending:
        """The specification through every batch, the state from L1, the node's own root."""
        story = self.story
        story.traders.finish()
        stand = story.client.stand()
        root = commit(self.genesis, NativePrimitives()).root
        archive = Archive(self.node.data, self.kit, self.genesis, root)
        with story.timed("the specification over every batch"):
            judged = judge(self.chain, archive, self.progress)
        with story.timed("the state from L1 alone"):
            rebuilt = self.audit.state()
        for name, gas in node_gas(self.chain).items():
            self.chain.gas[name] = gas
        return Ending(
            story=story,
            chain=self.chain,
            fraud=fraud,
            judged=judged,
            stood_right=story.kills.stood_right(root, judged.journals),
            rebuilt=rebuilt,
            engine_root=stand.root,
            engine_batch=stand.batch,
            claimed=self.claimed,
            claims=self.claims,
            receipts_in_log=are_in_log(story.traders.receipts, self.node.data),
            diff_error=self.diff_error,
            diff_final=self._diff_is_final(),
        )


def node_gas(chain: DemoChain) -> dict[str, list[int]]:
    """Gas of what the node's submitter sent: commits by form, and finality."""
    history = chain.history()
    found: dict[str, list[int]] = {}
    sent: dict[str, str] = {}
    for number, batch in history.standing.items():
        if number:
            form = batch.header.form.name.lower()
            carrier = batch.polynomials[0].carrier.name.lower()
            sent[batch.transaction] = f"commit, {form} in {carrier}"
    for log in history.logs:
        if log.name == "BatchFinalized" and log.block > chain.deployment.block + 16:
            sent[log.transaction] = "finalize"
    for transaction, name in sent.items():
        receipt = chain.l1.receipt(transaction)
        if receipt is not None:
            found.setdefault(name, []).append(receipt.gas)
    return found


def are_in_log(receipts: Sequence[Receipt], folder: Path) -> bool:
    """Whether the log has every record of these receipts, under its number and with its history."""
    wanted = {receipt.sequence: receipt for receipt in receipts}
    found = 0
    for entry in read_log(log_folder(folder)):
        receipt = wanted.get(entry.sequence)
        if receipt is not None:
            same = receipt.record_hash, receipt.running_hash
            found += same == (entry.record_hash, entry.running_hash)
    return found == len(wanted) > 0


def run(seconds: int, keep: bool, data: DemoData | None = None, kills: Kills | None = None) -> int:
    """The whole demo, and an end to every process whatever happens."""
    started = perf_counter()
    progress = Progress()
    roles = cast()
    progress.stage("reading market data; starting the base chain, deploying the contracts")
    found = data or load(ReplaySettings(PERPETUAL, roles.perpetual_makers, roles.takers), seconds)
    for source in found.sources:
        progress.say(source)
    folder = Path(tempfile.mkdtemp(prefix="novate-demo-"))
    anvil = Anvil(timestamp=found.start - BEFORE_S, log_file=folder / "anvil.log")
    demo: Demo | None = None
    try:
        anvil.start()
        demo = Demo(found, folder, anvil, progress, kills or Kills())
        progress.say(describe(demo.chain.deployment).replace("\n", "\n           "))
        ending = demo.play()
        spent = costs(demo.chain, demo.chain.history(), ending.judged.journals)
        code = show(ending, spent, perf_counter() - started)
        if keep:
            linger(demo)
        return code
    except Exception:
        if demo is not None:
            print("\nthe node's last lines:", demo.node.last_lines(), sep="\n", file=sys.stderr)
        raise
    finally:
        before = signal.signal(
            signal.SIGINT, signal.SIG_IGN
        )  # a second Ctrl-C leaves nothing behind
        if demo is not None:
            demo.node.stop()
        anvil.stop()
        shutil.rmtree(folder, ignore_errors=True)
        signal.signal(signal.SIGINT, before)


def linger(demo: Demo) -> None:
    """Leave everything running until the user ends it."""
    deployment = demo.chain.deployment
    print("\nStill running, on this machine only; Ctrl-C ends it")
    print(f"  base chain        {demo.chain.anvil.url} (chain {deployment.chain_id})")
    print(f"  settlement        0x{deployment.addresses['settlement']:040x}")
    print(f"  node              {demo.node.config}, log {demo.node.folder / 'node.log'}")
    print(f"  sequencer         {demo.node.socket} (clock: told by whoever asks)")
    print(
        f"  rebuild           ./novate rebuild --rpc {demo.chain.anvil.url} --settlement "
        f"0x{deployment.addresses['settlement']:040x} --confirmations 0 --out DIR"
    )
    sys.stdout.flush()
    try:
        while True:
            signal.pause()
    except KeyboardInterrupt:
        return


def interrupt(number: int, frame: FrameType | None) -> None:
    """SIGTERM ends the demo as Ctrl-C does."""
    raise KeyboardInterrupt


def main(argv: Sequence[str]) -> int:
    """Run the demo; 0 if every check at the end holds, 1 if not, 130 if it was interrupted."""
    parser = argparse.ArgumentParser(prog="novate demo", description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--seconds",
        type=int,
        default=SESSION_S,
        help=f"seconds of the session to replay (default: {SESSION_S}; the recording has 345)",
    )
    parser.add_argument(
        "--keep", action="store_true", help="leave chain and node running until Ctrl-C"
    )
    arguments = parser.parse_args(argv)
    signal.signal(signal.SIGTERM, interrupt)
    try:
        return run(arguments.seconds, arguments.keep)
    except KeyboardInterrupt:
        print("\ninterrupted: everything is stopped", file=sys.stderr)
        return 130
