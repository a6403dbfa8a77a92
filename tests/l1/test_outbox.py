"""One transaction at a time: bumped, resumed after a crash, sent once whoever else sends."""

from __future__ import annotations

from pathlib import Path

import pytest

from novate.l1.anvil import Anvil
from novate.l1.client import L1
from novate.l1.files import write_atomically
from novate.l1.outbox import Fate, Outbox, Outcome
from novate.l1.rpc import L1Error, Unreachable
from novate.l1.wallet import GAS_MAX, Fees, Transaction, funded_wallet
from tests.l1.chain import START, Chain, running

PAYEE = 0xFEED
PAY = Transaction(PAYEE, b"", 30_000, 5)


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000

    def __call__(self) -> int:
        return self.now


def outbox(chain: Chain, path: Path, clock: Clock) -> Outbox:
    return Outbox(chain.l1, chain.wallet(), path / "outbox.json", clock)


def decided(box: Outbox) -> Outcome:
    """What became of the transaction, which a block holds by now."""
    outcome = box.poll()
    assert outcome is not None
    assert box.pending is None
    return outcome


def test_a_waiting_transaction_is_replaced_by_a_dearer_one(tmp_path: Path) -> None:
    clock = Clock()
    with running(Anvil(START, automine=False)) as chain:
        box = outbox(chain, tmp_path, clock)
        box.put("pay", PAY)
        assert box.pending is not None
        first = box.pending
        clock.now += 59
        assert box.poll() is None
        assert box.pending == first
        for versions in (2, 3):
            clock.now += 61
            assert box.poll() is None
            assert len(box.pending.versions) == versions
        assert box.pending.fees.tip * 100 >= first.fees.tip * 126  # 12.5 % twice
        assert box.pending.nonce == first.nonce
        chain.control.mine()
        outcome = decided(box)
        assert outcome.fate == Fate.DONE
        assert outcome.receipt is not None
        assert outcome.receipt.hash != first.versions[0]
        assert chain.l1.balance(PAYEE) == 5


def test_an_old_version_that_was_mined_counts(tmp_path: Path) -> None:
    clock = Clock()
    with running(Anvil(START, automine=False)) as chain:
        box = outbox(chain, tmp_path, clock)
        box.put("pay", PAY)
        clock.now += 61
        box.poll()
        assert box.pending is not None
        kept = box.pending
        chain.control.mine()
        box.pending = kept._replace(versions=(kept.versions[1], kept.versions[0]))
        assert decided(box).fate == Fate.DONE
        assert chain.l1.balance(PAYEE) == 5


def test_a_process_that_dies_after_writing_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    with running(Anvil(START)) as chain:
        box = outbox(chain, tmp_path, clock)

        def dies(*_: object) -> None:
            raise Unreachable("the process died here")

        with monkeypatch.context() as patch:
            patch.setattr(L1, "push", dies)
            with pytest.raises(Unreachable):
                box.put("pay", PAY)
        again = outbox(chain, tmp_path, clock)
        assert again.pending == box.pending
        assert again.poll() is None  # the node does not know it: it is sent now
        chain.l1.wait(again.pending.versions[-1])  # type: ignore[union-attr]
        assert decided(again).fate == Fate.DONE
        assert outbox(chain, tmp_path, clock).pending is None
        assert chain.l1.balance(PAYEE) == 5


def test_two_processes_of_one_account_pay_once_each_nonce(tmp_path: Path) -> None:
    clock = Clock()
    with running(Anvil(START, automine=False)) as chain:
        one = outbox(chain, tmp_path / "one", clock)
        two = outbox(chain, tmp_path / "two", clock)
        one.put("pay", PAY)
        two.put("pay more", PAY._replace(value=7))
        chain.control.mine()
        fates = {decided(one).fate, decided(two).fate}
        assert fates == {Fate.DONE, Fate.SUPERSEDED}
        assert chain.l1.balance(PAYEE) in (5, 7)
        assert chain.l1.nonce(chain.wallet().address) == 1


