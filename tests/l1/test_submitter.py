"""Batches through the real contracts: once each, whatever happens to L1, processes and blocks."""

from __future__ import annotations

from pathlib import Path

import pytest

from novate.l1.anvil import Anvil
from novate.l1.outbox import Fate, Outcome
from novate.l1.rpc import L1Error, Unreachable
from novate.l1.submitter import Began, Happened, Refused, Stale, commit_transaction
from novate.lab.venue import Venue
from novate.lab.worlds import START
from novate.spec.public_data.header import DataForm
from novate.spec.public_data.opening import Carrier
from tests.l1.venue import (
    FIRST_TRADER,
    OTHER_SEQUENCER,
    TERMS,
    L1Venue,
    deployed,
)

TRADERS = (FIRST_TRADER, FIRST_TRADER + 1)


def opened(venue: L1Venue) -> None:
    """Two funded traders with keys, in batches that open the market; nothing is sent yet."""
    reader = venue.inbox_reader()
    for account, trader in enumerate(TRADERS, 1):
        venue.join(trader)
        venue.register(trader, account)
    venue.take(reader.poll())
    for _ in range(3):
        venue.batch()


def outcomes(happened: list[Happened]) -> list[Fate]:
    return [event.fate for event in happened if isinstance(event, Outcome)]


def test_batches_are_committed_in_order_and_become_final(tmp_path: Path) -> None:
    with deployed(Anvil(START), tmp_path) as venue:
        opened(venue)
        venue.begin()
        venue.trade(1, 2)
        venue.seal()
        submitter = venue.submitter()
        happened = venue.work(submitter)
        assert outcomes(happened) == [Fate.DONE] * 4
        settlement = venue.contract("settlement")
        assert venue.l1.view(settlement, "committed") == 4
        history = venue.history()
        assert history.committed == 4
        for number in range(1, 5):
            queued = venue.queue.get(number)
            assert queued is not None
            commit = history.standing[number]
            assert commit.header == queued.header
            assert commit.struct[0][1][0] == b"".join(
                element.to_bytes(8, "little") for element in queued.digest
            )
        assert venue.work(submitter) == []
        venue.chain.control.mine(TERMS.challenge_window + 1)
        happened = venue.work(submitter)
        assert happened[0] == Began("finalize 1 to 4")
        assert outcomes(happened) == [Fate.DONE]
        assert venue.l1.view(settlement, "finalized") == 4
        venue.chain.control.mine(70)
        venue.work(submitter)
        assert venue.queue.get(4) is None
        assert venue.queue.get(1) is None


def test_blobs_carry_what_calldata_carries(tmp_path: Path) -> None:
    with deployed(Anvil(START), tmp_path) as venue:
        opened(venue)
        venue.begin()
        venue.trade(1, 2)
        venue.seal(DataForm.FULL, Carrier.BLOB)
        assert outcomes(venue.work(venue.submitter())) == [Fate.DONE] * 4
        assert venue.history().standing[4].polynomials[0].carrier == Carrier.BLOB


def test_a_reorg_that_removes_commits_makes_them_come_again(tmp_path: Path) -> None:
    with deployed(Anvil(START), tmp_path) as venue:
        opened(venue)
        submitter = venue.submitter()
        venue.work(submitter)
        roots = {n: c.header.root_after for n, c in venue.history().standing.items()}
        venue.chain.control.reorg(2)
        assert venue.l1.view(venue.contract("settlement"), "committed") < 3
        venue.work(submitter)
        assert {n: c.header.root_after for n, c in venue.history().standing.items()} == roots


def test_two_submitters_of_two_accounts_commit_each_batch_once(tmp_path: Path) -> None:
    with deployed(Anvil(START), tmp_path) as venue:
        opened(venue)
        venue.catch_up_time()
        venue.chain.control.set_automine(False)
        pair = [venue.submitter(), venue.submitter(OTHER_SEQUENCER, "other")]
        happened: list[Happened] = []
        for _ in range(40):
            happened += [event for one in pair if (event := one.step()) is not None]
            venue.chain.control.mine()
        fates = outcomes(happened)
        assert fates.count(Fate.DONE) >= 3
        assert fates.count(Fate.FAILED) >= 1  # both sent one at the same time: the later reverts
        history = venue.history()
        assert history.committed == 3
        commits = [log for log in history.logs if log.name == "BatchCommitted"]
        assert [log.arguments["number"] for log in commits] == [0, 1, 2, 3]


