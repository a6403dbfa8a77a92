"""The withdrawals' Keccak tree: what is in it can be claimed, nothing else can."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novate.spec.crypto.keccak import keccak_256
from novate.spec.errors import DecodeError
from novate.spec.public_data.withdrawals import (
    ZERO_NODE,
    Payment,
    leaf,
    leaves,
    verify_withdrawal,
    withdrawal_domain,
    withdrawal_path,
    withdrawals_root,
)

DOMAIN = withdrawal_domain(31_337, 0x5E771E)
NUMBER = 12


def hashes(count: int) -> list[bytes]:
    """Leaves of some payments."""
    return leaves(DOMAIN, [Payment(k, 1000 + k, 5 * k) for k in range(count)], NUMBER)


def naive_root(level: list[bytes]) -> bytes:
    """The root, by recursion over a tree filled to a power of two with empty subtrees."""
    if not level:
        return ZERO_NODE
    if len(level) == 1:
        return level[0]
    half = 1 << (len(level) - 1).bit_length() - 1
    depth = half.bit_length() - 1
    return keccak_256(filled(level[:half], depth) + filled(level[half:], depth))


def filled(level: list[bytes], depth: int) -> bytes:
    """The root at exactly this depth; an absent subtree is the zero node."""
    if not level:
        return ZERO_NODE
    if depth == 0:
        return level[0]
    half = 1 << depth - 1
    return keccak_256(filled(level[:half], depth - 1) + filled(level[half:], depth - 1))


@pytest.mark.parametrize("count", range(10))
def test_every_payment_has_a_path(count: int) -> None:
    items = hashes(count)
    root = withdrawals_root(items)
    assert root == naive_root(items)
    for index, item in enumerate(items):
        path = withdrawal_path(items, index)
        assert len(path) == (count - 1).bit_length()
        assert verify_withdrawal(root, item, index, path)


@settings(max_examples=25)
@given(st.integers(1, 9), st.data())
def test_nothing_else_has(count: int, data: st.DataObject) -> None:
    items = hashes(count)
    root = withdrawals_root(items)
    index = data.draw(st.integers(0, count - 1))
    path = withdrawal_path(items, index)
    other = data.draw(st.integers(0, 2 * count).filter(lambda place: place != index))
    assert not verify_withdrawal(root, items[index], other, path)
    forged = leaf(DOMAIN, Payment(index, 1000 + index, 5 * index + 1), NUMBER, index)
    assert not verify_withdrawal(root, forged, index, path)
    assert not verify_withdrawal(root, items[index], index, [*path, ZERO_NODE])
    if path:
        assert not verify_withdrawal(root, items[index], index, path[:-1])
        twisted = [bytes([path[0][0] ^ 1]) + path[0][1:], *path[1:]]
        assert not verify_withdrawal(root, items[index], index, twisted)


def test_a_leaf_binds_every_field() -> None:
    payment = Payment(1, 2, 3)
    seen = {
        leaf(DOMAIN, payment, 4, 5),
        leaf(DOMAIN, payment._replace(account=9), 4, 5),
        leaf(DOMAIN, payment._replace(recipient=9), 4, 5),
        leaf(DOMAIN, payment._replace(amount=9), 4, 5),
        leaf(DOMAIN, payment, 9, 5),
        leaf(DOMAIN, payment, 4, 9),
        leaf(withdrawal_domain(1, 0x5E771E), payment, 4, 5),
        leaf(withdrawal_domain(31_337, 1), payment, 4, 5),
    }
    assert len(seen) == 8


def test_a_leaf_by_hand() -> None:
    packed = DOMAIN.hex() + "00000001" + "02".zfill(40) + "03".zfill(16) + "00000004" + "00000005"
    assert len(packed) == 2 * 72
    assert leaf(DOMAIN, Payment(1, 2, 3), 4, 5) == keccak_256(bytes.fromhex(packed))


def test_there_is_no_path_for_what_is_not_there() -> None:
    for index in (-1, 3):
        with pytest.raises(DecodeError, match="no_such_leaf"):
            withdrawal_path(hashes(3), index)
