"""Requests sent to the real inbox read back as the specification's values, through reorgs."""

from __future__ import annotations

from pathlib import Path

import pytest

from novate.l1.abi import ContractError
from novate.l1.anvil import Anvil
from novate.l1.inbox_reader import Arrived, Dropped, InboxError
from novate.l1.owner_messages import key_registration
from novate.lab.worlds import START, perpetual
from novate.spec.messages.inbox import (
    AllowOwner,
    Deposit,
    ForcedCancel,
    ForcedClose,
    ForcedLiquidation,
    ForcedWithdrawal,
    FundDeposit,
    RegisterKey,
    Request,
)
from novate.spec.public_data.calldata import EMPTY_INBOX, extend_inbox
from tests.l1.venue import DEPOSIT, FEE, FIRST_TRADER, L1Venue, deployed

TRADER = FIRST_TRADER


def owner(venue: L1Venue) -> int:
    return venue.chain.wallet(TRADER).address


def every_kind(venue: L1Venue) -> list[Request]:
    """Send one request of every kind; what the specification calls them."""
    me = owner(venue)
    venue.fund(TRADER, 3 * DEPOSIT)
    key = venue.key(1).key
    sent = [
        ("inbox", "depositToNewAccount", (me, DEPOSIT)),
        ("inbox", "deposit", (1, me, 5)),
        ("inbox", "depositToFund", (0, 7)),
        ("keys", "registerKey", (1, key)),
        ("keys", "allowOwner", (1, 0xABC)),
        ("inbox", "forceWithdrawal", (1, 9)),
        ("inbox", "forceClose", (1, perpetual(0))),
        ("inbox", "forceLiquidation", (1,)),
        ("inbox", "forceCancel", (1,)),
    ]
    for role, name, arguments in sent:
        venue.send(TRADER, role, name, *arguments, value=FEE)
    return [
        Deposit(1, me, me, DEPOSIT),
        Deposit(1, me, me, 5),
        FundDeposit(0, me, 7),
        RegisterKey(1, me, key),
        AllowOwner(1, me, 0xABC),
        ForcedWithdrawal(1, me, 9),
        ForcedClose(1, me, perpetual(0)),
        ForcedLiquidation(1),
        ForcedCancel(1, me),
    ]


def test_every_kind_reads_back_with_the_specification_s_hash(tmp_path: Path) -> None:
    with deployed(Anvil(START), tmp_path) as venue:
        reader = venue.inbox_reader()
        assert reader.poll() == []
        expected = every_kind(venue)
        events = reader.poll()
        assert [event.request for event in events if isinstance(event, Arrived)] == expected
        rolling = EMPTY_INBOX
        for number, request in enumerate(expected):
            rolling = extend_inbox(rolling, request)
            event = events[number]
            assert isinstance(event, Arrived)
            assert (event.number, event.rolling) == (number, rolling)
            record = venue.l1.view(venue.contract("inbox"), "request", number)
            assert record[0] == event.block
        inbox = venue.contract("inbox")
        assert venue.l1.view(inbox, "length") == reader.length == len(expected)
        assert venue.l1.view(inbox, "rollingHash", len(expected)) == reader.rolling == rolling
        assert reader.poll() == []


def test_what_public_data_cannot_say_is_refused_by_name(tmp_path: Path) -> None:
    with deployed(Anvil(START), tmp_path) as venue:
        venue.fund(TRADER)
        me = owner(venue)
        for name, arguments, field in [
            ("depositToNewAccount", (me, 0), "amount"),
            ("depositToNewAccount", (me, 2**63), "amount"),
            ("forceClose", (0, 2**50), "instrument"),
            ("forceWithdrawal", (2**24, 1), "account"),
        ]:
            with pytest.raises(ContractError) as caught:
                venue.send(TRADER, "inbox", name, *arguments, value=FEE)
            assert field in str(caught.value).lower(), name
            assert arguments[1] in caught.value.arguments.values() or field == "account", name
        with pytest.raises(ContractError, match="FeeTooLow") as caught:
            venue.send(TRADER, "inbox", "depositToNewAccount", me, 1)
        assert caught.value.arguments["value"] == 0
        assert venue.inbox_reader().poll() == []


