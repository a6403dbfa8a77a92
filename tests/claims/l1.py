"""Nothing is lost and nothing is paid twice, whatever happens to L1 and to submitters.

    novate claims l1 --seed 1 --worlds 20 --actions 80

Each world is a venue on a fresh anvil with two submitters of two accounts. A seeded sequence of
actions follows: deposits, trades, withdrawals, sealed batches in both forms and carriers, steps of
either submitter, blocks, reorganisations of 1 to 64 blocks whose transactions are dropped or kept,
L1 stopped and started from its file or hanging, submitters that die and begin anew, claims of
payments. Then everything is brought to an end and checked: every sealed batch is committed once and
final with the venue's roots, every deposit that stands on L1 was processed, every payment was paid
once (a second claim is refused), the vault holds what the venue says, and the state rebuilt from L1
alone is the venue's.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from time import monotonic

from novate.l1.abi import ContractError, load
from novate.l1.anvil import Anvil
from novate.l1.inbox_reader import InboxReader
from novate.l1.payments import CLAIM_GAS, claims_of
from novate.l1.rebuild import Rebuild, SpecificationLaw
from novate.l1.rpc import TIMEOUT_S, Unreachable, address_hex
from novate.l1.submitter import Submitter
from novate.lab.progress import Progress
from novate.lab.worlds import START, perpetual
from novate.spec.errors import LawError
from novate.spec.holders import quantity_of
from novate.spec.public_data.header import DataForm
from novate.spec.public_data.opening import Carrier
from tests.l1.test_payments import PROOF, accept
from tests.l1.test_rebuild import JSON_CODEC
from tests.l1.venue import (
    DEPOSIT,
    FIRST_TRADER,
    OTHER_SEQUENCER,
    SEQUENCER,
    TERMS,
    L1Venue,
    deployed,
)

REORG_MAX = 64
CONFIRMATIONS = REORG_MAX
"""The venue takes over requests that no reorganisation here can remove."""
TRADERS = tuple(range(FIRST_TRADER, FIRST_TRADER + 6))
LONGEST_TERMS = replace(TERMS, proof_deadline=50_000, pending_max=512)
"""No batch runs into its deadline: reverts are other tests' matter."""
CLAIMER = 9
HANG_TIMEOUT_S = 0.3


