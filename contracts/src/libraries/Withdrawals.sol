// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PublicDataLayout} from "../rendered/PublicDataLayout.sol";

/// @title The Keccak tree of a batch's payments; layout of public_data/withdrawals.py
/// @notice A leaf is keccak(domain 32 ‖ account 4 ‖ recipient 20 ‖ amount 8 ‖ batch 4 ‖ index 4):
/// 72
/// bytes, so no inner node, of 64, passes for one. A level of odd length is completed with 32 zero
/// bytes. No payment has the root zero, which no path leads to.
library Withdrawals {
    error PaymentsLength(uint256 length, uint256 expected);
    error PaymentTooLarge(uint256 index, uint256 amount, uint256 limit);

    /// @notice Which venue the payments are of.
    function domain(uint256 chainId, address settlement) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(PublicDataLayout.WITHDRAWAL_TAG, chainId, settlement));
    }

    /// @notice The hash of one payment at its place.
    /// @param venue The payments' domain.
    function leaf(
        bytes32 venue,
        uint32 account,
        address recipient,
        uint64 amount,
        uint32 number,
        uint32 index
    ) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(venue, account, recipient, amount, number, index));
    }

    /// @notice Whether a leaf stands at an index under a root, `path` being its siblings from the
    /// bottom up.
    function verify(bytes32 root, bytes32 hashed, uint256 index, bytes32[] calldata path)
        internal
        pure
        returns (bool)
    {
        if (path.length < 256 && index >> path.length != 0) return false;
        bytes32 node = hashed;
        for (uint256 height = 0; height < path.length; ++height) {
            node = index & 1 == 1 ? pair(path[height], node) : pair(node, path[height]);
            index >>= 1;
        }
        return node == root;
    }

    /// @notice Root and sum of a batch's payments, read from the end of the contract's part of its
    /// data: count 4, then account 4, recipient 20, amount 8 each.
    /// @param data Exactly that; a byte more or less is refused.
    /// @return root Zero if there is none.
    /// @return count How many they are.
    /// @return total Micro-USDC of all; below 2^96, as amounts are below 2^63.
    function absorb(bytes32 venue, uint32 number, bytes calldata data)
        internal
        pure
        returns (bytes32 root, uint256 count, uint256 total)
    {
        if (data.length < 4) revert PaymentsLength(data.length, 4);
        count = uint32(bytes4(data[:4]));
        uint256 expected = 4 + count * PublicDataLayout.PAYMENT_BYTES;
        if (data.length != expected) revert PaymentsLength(data.length, expected);
        bytes32[] memory nodes;
        (nodes, total) = leaves(venue, number, data[4:], count);
        root = rootOf(nodes, count);
    }

    /// @dev Leaves, with room for one more, and sum of payments of 32 bytes each. A leaf is hashed
    /// straight from calldata.
    function leaves(bytes32 venue, uint32 number, bytes calldata payments, uint256 count)
        private
        pure
        returns (bytes32[] memory nodes, uint256 total)
    {
        nodes = new bytes32[](count + 1);
        uint256 batch = uint256(number) << 224;
        for (uint256 index = 0; index < count; ++index) {
            uint256 payment;
            bytes32 hashed;
            assembly ("memory-safe") {
                payment := calldataload(add(payments.offset, shl(5, index)))
                let buffer := mload(0x40)
                mstore(buffer, venue)
                mstore(add(buffer, 0x20), payment)
                mstore(add(buffer, 0x40), or(batch, shl(192, index)))
                hashed := keccak256(buffer, 72)
            }
            uint256 amount = uint64(payment);
            if (amount >= PublicDataLayout.AMOUNT_LIMIT) {
                revert PaymentTooLarge(index, amount, PublicDataLayout.AMOUNT_LIMIT);
            }
            total += amount;
            nodes[index] = hashed;
        }
    }

    /// @dev Root of the tree of the first `count` nodes, which are overwritten level by level; the
    /// room
    /// after them takes the zero that completes a level.
    function rootOf(bytes32[] memory nodes, uint256 count) private pure returns (bytes32) {
        assembly ("memory-safe") {
            let first := add(nodes, 0x20)
            for {} gt(count, 1) {} {
                if and(count, 1) { mstore(add(first, shl(5, count)), 0) }
                count := shr(1, add(count, 1))
                for { let place := 0 } lt(place, count) { place := add(place, 1) } {
                    mstore(add(first, shl(5, place)), keccak256(add(first, shl(6, place)), 0x40))
                }
            }
        }
        return nodes[0];
    }

    /// @dev Hash of an inner node.
    function pair(bytes32 left, bytes32 right) private pure returns (bytes32 node) {
        assembly ("memory-safe") {
            mstore(0, left)
            mstore(0x20, right)
            node := keccak256(0, 0x40)
        }
    }
}
