"""The `full` form: exact both ways, one encoding a batch, replay gives the exact state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from types import UnionType
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novate.native import NativePrimitives
from novate.spec.bounds import NONCE_MAX, PPM_SIGNED_MAX, PRICE_MAX, QUANTITY_MAX, TIME_MAX
from novate.spec.crypto import goldilocks, scalar
from novate.spec.errors import DecodeError
from novate.spec.messages import account as acts
from novate.spec.messages import batch as batches
from novate.spec.messages import inbox
from novate.spec.messages.batch import Batch, Fill, MarketReports, Round, SideKind, SideOf, Trade
from novate.spec.messages.oracle import Report, SignedReport
from novate.spec.messages.orders import (
    Authorization,
    Certificate,
    Order,
    Quote,
    Sheet,
    SignedOrder,
    SignedSheet,
)
from novate.spec.presets import MINIMAL
from novate.spec.primitives import Signature
from novate.spec.public_data.acts import CHANGE, DUE, MOVE
from novate.spec.public_data.codec import Tagged
from novate.spec.public_data.full import decode_full, encode_full, replay_full
from novate.spec.public_data.orders import ORDER, ORDER_BYTES_MIN
from novate.spec.public_data.requests import REQUEST
from novate.spec.smile import NODES
from novate.spec.state import ExpiryFields
from tests.spec.public_data.mutations import assert_decodes_or_names, near
from tests.spec.public_data.samples import generated

ELEMENT = st.integers(0, goldilocks.P - 1)
KEY = st.tuples(*[ELEMENT] * 5)
SIGNATURE = st.builds(Signature, ELEMENT, ELEMENT, st.integers(0, scalar.N - 1))
ACCOUNT = st.integers(0, 2**24 - 1)
INSTRUMENT = st.integers(0, 2**50 - 1)
PRICE = st.integers(0, PRICE_MAX)
QUANTITY = st.integers(0, QUANTITY_MAX)
LOTS = st.integers(1, QUANTITY_MAX)
TIME = st.integers(0, TIME_MAX)
ADDRESS = st.integers(0, 2**160 - 1)
AMOUNT = st.integers(0, 2**63 - 1)
SLOT = st.integers(0, 2**16 - 1)
NONCE = st.integers(1, NONCE_MAX)
PPM = st.integers(-PPM_SIGNED_MAX, PPM_SIGNED_MAX)
REPLAY = {"slot": SLOT, "nonce": NONCE, "good_till": TIME}

CERTIFICATE = st.builds(Certificate, KEY, st.integers(0, 3), TIME, SIGNATURE)
AUTHORIZATION = st.builds(Authorization, SIGNATURE, st.none() | CERTIFICATE)
ORDERS = st.builds(
    SignedOrder,
    st.builds(
        Order,
        ACCOUNT,
        INSTRUMENT,
        st.booleans(),
        PRICE,
        LOTS,
        SLOT,
        NONCE,
        TIME,
        PPM,
        st.just(0) | PRICE,
        st.integers(0, 31),
    ),
    AUTHORIZATION,
)
SHEETS = st.builds(
    SignedSheet,
    st.builds(
        Sheet,
        ACCOUNT,
        SLOT,
        NONCE,
        TIME,
        PPM,
        st.lists(
            st.builds(Quote, INSTRUMENT, PRICE, QUANTITY, PRICE, QUANTITY), min_size=1, max_size=4
        ).map(tuple),
    ),
    AUTHORIZATION,
)
SIDES = st.one_of(
    st.builds(SideOf, st.just(SideKind.ORDER), ACCOUNT, st.just(0)),
    st.builds(SideOf, st.just(SideKind.QUOTE), ACCOUNT, st.integers(0, 255)),
    st.builds(SideOf, st.just(SideKind.LIQUIDATION), ACCOUNT, st.just(0)),
    st.just(SideOf(SideKind.FUND)),
)
FILLS = st.builds(Fill, INSTRUMENT, PRICE, QUANTITY, SIDES, SIDES, st.booleans())
TRADES = st.builds(Trade, st.lists(FILLS, min_size=1, max_size=3).map(tuple))
REQUESTS = st.one_of(
    st.builds(inbox.Deposit, ACCOUNT, ADDRESS, ADDRESS, AMOUNT),
    st.builds(inbox.FundDeposit, st.integers(0, 255), ADDRESS, AMOUNT),
    st.builds(inbox.RegisterKey, ACCOUNT, ADDRESS, KEY),
    st.builds(inbox.AllowOwner, ACCOUNT, ADDRESS, ADDRESS),
    st.builds(inbox.ForcedWithdrawal, ACCOUNT, ADDRESS, AMOUNT),
    st.builds(inbox.ForcedClose, ACCOUNT, ADDRESS, INSTRUMENT),
    st.builds(inbox.ForcedLiquidation, ACCOUNT),
    st.builds(inbox.ForcedCancel, ACCOUNT, ADDRESS),
)
CHANGES = st.one_of(
    st.builds(acts.SignedRotateKey, st.builds(acts.RotateKey, ACCOUNT, KEY), AUTHORIZATION),
    st.builds(acts.SignedCancelAll, st.builds(acts.CancelAll, ACCOUNT), AUTHORIZATION),
    st.builds(acts.SetTier, ACCOUNT, st.integers(0, 255)),
)
DUES = st.one_of(
    st.builds(batches.Touch, ACCOUNT),
    st.builds(batches.Liquidate, ACCOUNT),
    st.builds(batches.DeleverageFund, st.integers(0, 255)),
)
MOVES = st.one_of(
    st.builds(
        acts.SignedTransfer,
        st.builds(acts.Transfer, ACCOUNT, ACCOUNT, AMOUNT, **REPLAY),
        AUTHORIZATION,
    ),
    st.builds(
        acts.SignedMovePosition,
        st.builds(
            acts.MovePosition,
            ACCOUNT,
            ACCOUNT,
            INSTRUMENT,
            st.integers(-QUANTITY_MAX, QUANTITY_MAX),
            **REPLAY,
        ),
        AUTHORIZATION,
    ),
    st.builds(
        acts.SignedWithdrawal,
        st.builds(acts.Withdrawal, ACCOUNT, AMOUNT, AMOUNT, **REPLAY),
        AUTHORIZATION,
    ),
)


@st.composite
def quorums(draw: st.DrawFn) -> MarketReports:
    """One to four reports of one market that share time and days."""
    underlying = draw(st.integers(0, 255))
    time = draw(st.integers(1, TIME_MAX))
    days = sorted(draw(st.sets(st.integers(1, 2**16 - 1), max_size=3)))
    reports = []
    for _ in range(draw(st.integers(1, 4))):
        expiries = tuple(
            ExpiryFields(
                day,
                draw(st.integers(-999_999, PPM_SIGNED_MAX)),
                draw(st.tuples(*[st.integers(1, 2**24 - 1)] * NODES)),
            )
            for day in days
        )
        price, premium, mean = (draw(field) for field in (LOTS, PPM, LOTS))
        report = Report(underlying, time, price, premium, mean, expiries)
        reports.append(SignedReport(draw(st.integers(0, 255)), report, draw(SIGNATURE)))
    return MarketReports(underlying, tuple(reports))


def few(items: st.SearchStrategy[Any], most: int = 2) -> st.SearchStrategy[tuple[Any, ...]]:
    """A short tuple."""
    return st.lists(items, max_size=most).map(tuple)


ROUNDS = st.builds(
    Round,
    TIME,
    few(quorums()),
    few(REQUESTS),
    few(CHANGES),
    few(DUES),
    few(ORDERS),
    few(SHEETS),
    few(TRADES),
    few(MOVES),
)
COUNTER = st.integers(0, 2**32 - 1)
PARAMETERS = st.sampled_from([None, *(item.before.parameters for item in generated()[:3])])
BATCHES = st.builds(
    Batch,
    COUNTER,
    COUNTER,
    PARAMETERS,
    st.booleans(),
    st.lists(ROUNDS, min_size=1, max_size=2).map(tuple),
)


@given(BATCHES)
def test_any_batch_round_trips(batch: Batch) -> None:
    assert decode_full(encode_full(batch), MINIMAL) == batch


def test_generated_batches_round_trip() -> None:
    seen: Counter[str] = Counter()
    for item in generated():
        assert decode_full(encode_full(item.batch), item.before.preset) == item.batch
        for content in item.batch.rounds:
            for phase in content[1:]:
                seen.update(type(record).__name__ for record in phase)
    assert {"Trade", "SignedOrder", "SignedSheet", "SignedWithdrawal", "Deposit"} <= seen.keys()


def test_replay_gives_the_exact_state() -> None:
    primitives = NativePrimitives()
    state = generated()[0].before
    for item in generated():
        if item.before.system.batch_number != state.system.batch_number:
            break
        state = replay_full(state, encode_full(item.batch), primitives)
        assert state == item.journal.after
        assert state.roots == item.journal.roots_after


@pytest.mark.parametrize(
    ("layout", "union"),
    [
        (REQUEST, inbox.Request),
        (CHANGE, acts.Change),
        (DUE, batches.Due),
        (MOVE, acts.Move),
    ],
)
def test_every_kind_of_transaction_has_a_tag(layout: Tagged, union: UnionType) -> None:
    assert [kind for kind, _ in layout.cases] == list(get_args(union))


def test_an_order_has_89_bytes() -> None:
    order = Order(1, 2, True, 3, 4, 5, 6, 7, 8)
    out = bytearray()
    ORDER.write(out, SignedOrder(order, Authorization(Signature(1, 2, 3))))
    assert len(out) == ORDER_BYTES_MIN == 89


@given(st.data())
def test_bytes_near_a_batch_are_refused_or_a_batch(data: st.DataObject) -> None:
    item = data.draw(st.sampled_from(generated()[:20]))
    near_by = data.draw(near(encode_full(item.batch)))
    assert_decodes_or_names(lambda raw: decode_full(raw, MINIMAL), encode_full, near_by)


def test_every_truncation_and_extension_is_refused() -> None:
    data = encode_full(min((item.batch for item in generated()), key=lambda b: len(encode_full(b))))
    for end in range(len(data)):
        with pytest.raises(DecodeError):
            decode_full(data[:end], MINIMAL)
    with pytest.raises(DecodeError, match="trailing_bytes"):
        decode_full(data + b"\0", MINIMAL)


EMPTY = Batch(1, 0, None, False, (Round(5),))


def with_round(**phases: Any) -> Batch:
    """A batch of one round."""
    return EMPTY._replace(rounds=(Round(5)._replace(**phases),))


SIGNED = SignedOrder(Order(1, 2, True, 3, 4, 5, 6, 7, 8), Authorization(Signature(1, 2, 3)))
FILL = Fill(2, 3, 4, SideOf(SideKind.FUND), SideOf(SideKind.ORDER, 0), True)


@pytest.mark.parametrize(
    ("batch", "reason"),
    [
        (EMPTY._replace(number=2**32), "out_of_range"),
        (with_round(trades=(Trade(()),)), "empty_trade"),
        (with_round(due=("touch",)), "unknown_tag"),
        (with_round(reports=(MarketReports(0, ()),)), "out_of_range"),
        (
            with_round(trades=(Trade((FILL._replace(buyer=SideOf(SideKind.FUND, 1)),)),)),
            "side_not_canonical",
        ),
        (
            with_round(trades=(Trade((FILL._replace(seller=SideOf(SideKind.ORDER, 0, 1)),)),)),
            "side_not_canonical",
        ),
        (
            with_round(orders=(SIGNED._replace(message=SIGNED.message._replace(nonce=0)),)),
            "out_of_range",
        ),
        (
            with_round(orders=(SIGNED._replace(authorization=Authorization(Signature(0, 0, -1))),)),
            "signature_not_canonical",
        ),
        (
            with_round(changes=(acts.SignedRotateKey(acts.RotateKey(1, (2**64,) * 5), SIGNED[1]),)),
            "element_not_canonical",
        ),
    ],
)
def test_what_has_no_encoding_is_named(batch: Batch, reason: str) -> None:
    with pytest.raises(DecodeError) as caught:
        encode_full(batch)
    assert caught.value.reason == reason


def test_reports_that_differ_in_what_they_share_have_no_encoding() -> None:
    reports = next(r for r in generated()[0].batch.rounds[0].reports)
    first, *others = reports.reports
    later = first._replace(report=first.report._replace(time=first.report.time + 5))
    with pytest.raises(DecodeError, match="reports_differ"):
        encode_full(with_round(reports=(reports._replace(reports=(later, *others)),)))


def patched(batch: Batch, change: Callable[[bytearray], None]) -> bytes:
    """The encoding with some bytes changed."""
    data = bytearray(encode_full(batch))
    change(data)
    return bytes(data)


def test_a_trade_must_end() -> None:
    data = patched(with_round(trades=(Trade((FILL,)),)), lambda d: d.__setitem__(-22, d[-22] | 32))
    with pytest.raises(DecodeError, match="unfinished_trade"):
        decode_full(data, MINIMAL)


def test_a_trigger_that_is_announced_is_not_zero() -> None:
    triggered = SIGNED._replace(message=SIGNED.message._replace(trigger_price=9))
    data = encode_full(with_round(orders=(triggered,)))
    place = data.index((9).to_bytes(4, "big") + (1).to_bytes(8, "little"))
    with pytest.raises(DecodeError, match="zero_trigger"):
        decode_full(data[:place] + bytes(4) + data[place + 4 :], MINIMAL)


def test_a_count_that_cannot_be_right_builds_nothing() -> None:
    data = encode_full(EMPTY)
    place = len(data) - 8  # the count of orders; sheets, fills and moves follow
    assert data[place - 3 : place] == bytes(3)
    huge = data[: place - 3] + (511).to_bytes(3, "big") + data[place:]
    with pytest.raises(DecodeError, match="truncated: 511 orders"):
        decode_full(huge, MINIMAL)