class Storm:
    """One world and what happens to it."""

    def __init__(self, venue: L1Venue, rng: Random, counts: Counter[str]) -> None:
        """Begin with an open market and a few accounts, deeper than any reorganisation goes."""
        self.venue = venue
        self.rng = rng
        self.counts = counts
        self.reader: InboxReader = venue.inbox_reader(CONFIRMATIONS)
        self.pair = [self.submitter(SEQUENCER), self.submitter(OTHER_SEQUENCER)]
        self.forms: list[DataForm] = []
        self.reorganised = False
        self.accounts = 1
        """Accounts the venue knows; the first is the treasury's."""
        for account, trader in enumerate(TRADERS[:4], 1):
            venue.join(trader)
            venue.register(trader, account)
        venue.chain.control.mine(2 * REORG_MAX)
        for _ in range(3):
            self.batch()

    def submitter(self, account: int) -> Submitter:
        """A submitter of an account, fresh but for its file."""
        made = self.venue.submitter(account, f"submitter {account}")
        made.proofs = lambda batch: PROOF if batch.header.form == DataForm.DIFF else None
        return made

    def act(self) -> None:
        """Something happens."""
        actions = {
            "deposit": (8, self.deposit),
            "batch": (16, self.batch),
            "submit": (34, self.submit),
            "mine": (16, self.mine),
            "reorg": (8, self.reorg),
            "stop": (3, self.stop),
            "die": (5, self.die),
            "claim": (8, self.claim_some),
        }
        names = list(actions)
        (name,) = self.rng.choices(names, [actions[name][0] for name in names])
        actions[name][1]()
        self.counts[name] += 1

    def deposit(self) -> None:
        """A trader opens an account and binds its key, or pays into one of the first."""
        venue, inbox = self.venue, self.venue.contract("inbox")
        trader = self.rng.choice(TRADERS)
        opened: int = venue.l1.view(inbox, "nextAccount")
        if opened < 20 and self.rng.random() < 0.7:
            venue.join(trader)
            venue.register(trader, opened)
        elif opened > 1:
            venue.fund(trader, 1_000)
            owner = venue.chain.wallet(trader).address
            venue.send(trader, "inbox", "deposit", 1, owner, 1_000, value=10**16)

    def batch(self) -> None:
        """Seal a batch of whatever is possible, in a form and a carrier."""
        venue, rng = self.venue, self.rng
        venue.take(self.reader.poll())
        slots_known = not self.forms or self.forms[-1] == DataForm.FULL
        form = rng.choice(list(DataForm))
        venue.begin(reset_slots=form == DataForm.FULL and not slots_known)
        traded = self.trades()
        if rng.random() < 0.6:
            self.withdrawal()
        carrier = Carrier.BLOB if rng.random() < 0.1 else Carrier.CALLDATA
        venue.seal(form, carrier)
        self.forms.append(form)
        self.counts[f"{form.name} {carrier.name}"] += 1
        self.counts["trade"] += traded
        self.accounts = venue.venue.state.system.account_count

    def trades(self) -> int:
        """A few trades between accounts with keys; how many the law took."""
        taken = 0
        for _ in range(self.rng.randint(0, 3)):
            if self.accounts < 3:
                break
            buyer, seller = self.rng.sample(range(1, self.accounts), 2)
            try:
                self.venue.trade(buyer, seller)
                taken += 1
            except LawError as error:
                self.counts[f"refused: {error.reason}"] += 1
        return taken

    def withdrawal(self) -> None:
        """A withdrawal of someone, if the law takes it."""
        if self.accounts < 2:
            return
        try:
            amount = self.rng.randint(1, DEPOSIT // 50)
            self.venue.withdraw(self.rng.randrange(1, self.accounts), amount)
            self.counts["withdrawal"] += 1
        except LawError as error:
            self.counts[f"refused: {error.reason}"] += 1

    def submit(self) -> None:
        """A few steps of either submitter, without waiting for the other."""
        self.venue.catch_up_time()
        for _ in range(self.rng.randint(1, 4)):
            self.prove_all()
            happened = self.rng.choice(self.pair).step()
            if happened is not None:
                self.counts[type(happened).__name__] += 1

    def prove_all(self) -> None:
        """The stand-in verifier takes the proof of every `diff` batch, for either payee."""
        venue = self.venue
        history = venue.history()
        for number, batch in history.standing.items():
            if batch.header.form == DataForm.DIFF and number not in history.proven:
                for account in (SEQUENCER, OTHER_SEQUENCER):
                    accept(venue, batch, account)

    def mine(self) -> None:
        """Blocks go by."""
        self.venue.chain.control.mine(self.rng.randint(1, 30))

    def reorg(self) -> None:
        """The latest blocks are replaced."""
        depth = self.rng.choice([1, 2, 8, REORG_MAX, self.rng.randint(1, REORG_MAX)])
        depth = min(depth, self.venue.l1.height() - self.venue.chain.anvil.start_height)
        if depth > 0:
            self.reorganised = True
            self.venue.chain.control.reorg(depth, self.rng.choice(["none", "all"]))
            self.counts[
                f"reorg of {'1' if depth == 1 else '2 to 16' if depth <= 16 else '17 to 64'}"
            ] += 1

    def stop(self) -> None:
        """L1 stops or hangs, submitters run into it, L1 goes on.

        It is stopped and started from its file only while no block was ever replaced: anvil's files
        lose blocks after a reorganisation.
        """
        anvil, rpc = self.venue.chain.anvil, self.venue.l1.rpc
        leave, back = (anvil.freeze, anvil.thaw) if self.reorganised else (anvil.stop, anvil.start)
        leave()
        rpc.close()
        rpc.timeout_s = HANG_TIMEOUT_S
        for submitter in self.pair:
            try:
                submitter.step()
            except Unreachable:
                self.counts["unreachable"] += 1
        rpc.close()
        rpc.timeout_s = TIMEOUT_S
        back()
        self.counts["hung" if self.reorganised else "stopped"] += 1

    def die(self) -> None:
        """A submitter dies and begins anew from its file."""
        place = self.rng.randrange(2)
        self.pair[place] = self.submitter((SEQUENCER, OTHER_SEQUENCER)[place])

    def claim_some(self) -> None:
        """Claims of the payments of some final batch; what was paid before is refused."""
        history = self.venue.history()
        if history.finalized == 0:
            return
        number = self.rng.randint(1, history.finalized)
        for claim in self.claims(number):
            try:
                self.venue.send(CLAIMER, "vault", "claim", *claim, gas=CLAIM_GAS)
                self.counts["claimed"] += 1
            except ContractError as error:
                self.counts[f"claim refused: {error.name}"] += 1

    def claims(self, number: int) -> list[tuple[object, ...]]:
        """The claims of a batch."""
        settlement = self.venue.contract("settlement")
        batch = self.venue.history().standing[number]
        return [tuple(claim) for claim in claims_of(self.venue.l1, settlement, batch)]

    def finish(self) -> None:
        """Bring everything to an end: requests processed, batches final, payments claimed."""
        venue = self.venue
        venue.chain.control.mine(CONFIRMATIONS + 1)
        venue.take(self.reader.poll())
        while venue.waiting or venue.venue.state.system.inbox_cursor < self.reader.length:
            self.batch()
        sealed = venue.venue.state.system.batch_number
        for _ in range(40 * sealed + 40):
            if venue.history().finalized == sealed:
                break
            venue.catch_up_time()
            self.prove_all()
            for submitter in self.pair:
                submitter.step()
            venue.chain.control.mine(TERMS.challenge_window // 4)
        assert venue.history().finalized == sealed, f"not every batch is final: {self.stuck()}"
        for number in range(1, sealed + 1):
            for claim in self.claims(number):
                if not venue.l1.view(venue.contract("vault"), "isClaimed", number, claim[4]):
                    venue.send(CLAIMER, "vault", "claim", *claim, gas=CLAIM_GAS)

    def stuck(self) -> str:
        """What holds the oldest batch up that is not final: as events tell it, and the contract."""
        venue, history = self.venue, self.venue.history()
        settlement = venue.contract("settlement")
        number = history.finalized + 1
        found = [f"{history.finalized} final, {history.committed} committed"]
        for name in ("finalized", "committed"):
            found.append(f"contract: {name} {venue.l1.view(settlement, name)}")
        if number in history.standing:
            batch = history.standing[number]
            proven = number in history.proven, venue.l1.view(settlement, "isProven", number)
            same = venue.l1.view(settlement, "batchHash", number) == batch.hash
            ready = venue.l1.view(settlement, "isFinalizable", batch.struct)
            found.append(
                f"batch {number}: {batch.header.form.name} of block {batch.block}, "
                f"proven {proven}, "
                f"hash as in the contract {same}, finalizable {ready}, block {venue.l1.height()}"
            )
        for one in self.pair:
            under_way = one.outbox.pending and one.outbox.pending.label
            known = one.history.finalized
            found.append(f"submitter: {known} final, under way {under_way}, last {one.step()}")
        return "; ".join(found)

    def check(self, folder: Path) -> None:
        """AssertionError if anything was lost or paid twice."""
        venue, history = self.venue, self.venue.history()
        state = venue.venue.state
        number = state.system.batch_number
        assert history.committed == history.finalized == number, "every batch is final"
        commits = [log for log in history.logs if log.name == "BatchCommitted"]
        assert [log.arguments["number"] for log in commits] == [*range(number + 1)], "once each"
        for place, batch in history.standing.items():
            expected = venue.states[place].roots
            if place:
                assert expected is not None
                assert batch.header.root_after == expected.root, f"root of batch {place}"
        inbox, vault = venue.contract("inbox"), venue.contract("vault")
        assert venue.l1.view(inbox, "length") == state.system.inbox_cursor, "requests"
        self.check_money(venue.l1.view(vault, "holdings"), number)
        law = SpecificationLaw
        rebuilt = Rebuild(
            venue.l1.rpc,
            load("Settlement"),
            folder,
            law=lambda begun: law(begun, venue.world.primitives),
            codec=JSON_CODEC,
            primitives=venue.world.primitives,
        ).catch_up(history)
        exact = self.forms[-1] == DataForm.FULL
        assert rebuilt == (state if exact else replace(state, slots={})), "rebuilt from L1"

    def check_money(self, holdings: int, batches: int) -> None:
        """What left is what was owed, once; what is there is what the venue says."""
        venue = self.venue
        owed: Counter[int] = Counter()
        for number in range(1, batches + 1):
            for claim in self.claims(number):
                _, recipient, amount = claim[3]  # type: ignore[misc]
                owed[recipient] += amount
                try:
                    venue.send(CLAIMER, "vault", "claim", *claim, gas=CLAIM_GAS)
                except ContractError as error:
                    assert error.name == "AlreadyClaimed", error
                else:
                    raise AssertionError(f"a payment of batch {number} was paid twice")
        assert self.paid() == owed, "everybody got what was owed, once"
        state = venue.venue.state
        assert holdings == state.system.vault, "the vault holds V"
        holders = [*state.accounts.values(), *(market.fund for market in state.markets)]
        lots = sum(quantity_of(holder.positions, perpetual(0)) for holder in holders)
        assert lots == 0, "lots"

    def paid(self) -> Counter[int]:
        """Tokens that the vault sent, by recipient, from the token's own events."""
        venue, token = self.venue, self.venue.token
        query = {"fromBlock": "0x0", "toBlock": "latest", "address": address_hex(token.address)}
        paid: Counter[int] = Counter()
        for raw in venue.l1.rpc.call("eth_getLogs", query):
            log = token.artifact.log(raw)
            if log is not None and log.arguments.get("from") == venue.deployment.addresses["vault"]:
                paid[log.arguments["to"]] += log.arguments["amount"]
        return paid


def run_world(seed: int, number: int, actions: int, counts: Counter[str]) -> None:
    """One world; AssertionError if the claim fails in it."""
    rng = Random(f"l1 {seed} {number}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        anvil = Anvil(START, state_file=folder / "chain.json")
        with deployed(anvil, folder, "ChosenVerifier", LONGEST_TERMS) as venue:
            storm = Storm(venue, rng, counts)
            for _ in range(actions):
                storm.act()
            storm.finish()
            storm.check(folder / "rebuilt")
            counts["batches"] += venue.venue.state.system.batch_number


def main(argv: Sequence[str] | None = None) -> int:
    """Run the worlds; 1 if one fails, and its seed is named."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--worlds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="number of the first world")
    parser.add_argument("--actions", type=int, default=80)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args(argv)
    counts: Counter[str] = Counter()
    progress, started, failed = Progress(), monotonic(), []
    for number in range(chosen.first, chosen.first + chosen.worlds):
        try:
            run_world(chosen.seed, number, chosen.actions, counts)
        except AssertionError as error:
            failed.append({"world": number, "error": str(error)})
            progress.say(f"world {number} of seed {chosen.seed} FAILED: {error}")
        done = number - chosen.first + 1
        progress.say(f"{done} of {chosen.worlds} worlds, {monotonic() - started:.0f} s")
    summary = {"seed": chosen.seed, "worlds": chosen.worlds, "actions": chosen.actions}
    summary |= {"failed": failed, "counts": dict(sorted(counts.items()))}
    text = json.dumps(summary, indent=1)
    print(text)
    if chosen.out:
        chosen.out.write_text(text + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