@pytest.mark.parametrize("depth", [1, 8, 64])
def test_requests_of_replaced_blocks_are_taken_back_in_order(tmp_path: Path, depth: int) -> None:
    with deployed(Anvil(START), tmp_path) as venue:
        reader = venue.inbox_reader()
        venue.join(TRADER)
        venue.fund(TRADER)
        venue.chain.control.mine(depth)
        reader.poll()
        for account in range(depth % 7 + 1):
            venue.send(TRADER, "inbox", "deposit", 1, owner(venue), account + 1, value=FEE)
        before = reader.poll()
        assert len(before) == depth % 7 + 1
        gone = min(depth, len(before))
        venue.chain.control.reorg(depth)
        assert reader.poll() == [Dropped(reader.length)]
        assert reader.length == 1 + len(before) - gone
        venue.send(TRADER, "inbox", "deposit", 1, owner(venue), 99, value=FEE)
        (event,) = reader.poll()
        assert isinstance(event, Arrived)
        assert event.request == Deposit(1, owner(venue), owner(venue), 99)
        inbox = venue.contract("inbox")
        assert venue.l1.view(inbox, "rollingHash", reader.length) == reader.rolling


def test_confirmed_requests_do_not_come_back(tmp_path: Path) -> None:
    with deployed(Anvil(START), tmp_path) as venue:
        reader = venue.inbox_reader(confirmations=8)
        venue.join(TRADER)
        assert reader.poll() == []
        venue.chain.control.reorg(1)
        venue.join(TRADER, amount=1)
        venue.chain.control.mine(8)
        (event,) = reader.poll()
        assert isinstance(event, Arrived)
        assert event.request == Deposit(1, owner(venue), owner(venue), 1)
        venue.chain.control.reorg(8)
        assert reader.poll() == []


def test_a_reader_resumes_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "reader.json"
    with deployed(Anvil(START), tmp_path) as venue:
        reader = venue.inbox_reader()
        venue.join(TRADER)
        venue.chain.control.mine(3)
        reader.poll()
        reader.save(path)
        venue.send(TRADER, "inbox", "forceLiquidation", 1, value=FEE)
        again = venue.inbox_reader()
        again.resume(path)
        (event,) = again.poll()
        assert isinstance(event, Arrived)
        assert (event.number, event.request) == (1, ForcedLiquidation(1))
        fresh = venue.inbox_reader()
        fresh.resume(tmp_path / "absent.json")
        assert len(fresh.poll()) == 2
        path.write_text("{}")
        with pytest.raises(InboxError, match="not the state"):
            fresh.resume(path)


def test_a_node_that_lies_is_found_out(tmp_path: Path) -> None:
    with deployed(Anvil(START), tmp_path) as venue:
        venue.join(TRADER)
        reader = venue.inbox_reader()
        inbox = venue.contract("inbox")
        raw = venue.l1.rpc.call("eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest"})
        logs = [inbox.artifact.log(one) for one in raw]
        (log,) = [one for one in logs if one is not None and one.name == "RequestQueued"]
        for name, value, message in [
            ("index", 1, "0 is next"),
            ("rollingHash", bytes(32), "rolling hash"),
            ("request", log.arguments["request"][:-1] + b"\x01", "rolling hash"),
        ]:
            lie = log._replace(arguments=log.arguments | {name: value})
            with pytest.raises(InboxError, match=message):
                reader._arrived(lie)


def test_a_signed_registration_may_be_brought_by_anyone_once(tmp_path: Path) -> None:
    with deployed(Anvil(START), tmp_path) as venue:
        venue.join(TRADER)
        trader, keys = venue.chain.wallet(TRADER), venue.contract("keys")
        key, deadline = venue.key(1).key, START + 10**6
        message = key_registration(
            venue.deployment.chain_id, keys.address, trader.address, 1, key, 0, deadline
        )
        signature = trader.sign_typed(message)
        words = (trader.address, 1, key, deadline, signature)
        other = (trader.address, 2, key, deadline, signature)
        for wrong in (other, (*words[:4], signature[:-1] + b"\x00")):
            with pytest.raises(ContractError, match="InvalidSignature"):
                venue.send(TRADER + 1, "keys", "registerKeyFor", *wrong, value=FEE)
        venue.send(TRADER + 1, "keys", "registerKeyFor", *words, value=FEE)
        events = venue.inbox_reader().poll()
        assert [event.request for event in events if isinstance(event, Arrived)][1:] == [
            RegisterKey(1, trader.address, key)
        ]
        with pytest.raises(ContractError, match="InvalidSignature"):
            venue.send(TRADER + 1, "keys", "registerKeyFor", *words, value=FEE)
