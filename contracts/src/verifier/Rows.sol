// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    CubicField,
    HALF_CARRIES,
    HALF_ONES,
    HALVES,
    LANE_MASK,
    P,
    P_LANES,
    WORD
} from "./CubicField.sol";
import {Words} from "./Words.sol";

/// @title Rows of a Merkle tree: that they are its, and their values at the last challenges
/// @notice Step 5, "Trees". Neither rows nor digests are absorbed: the root fixes them.
library Rows {
    using Words for uint256[];

    uint256 private constant COUNT_BYTES = 4;
    /// @dev 2^255 − 2^85 − 1: X³ − X − 1 at X = 2^85.
    uint256 private constant MODULUS =
        0x7fffffffffffffffffffffffffffffffffffffffffdfffffffffffffffffffff;
    uint256 private constant LOWER_HALVES = 0x3fffffffc0000000000001fffffffe0000000000000ffffffff;
    uint256 private constant UPPER_HALVES =
        0x7ffffffffffffc00000003ffffffffffffe00000001fffffffffffff;

    /// @notice Two rows are said to stand at one position, and differ.
    error RowsDiffer(uint256 index);
    error DigestMissing();
    error DigestNotUsed(uint256 count, uint256 used);
    error RowsAreNotTheTrees();

    /// @notice Requires that rows, in the order of their indices, stand there in the tree of a
    /// root.
    /// @param cursor The rows in calldata; the count of digests and the digests follow.
    /// @return next What follows them.
    function check(
        bytes32 root,
        uint256 logLeaves,
        uint256[] memory indices,
        uint256 cursor,
        uint256 rowBytes
    ) internal pure returns (uint256 next) {
        unchecked {
            (uint256 nodes, uint256 count) = leaves(sorted(indices, logLeaves), cursor, rowBytes);
            cursor += indices.length * rowBytes;
            uint256 digests = digestsAt(cursor);
            cursor += COUNT_BYTES;
            next = cursor + 32 * digests;
            (uint256 levels, uint256 used) = digestsOfLevels(nodes, count, logLeaves, cursor);
            if (used > digests) revert DigestMissing();
            if (used < digests) revert DigestNotUsed(digests, used);
            if (rootOf(nodes, count, levels) != root) revert RowsAreNotTheTrees();
        }
    }

    /// @notice The number of digests that a multiproof says to have: four bytes, little-endian.
    function digestsAt(uint256 cursor) internal pure returns (uint256 count) {
        assembly ("memory-safe") {
            count := shr(224, calldataload(cursor))
        }
        count = CubicField.swap(count) >> 32;
    }

    /// @dev Indices in rising order, each as (index << 16 | place) + 1; equal ones by place.
    /// They are uniform, so each is put near where it belongs among twice as many slots, and moved
    /// up behind smaller ones: slots in order of their keys, at every moment.
    function sorted(uint256[] memory indices, uint256 bits)
        private
        pure
        returns (uint256[] memory keys)
    {
        unchecked {
            uint256 count = indices.length;
            uint256[] memory slots = new uint256[](3 * count);
            for (uint256 place = 0; place < count; ++place) {
                uint256 index = indices.get(place);
                uint256 key = ((index << 16) | place) + 1;
                uint256 slot = (index * 2 * count) >> bits;
                uint256 other = slots.get(slot);
                while (other != 0) {
                    if (other > key) {
                        slots.set(slot, key);
                        key = other;
                    }
                    other = slots.get(++slot);
                }
                slots.set(slot, key);
            }
            keys = new uint256[](count);
            uint256 next = 0;
            for (uint256 slot = 0; slot < slots.length; ++slot) {
                uint256 key = slots.get(slot);
                if (key != 0) keys.set(next++, key);
            }
        }
    }

    /// @dev Index and hash of every row, equal indices once, two words a node from `nodes` on.
    function leaves(uint256[] memory keys, uint256 cursor, uint256 rowBytes)
        private
        pure
        returns (uint256 nodes, uint256 count)
    {
        unchecked {
            assembly ("memory-safe") {
                nodes := add(mload(0x40), 64)
                mstore(
                    0x40,
                    add(nodes, and(add(mul(64, mload(keys)), add(rowBytes, 95)), not(31)))
                )
            }
            uint256 scratch = nodes + 64 * keys.length;
            uint256 last = type(uint256).max;
            for (uint256 place = 0; place < keys.length; ++place) {
                uint256 key = keys.get(place) - 1;
                uint256 index = key >> 16;
                uint256 row = cursor + (key & 0xffff) * rowBytes;
                bytes32 hash;
                assembly ("memory-safe") {
                    calldatacopy(scratch, row, rowBytes)
                    hash := keccak256(scratch, rowBytes)
                }
                if (index == last) {
                    bytes32 before;
                    assembly ("memory-safe") {
                        before := mload(sub(add(nodes, mul(64, count)), 32))
                    }
                    if (hash != before) revert RowsDiffer(index);
                    continue;
                }
                assembly ("memory-safe") {
                    let node := add(nodes, mul(64, count))
                    mstore(node, index)
                    mstore(add(node, 32), hash)
                }
                last = index;
                ++count;
            }
        }
    }

    /// @dev Where the digests of each level stand: they are sent level by level from the leaves up,
    /// each level's from the left. Two neighbours meet where the highest bit that their indices
    /// differ in is the lowest that is left; any other node of a level takes a digest.
    /// @return levels The place of the first digest of each level, a word each.
    /// @return used The digests of all levels.
    function digestsOfLevels(uint256 nodes, uint256 count, uint256 logLeaves, uint256 cursor)
        private
        pure
        returns (uint256 levels, uint256 used)
    {
        assembly ("memory-safe") {
            levels := mload(0x40)
            let end := add(levels, shl(5, logLeaves))
            mstore(0x40, end)
            calldatacopy(levels, calldatasize(), sub(end, levels)) // zeros
            let last := add(nodes, shl(6, sub(count, 1)))
            for { let node := nodes } lt(node, last) {} {
                let index := mload(node)
                node := add(node, 64)
                let level := add(levels, shl(5, sub(255, clz(xor(index, mload(node))))))
                mstore(level, add(mload(level), 1))
            }
            let first := cursor
            for { let level := levels } lt(level, end) { level := add(level, 32) } {
                let meetings := mload(level)
                mstore(level, cursor)
                cursor := add(cursor, shl(5, sub(count, shl(1, meetings))))
                count := sub(count, meetings)
            }
            // What the last leaf meets, above all levels: 2^logLeaves, as meant.
            // slither-disable-next-line incorrect-shift
            mstore(add(last, 64), shl(logLeaves, 1))
            used := shr(5, sub(cursor, first))
        }
    }

    /// @dev The root over all leaves, which are taken from the left: each climbs to where it meets
    /// its right neighbour and waits there, having met all that wait for it on the way.
    /// @param nodes Index and hash of the leaves; overwritten by level and hash of those that wait.
    /// @param levels The place of the next digest of each level.
    function rootOf(uint256 nodes, uint256 count, uint256 levels)
        private
        pure
        returns (bytes32 hash)
    {
        assembly ("memory-safe") {
            let waiting := nodes
            mstore(sub(nodes, 64), not(0)) // under all that wait: above all levels
            let end := add(nodes, shl(6, count))
            for { let leaf := nodes } lt(leaf, end) {} {
                let index := mload(leaf)
                hash := mload(add(leaf, 32))
                leaf := add(leaf, 64)
                let goal := add(levels, shl(5, sub(255, clz(xor(index, mload(leaf))))))
                index := shl(5, index) // so that `and` with 32 is the place of a node in its pair
                let level := levels
                for {} 1 {} {
                    let meeting := mload(sub(waiting, 64))
                    if gt(meeting, goal) { meeting := goal }
                    // Two levels a turn: turning costs some 30 gas.
                    for {} lt(level, meeting) { level := add(level, 32) } {
                        let digest := mload(level)
                        mstore(level, add(digest, 32))
                        let place := and(index, 32)
                        mstore(place, hash)
                        mstore(xor(place, 0x20), calldataload(digest))
                        hash := keccak256(0, 64)
                        index := shr(1, index)
                        level := add(level, 32)
                        if eq(level, meeting) { break }
                        digest := mload(level)
                        mstore(level, add(digest, 32))
                        place := and(index, 32)
                        mstore(place, hash)
                        mstore(xor(place, 0x20), calldataload(digest))
                        hash := keccak256(0, 64)
                        index := shr(1, index)
                    }
                    if eq(level, goal) { break }
                    waiting := sub(waiting, 64)
                    mstore(0, mload(add(waiting, 32)))
                    mstore(32, hash)
                    hash := keccak256(0, 64)
                    index := shr(1, index)
                    level := add(level, 32)
                }
                mstore(waiting, goal)
                mstore(add(waiting, 32), hash)
                waiting := add(waiting, 64)
            }
        }
    }

    /// @notice eq(bits of j, point) for all j, three words each, the point's first coordinate
    /// highest.
    /// @return table Lanes apart, of bound at most 1 + the number of coordinates.
    function corners(uint256[] memory point, uint256 from, uint256 to)
        internal
        pure
        returns (uint256[] memory table)
    {
        unchecked {
            uint256 size = 1 << (to - from);
            uint256[] memory weights = new uint256[](size);
            weights[0] = 1;
            for (uint256 length = 1; from < to; ++from) {
                uint256 x = point[from];
                for (uint256 place = length; place != 0; --place) {
                    uint256 parent = weights.get(place - 1);
                    uint256 high = CubicField.mul(parent, x);
                    weights.set(2 * place - 1, high);
                    weights.set(2 * place - 2, CubicField.sub(parent, high));
                }
                length <<= 1;
            }
            table = apart(weights, 0, size);
        }
    }

    /// @notice Lanes of words `from` to `to`, one a word.
    function apart(uint256[] memory elements, uint256 from, uint256 to)
        internal
        pure
        returns (uint256[] memory lanes)
    {
        unchecked {
            lanes = new uint256[](3 * (to - from));
            for (uint256 place = from; place < to; ++place) {
                uint256 element = elements.get(place);
                uint256 first = 3 * (place - from);
                lanes.set(first, element & LANE_MASK);
                lanes.set(first + 1, (element >> 85) & LANE_MASK);
                lanes.set(first + 2, element >> 170);
            }
        }
    }

    /// @notice Weights as `foldK` reads them: lower halves of 32 bits of all lanes, upper halves,
    /// and their sums.
    /// @param table Lanes apart, of bound at most 8.
    function halved(uint256[] memory table) internal pure returns (uint256[] memory halves) {
        unchecked {
            halves = new uint256[](table.length);
            for (uint256 place = 0; place < table.length; place += 3) {
                uint256 weight = table.get(place) | table.get(place + 1) << 85;
                weight |= table.get(place + 2) << 170;
                uint256 low = weight & LOWER_HALVES;
                uint256 high = (weight >> 32) & UPPER_HALVES;
                halves.set(place, low);
                halves.set(place + 1, high);
                halves.set(place + 2, low + high);
            }
        }
    }

    /// @notice Σ weight · value over a row of elements of F in calldata.
    /// @param table Lanes of the weights, of bound at most 8, of a multiple of four weights.
    function foldF(uint256 cursor, uint256[] memory table) internal pure returns (uint256) {
        unchecked {
            uint256 s0 = 0;
            uint256 s1 = 0;
            uint256 s2 = 0;
            uint256 suspect = 0;
            uint256 row = cursor;
            assembly ("memory-safe") {
                // Products are below 2^131, and a row has at most 2^16 values.
                let from := add(table, 32)
                for { let end := add(from, mul(32, mload(table))) } lt(from, end) {
                    from := add(from, 384)
                } {
                    // As CubicField.canonical does it.
                    let words := calldataload(row)
                    row := add(row, 32)
                    let mask := 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff
                    let value := and(xor(words, shr(8, words)), mask)
                    words := xor(words, xor(value, shl(8, value)))
                    mask := 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff
                    value := and(xor(words, shr(16, words)), mask)
                    words := xor(words, xor(value, shl(16, value)))
                    value := and(words, HALVES)
                    suspect := or(suspect, add(value, HALF_ONES))
                    words := or(shl(32, value), and(shr(32, words), HALVES))
                    value := shr(192, words)
                    s0 := add(s0, mul(value, mload(from)))
                    s1 := add(s1, mul(value, mload(add(from, 32))))
                    s2 := add(s2, mul(value, mload(add(from, 64))))
                    value := and(shr(128, words), WORD)
                    s0 := add(s0, mul(value, mload(add(from, 96))))
                    s1 := add(s1, mul(value, mload(add(from, 128))))
                    s2 := add(s2, mul(value, mload(add(from, 160))))
                    value := and(shr(64, words), WORD)
                    s0 := add(s0, mul(value, mload(add(from, 192))))
                    s1 := add(s1, mul(value, mload(add(from, 224))))
                    s2 := add(s2, mul(value, mload(add(from, 256))))
                    value := and(words, WORD)
                    s0 := add(s0, mul(value, mload(add(from, 288))))
                    s1 := add(s1, mul(value, mload(add(from, 320))))
                    s2 := add(s2, mul(value, mload(add(from, 352))))
                }
            }
            if (suspect & HALF_CARRIES != 0) requireCanonical(cursor, row);
            return (s0 % P) | ((s1 % P) << 85) | ((s2 % P) << 170);
        }
    }

    /// @notice Σ weight · value over a row of elements of K in calldata.
    /// @dev Karatsuba by halves of 32 bits in all lanes at once: products in Z[X] / (X³ − X − 1)
    /// are products of integers mod 2^255 − 2^85 − 1, X being 2^85, while lanes of the results stay
    /// below 2^85. proof/contract/kernels.py says more.
    /// @param halves Of at most 2^9 weights of bound at most 8: upper halves below 2^35, so that
    /// five sums of 2^9 products of sums of halves are below 2^80.
    function foldK(uint256 cursor, uint256[] memory halves)
        internal
        pure
        returns (uint256 result)
    {
        uint256 suspect = 0;
        uint256 row = cursor;
        assembly ("memory-safe") {
            let low := 0
            let high := 0
            let both := 0
            let from := add(halves, 32)
            for { let end := add(from, mul(32, mload(halves))) } lt(from, end) {
                from := add(from, 96)
            } {
                let words := shr(64, calldataload(row))
                row := add(row, 24)
                let mask := 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff
                let upper := and(xor(words, shr(8, words)), mask)
                words := xor(words, xor(upper, shl(8, upper)))
                mask := 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff
                upper := and(xor(words, shr(16, words)), mask)
                words := xor(words, xor(upper, shl(16, upper)))
                upper := and(words, HALVES)
                suspect := or(suspect, add(upper, HALF_ONES))
                // c0 stands at bit 128, c1 at 64 and c2 at 0: to 0, 85 and 170.
                words := or(shl(32, upper), and(shr(32, words), HALVES))
                upper := or(shl(170, and(words, WORD)), shl(85, and(shr(64, words), WORD)))
                words := or(upper, shr(128, words))
                upper := and(shr(32, words), UPPER_HALVES)
                words := and(words, LOWER_HALVES)
                low := add(low, mulmod(words, mload(from), MODULUS))
                high := add(high, mulmod(upper, mload(add(from, 32)), MODULUS))
                both := add(both, mulmod(add(words, upper), mload(add(from, 64)), MODULUS))
            }
            // low + 2^32·(both − low − high) + 2^64·high, and 2^64 is 2^32 − 1 mod p. `high` is
            // below 2^16·p in every lane, `both` below 2^80.
            both := sub(both, low)
            let carry := and(shr(32, both), UPPER_HALVES)
            both := shl(32, add(and(both, LOWER_HALVES), carry))
            both := sub(add(add(both, low), mul(P_LANES, 0x10000)), add(high, carry))
            result := shl(170, mod(shr(170, both), P))
            result := or(result, shl(85, mod(and(shr(85, both), LANE_MASK), P)))
            result := or(result, mod(and(both, LANE_MASK), P))
        }
        if (suspect & HALF_CARRIES != 0) requireCanonical(cursor, row);
    }

    /// @dev NotCanonical unless all elements of F in a stretch of calldata are below p.
    function requireCanonical(uint256 cursor, uint256 end) private pure {
        unchecked {
            for (; cursor < end; cursor += 8) {
                uint256 word;
                assembly ("memory-safe") {
                    word := shr(192, calldataload(cursor))
                }
                CubicField.canonical(word);
            }
        }
    }
}