def test_a_revert_is_told_from_success(tmp_path: Path) -> None:
    clock = Clock()
    with running(Anvil(START)) as chain:
        # PUSH0, PUSH0, REVERT behind the shortest creation code: CODECOPY and RETURN of 3 bytes.
        code = bytes.fromhex("6003600c60003960036000f3") + bytes.fromhex("5f5ffd")
        receipt = chain.l1.transact(chain.wallet(), Transaction(None, code, 100_000))
        box = outbox(chain, tmp_path, clock)
        box.put("fail", Transaction(receipt.created, b"", 50_000))
        assert box.pending is not None
        chain.l1.wait(box.pending.versions[0])
        outcome = decided(box)
        assert outcome.fate == Fate.FAILED
        assert "Reverted" in outcome.error


def test_a_node_that_lost_its_pool_is_told_again(tmp_path: Path) -> None:
    clock = Clock()
    with running(Anvil(START, automine=False)) as chain:
        box = outbox(chain, tmp_path, clock)
        box.put("pay", PAY)
        chain.l1.rpc.call("anvil_dropAllTransactions")
        assert box.poll() is None
        chain.control.mine()
        assert decided(box).fate == Fate.DONE


def test_one_at_a_time_and_within_l1_s_gas(tmp_path: Path) -> None:
    with running(Anvil(START, automine=False)) as chain:
        box = outbox(chain, tmp_path, Clock())
        with pytest.raises(L1Error, match=f"gas = {GAS_MAX + 1}"):
            box.put("much", PAY._replace(gas=GAS_MAX + 1))
        box.put("pay", PAY)
        with pytest.raises(L1Error, match="pay is still under way"):
            box.put("again", PAY)


def test_fees_rise_by_what_nodes_ask() -> None:
    nothing = Fees(0, 0, 0)
    assert Fees(8, 80).bumped(nothing) == Fees(9, 90)
    assert Fees(1, 1).bumped(nothing) == Fees(2, 2)
    assert Fees(8, 80, 3).bumped(nothing) == Fees(16, 160, 6)
    assert Fees(8, 80).bumped(Fees(100, 1_000)) == Fees(100, 1_000)


def test_a_damaged_file_is_an_error_not_a_fresh_start(tmp_path: Path) -> None:
    path = tmp_path / "outbox.json"
    with running(Anvil(START)) as chain:
        for content in (b"{", b"{}", b'{"label": 3}', b"5"):
            write_atomically(path, content)
            with pytest.raises(L1Error, match="outbox"):
                Outbox(chain.l1, chain.wallet(), path, Clock())


def test_wallets_never_show_their_key() -> None:
    wallet = funded_wallet(0, 31337)
    assert repr(wallet) == "L1Wallet(0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266)"
    assert wallet.sign(PAY, 0, Fees(1, 2)) == wallet.sign(PAY, 0, Fees(1, 2))


def test_fees_follow_a_base_fee_that_rises(tmp_path: Path) -> None:
    clock = Clock()
    with running(Anvil(START, automine=False)) as chain:
        box = outbox(chain, tmp_path, clock)
        box.put("pay", PAY)
        chain.control.set_base_fee(100 * 10**9)
        chain.control.mine()
        assert box.poll() is None  # no block can hold what it offers
        clock.now += 61
        assert box.poll() is None
        assert box.pending is not None
        assert box.pending.fees.maximum > 100 * 10**9
        chain.control.mine()
        assert decided(box).fate == Fate.DONE
        assert chain.l1.balance(PAYEE) == 5


def test_no_fee_is_raised_beyond_the_cap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("novate.l1.outbox.FEE_CAP", 10**9)
    with running(Anvil(START, automine=False)) as chain:
        box = outbox(chain, tmp_path, clock)
        box.put("pay", PAY)
        kept = box.pending
        clock.now += 61
        assert box.poll() is None
        assert box.pending == kept


def test_a_transaction_behind_one_that_vanished_is_given_up(tmp_path: Path) -> None:
    with running(Anvil(START)) as chain:
        box = outbox(chain, tmp_path, Clock())
        box.put("first", PAY)
        assert box.pending is not None
        chain.l1.wait(box.pending.versions[0])
        assert decided(box).fate == Fate.DONE
        chain.control.set_automine(False)
        box.put("second", PAY)
        chain.control.reorg(1)
        assert decided(box).fate == Fate.CUT_OFF
        box.put("again", PAY)
        chain.control.mine(2)
        assert decided(box).fate == Fate.DONE