def test_two_submitters_of_one_account_commit_each_batch_once(tmp_path: Path) -> None:
    with deployed(Anvil(START), tmp_path) as venue:
        opened(venue)
        venue.catch_up_time()
        venue.chain.control.set_automine(False)
        pair = [venue.submitter(), venue.submitter(name="other")]
        for _ in range(40):
            for one in pair:
                one.step()
            venue.chain.control.mine()
        assert venue.history().committed == 3


def test_l1_is_stopped_and_goes_on(tmp_path: Path) -> None:
    anvil = Anvil(START, state_file=tmp_path / "chain.json")
    with deployed(anvil, tmp_path) as venue:
        opened(venue)
        submitter = venue.submitter()
        while venue.history().committed < 2:
            venue.catch_up_time()
            submitter.step()
        anvil.stop()
        with pytest.raises(Unreachable):
            submitter.step()
        anvil.start()
        venue.work(submitter)
        assert venue.history().committed == 3


def test_a_new_process_goes_on_where_the_old_one_died(tmp_path: Path) -> None:
    with deployed(Anvil(START), tmp_path) as venue:
        opened(venue)
        venue.catch_up_time()
        steps = 0
        while venue.history().committed < 3:
            venue.submitter().step()  # a process that dies after every single step
            steps += 1
            assert steps < 30


def test_a_batch_that_does_not_follow_is_not_sent(tmp_path: Path) -> None:
    with deployed(Anvil(START), tmp_path) as venue:
        opened(venue)
        submission = venue.queue.get(1)
        assert submission is not None
        for change, why in [
            ({"root_before": (1, 2, 3, 4)}, "root before"),
            ({"settlement_root_before": (1, 2, 3, 4)}, "settlement root before"),
            ({"fork": 3}, "fork = 3"),
            ({"inbox_before": 3}, "inbox before"),
        ]:
            header = submission.header._replace(**change)  # type: ignore[arg-type]
            venue.queue.put(submission._replace(header=header))
            (event,) = [venue.submitter().step()]
            assert isinstance(event, Stale)
            assert why in event.why
        assert venue.l1.nonce(venue.chain.wallet(1).address) == 1  # the bond alone


def test_what_the_contract_would_refuse_is_not_sent(tmp_path: Path) -> None:
    with deployed(Anvil(START), tmp_path) as venue:
        opened(venue)
        submission = venue.queue.get(1)
        assert submission is not None
        header = submission.header._replace(time=venue.clock + 10**6)
        venue.queue.put(submission._replace(header=header))
        event = venue.submitter().step()
        assert isinstance(event, Refused)
        assert (event.number, event.error.name) == (1, "WrongTime")
        assert event.error.arguments["time"] == venue.clock + 10**6


def test_more_calldata_than_a_transaction_takes_is_an_error_that_says_what_to_do(
    tmp_path: Path,
) -> None:
    with deployed(Anvil(START), tmp_path) as venue:
        opened(venue)
        submission = venue.queue.get(1)
        assert submission is not None
        part = submission.parts[0]._replace(data=b"\x01" * 400_000)
        large = submission._replace(parts=(part, *submission.parts[1:]))
        with pytest.raises(L1Error, match="use blobs"):
            commit_transaction(venue.contract("settlement"), venue.history().standing[0], large)


def test_after_a_revert_only_a_batch_of_the_new_fork_goes_on(tmp_path: Path) -> None:
    with deployed(Anvil(START), tmp_path) as venue:
        opened(venue)
        for _ in range(2):
            venue.begin()
            venue.trade(1, 2)
            venue.seal()
        submitter = venue.submitter()
        venue.work(submitter)
        standing = venue.history().standing
        batch, parent = standing[4].struct, standing[3].struct
        bond = TERMS.challenge_bond
        venue.send(9, "settlement", "challenge", batch, value=bond, gas=500_000)
        venue.chain.control.mine(TERMS.proof_time + 1)
        venue.send(9, "settlement", "revertContested", parent, batch, gas=1_000_000)
        history = venue.history()
        assert (history.committed, history.fork, history.challengers) == (3, 1, {})
        happened = [submitter.step() for _ in range(20)]  # the first three become final meanwhile
        assert happened[-1] == Stale(4, "fork = 0, L1 is at 1")
        venue.venue = Venue(venue.states[3], venue.world.primitives)
        venue.begin(fork=1)
        venue.trade(1, 2)
        venue.seal()
        while isinstance(submitter.step(), Stale | Began | Outcome) or submitter.outbox.pending:
            if venue.history().committed == 4:
                break
        after = venue.history()
        assert (after.committed, after.standing[4].header.fork) == (4, 1)
