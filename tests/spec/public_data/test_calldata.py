"""What the contract reads: requests with outcomes, the inbox's rolling hash, payments."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from novate.spec.crypto.keccak import keccak_256
from novate.spec.journal import RequestOutcome
from novate.spec.messages.inbox import Deposit, ForcedLiquidation
from novate.spec.presets import MINIMAL
from novate.spec.public_data.calldata import (
    EMPTY_INBOX,
    Calldata,
    Processed,
    calldata_of,
    decode_calldata,
    encode_calldata,
    extend_inbox,
    inbox_after,
)
from novate.spec.public_data.withdrawals import NO_ACCOUNT, Payment
from tests.spec.public_data.mutations import assert_decodes_or_names, near
from tests.spec.public_data.samples import generated


def test_generated_batches_round_trip() -> None:
    outcomes, refunds, payments = set(), 0, 0
    for item in generated():
        calldata = calldata_of(item.journal)
        assert decode_calldata(encode_calldata(calldata), MINIMAL) == calldata
        outcomes |= {processed.outcome for processed in calldata.requests}
        payments += len(calldata.payments)
        refunds += sum(payment.account == NO_ACCOUNT for payment in calldata.payments)
    assert RequestOutcome.DONE in outcomes
    assert RequestOutcome.NO_OP in outcomes
    assert payments > refunds > 0


def test_requests_are_those_of_the_batch_and_payments_leave_the_vault() -> None:
    for item in generated():
        calldata = calldata_of(item.journal)
        requests = item.batch.rounds[0].requests
        assert tuple(processed.request for processed in calldata.requests) == requests
        paid = sum(p.amount for p in calldata.payments if p.account != NO_ACCOUNT)
        credited = sum(
            processed.request.amount
            for processed in calldata.requests
            if processed.outcome == RequestOutcome.DONE and hasattr(processed.request, "sender")
        )
        assert item.journal.after is not None
        vault = item.journal.after.system.vault
        assert vault == item.before.system.vault + credited - paid


def test_bytes_by_hand() -> None:
    calldata = Calldata(
        (
            Processed(RequestOutcome.REFUNDED, Deposit(3, 0xAA, 0xBB, 500)),
            Processed(RequestOutcome.NO_OP, ForcedLiquidation(258)),
        ),
        (Payment(NO_ACCOUNT, 0xBB, 500),),
    )
    assert encode_calldata(calldata).hex() == (
        "0002"
        + "01"  # refunded
        + ("00" + "000003" + "aa".zfill(40) + "bb".zfill(40) + "00000000000001f4")
        + "04"  # no-op
        + ("06" + "000102")
        + "00000001"
        + ("ffffffff" + "bb".zfill(40) + "00000000000001f4")
    )


def test_the_inbox_hashes_the_bytes_that_the_calldata_carry() -> None:
    deposit = Deposit(3, 0xAA, 0xBB, 500)
    calldata = Calldata((Processed(RequestOutcome.DONE, deposit),), ())
    carried = encode_calldata(calldata)[3:-4]
    assert extend_inbox(EMPTY_INBOX, deposit) == keccak_256(bytes(32) + carried)


def test_the_rolling_hash_depends_on_order_and_not_on_outcomes() -> None:
    first, second = Deposit(3, 1, 2, 500), ForcedLiquidation(4)
    done, no_op = RequestOutcome.DONE, RequestOutcome.NO_OP
    one = inbox_after(EMPTY_INBOX, Calldata((Processed(done, first), Processed(done, second)), ()))
    assert one == extend_inbox(extend_inbox(EMPTY_INBOX, first), second)
    other = Calldata((Processed(no_op, first), Processed(no_op, second)), ())
    assert inbox_after(EMPTY_INBOX, other) == one
    turned = Calldata((Processed(done, second), Processed(done, first)), ())
    assert inbox_after(EMPTY_INBOX, turned) != one


@given(st.data())
def test_bytes_near_calldata_are_refused_or_calldata(data: st.DataObject) -> None:
    item = data.draw(st.sampled_from(generated()))
    near_by = data.draw(near(encode_calldata(calldata_of(item.journal))))
    assert_decodes_or_names(lambda raw: decode_calldata(raw, MINIMAL), encode_calldata, near_by)
