// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    DIAGONAL_12_10,
    DIAGONAL_12_11,
    DIAGONAL_12_3,
    DIAGONAL_12_6,
    DIAGONAL_12_7,
    DIAGONAL_12_8,
    DIAGONAL_12_9,
    DIAGONAL_8_3,
    DIAGONAL_8_5,
    DIAGONAL_8_6,
    DIAGONAL_8_7,
    LANE_12,
    LANE_8,
    ONES_12,
    P,
    ROUNDS_12,
    ROUNDS_8
} from "../rendered/Poseidon2Constants.sol";
import {Goldilocks} from "./Goldilocks.sol";

/// @title The Poseidon2 permutation over GF(p), p = 2^64 − 2^32 + 1, and the hashes made of it
/// @notice Definition: spec/crypto/poseidon2.py and sponge.py; eprint 2023/323. S-box x^7, four
/// full
/// rounds, 22 partial rounds, four full rounds.
/// @dev Between the partial rounds a state lives in four words: element 4g + j is lane g of word j,
/// so
/// the matrix of full rounds mixes all groups of four elements at once. Lanes have 128 bits at
/// width 8
/// and 80 at width 12. Values are reduced by the multiplications only; the bounds:
/// - A full round leaves lanes below 28p < 2^69; the first layer, on lanes below 28p, below 2^74.
/// - A partial round multiplies the largest element by less than 16, so after 22 of them it is
/// below
///   2^(69 + 88) = 2^157, and `power7` takes elements below 2^192.
/// A permutation costs about 24,000 gas at width 12 and 17,800 at width 8 (snapshots/).
library Poseidon2 {
    /// @dev A state of width 8 or 12 in words of lanes.
    struct State {
        uint256 word0;
        uint256 word1;
        uint256 word2;
        uint256 word3;
    }

    /// @notice An element of what is hashed is not below p.
    error ElementNotCanonical(uint256 place, uint256 element, uint256 limit);
    /// @notice The index does not exist in a tree with so many levels.
    error IndexTooLarge(uint256 index, uint256 levels);

    /// @notice Digest of any number of elements under a domain tag: the sponge of
    /// spec/crypto/sponge.py.
    /// @param tag The tag as an element: its ASCII bytes, little-endian.
    function hash(uint256 tag, uint256[] memory elements) internal pure returns (bytes32) {
        uint256 length = elements.length;
        State memory state;
        state.word0 = tag << 160; // capacity: tag, length, 0, 0
        state.word1 = length << 160;
        uint256 rounds = table(ROUNDS_12);
        uint256 start = 0;
        do {
            absorb(state, elements, start);
            permute12(state, rounds);
            start += 8;
        } while (start < length);
        return bytes32(
            Goldilocks.swap(
                (state.word0 & LANE_12) % P << 192 | (state.word1 & LANE_12) % P << 128
                    | (state.word2 & LANE_12) % P << 64 | (state.word3 & LANE_12) % P
            )
        );
    }

    /// @notice Parent of two nodes of a tree.
    function compress(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return bytes32(
            Goldilocks.swap(
                compressLanes(Goldilocks.lanesOf(left), Goldilocks.lanesOf(right), table(ROUNDS_8))
            )
        );
    }

    /// @notice The root that a leaf at `index` and its siblings from the bottom up imply. The
    /// caller
    /// fixes the number of siblings: otherwise a node could pass as a leaf.
    function rootFromPath(bytes32 leaf, uint256 index, bytes32[] calldata path)
        internal
        pure
        returns (bytes32)
    {
        if (index >> path.length != 0) revert IndexTooLarge(index, path.length);
        uint256 rounds = table(ROUNDS_8);
        uint256 node = Goldilocks.lanesOf(leaf);
        for (uint256 height = 0; height < path.length; ++height) {
            uint256 sibling = Goldilocks.lanesOf(path[height]);
            node = index & 1 == 1
                ? compressLanes(sibling, node, rounds)
                : compressLanes(node, sibling, rounds);
            index >>= 1;
        }
        return bytes32(Goldilocks.swap(node));
    }

    /// @dev Where the round constants begin in memory.
    function table(bytes memory constants) internal pure returns (uint256 first) {
        assembly ("memory-safe") {
            first := add(constants, 0x20)
        }
    }

    /// @dev Overwrites the rate, elements 0 to 7, by elements from `start` on, or 0 where they end.
    function absorb(State memory state, uint256[] memory elements, uint256 start) private pure {
        uint256[8] memory block_;
        for (uint256 k = 0; k < 8 && start + k < elements.length; ++k) {
            uint256 element = elements[start + k];
            if (element >= P) revert ElementNotCanonical(start + k, element, P);
            block_[k] = element;
        }
        state.word0 = (state.word0 >> 160) << 160 | block_[4] << 80 | block_[0];
        state.word1 = (state.word1 >> 160) << 160 | block_[5] << 80 | block_[1];
        state.word2 = (state.word2 >> 160) << 160 | block_[6] << 80 | block_[2];
        state.word3 = (state.word3 >> 160) << 160 | block_[7] << 80 | block_[3];
    }

    /// @dev Compression of two nodes in lanes: the permutation plus its input, cut to the left
    /// half.
    function compressLanes(uint256 left, uint256 right, uint256 rounds)
        private
        pure
        returns (uint256)
    {
        State memory state = State(
            left >> 192 | (right >> 192) << 128,
            uint64(left >> 128) | uint256(uint64(right >> 128)) << 128,
            uint64(left >> 64) | uint256(uint64(right >> 64)) << 128,
            uint64(left) | uint256(uint64(right)) << 128
        );
        permute8(state, rounds);
        return ((state.word0 & LANE_8) + (left >> 192)) % P << 192
            | ((state.word1 & LANE_8) + uint64(left >> 128)) % P << 128
            | ((state.word2 & LANE_8) + uint64(left >> 64)) % P << 64
            | ((state.word3 & LANE_8) + uint64(left)) % P;
    }

    /// @dev The permutation at width 8, in place, not reduced: lanes below 2^69.
    /// @param c Where `ROUNDS_8` stands in memory.
    function permute8(State memory state, uint256 c) internal pure {
        assembly ("memory-safe") {
            function power7(x) -> y {
                let cubed := mul(mulmod(x, x, P), x)
                y := mulmod(mulmod(cubed, cubed, P), x, P)
            }
            // every lane of the word to the seventh power
            function lanes_power7(x) -> y {
                y := or(power7(and(x, LANE_8)), shl(128, power7(shr(128, x))))
            }
            // adds to every lane the sum of the word's lanes: twice itself and the other
            function add_column(x) -> y {
                y := add(add(x, x), or(shl(128, x), shr(128, x)))
            }
            // circ(2, 3, 1, 1) on the four elements of each group, then the column sums
            function external_layer(a, b, d, e) -> a2, b2, d2, e2 {
                let total := add(add(a, b), add(d, e))
                a2 := add_column(add(add(total, a), add(b, b)))
                b2 := add_column(add(add(total, b), add(d, d)))
                d2 := add_column(add(add(total, d), add(e, e)))
                e2 := add_column(add(add(total, e), add(a, a)))
            }
            function full_rounds(k, a, b, d, e) -> a2, b2, d2, e2 {
                for { let end := add(k, 0x200) } lt(k, end) { k := add(k, 0x80) } {
                    a := lanes_power7(add(a, mload(k)))
                    b := lanes_power7(add(b, mload(add(k, 0x20))))
                    d := lanes_power7(add(d, mload(add(k, 0x40))))
                    e := lanes_power7(add(e, mload(add(k, 0x60))))
                    a, b, d, e := external_layer(a, b, d, e)
                }
                a2 := a
                b2 := b
                d2 := d
                e2 := e
            }

            let w0 := mload(state)
            let w1 := mload(add(state, 0x20))
            let w2 := mload(add(state, 0x40))
            let w3 := mload(add(state, 0x60))
            w0, w1, w2, w3 := external_layer(w0, w1, w2, w3)
            w0, w1, w2, w3 := full_rounds(c, w0, w1, w2, w3)
            c := add(c, 0x200)

            let x0 := and(w0, LANE_8)
            let x1 := and(w1, LANE_8)
            let x2 := and(w2, LANE_8)
            let x3 := and(w3, LANE_8)
            let x4 := shr(128, w0)
            let x5 := shr(128, w1)
            let x6 := shr(128, w2)
            let x7 := shr(128, w3)
            for { let end := add(c, 0x2c0) } lt(c, end) { c := add(c, 0x20) } {
                let y := power7(add(x0, mload(c)))
                let total := add(add(add(x1, x2), add(x3, x4)), add(add(x5, x6), x7))
                x0 := add(total, sub(P, y)) // −2y + (y + total)
                total := add(total, y)
                x1 := add(total, x1)
                x2 := add(total, add(x2, x2))
                x3 := add(total, mulmod(x3, DIAGONAL_8_3, P))
                x4 := add(total, mul(x4, 3))
                x5 := add(total, mulmod(x5, DIAGONAL_8_5, P))
                x6 := add(total, mulmod(x6, DIAGONAL_8_6, P))
                x7 := add(total, mulmod(x7, DIAGONAL_8_7, P))
            }
            w0 := or(mod(x0, P), shl(128, mod(x4, P)))
            w1 := or(mod(x1, P), shl(128, mod(x5, P)))
            w2 := or(mod(x2, P), shl(128, mod(x6, P)))
            w3 := or(mod(x3, P), shl(128, mod(x7, P)))

            w0, w1, w2, w3 := full_rounds(c, w0, w1, w2, w3)
            mstore(state, w0)
            mstore(add(state, 0x20), w1)
            mstore(add(state, 0x40), w2)
            mstore(add(state, 0x60), w3)
        }
    }

    /// @dev The permutation at width 12, in place, not reduced: lanes below 2^69.
    /// @param c Where `ROUNDS_12` stands in memory.
    function permute12(State memory state, uint256 c) internal pure {
        assembly ("memory-safe") {
            function power7(x) -> y {
                let cubed := mul(mulmod(x, x, P), x)
                y := mulmod(mulmod(cubed, cubed, P), x, P)
            }
            // every lane of the word to the seventh power
            function lanes_power7(x) -> y {
                y := or(
                    or(power7(and(x, LANE_12)), shl(80, power7(and(shr(80, x), LANE_12)))),
                    shl(160, power7(shr(160, x)))
                )
            }
            // adds to every lane the sum of the word's lanes
            function add_column(x) -> y {
                let sum := add(add(and(x, LANE_12), and(shr(80, x), LANE_12)), shr(160, x))
                y := add(x, mul(sum, ONES_12))
            }
            // circ(2, 3, 1, 1) on the four elements of each group, then the column sums
            function external_layer(a, b, d, e) -> a2, b2, d2, e2 {
                let total := add(add(a, b), add(d, e))
                a2 := add_column(add(add(total, a), add(b, b)))
                b2 := add_column(add(add(total, b), add(d, d)))
                d2 := add_column(add(add(total, d), add(e, e)))
                e2 := add_column(add(add(total, e), add(a, a)))
            }
            function full_rounds(k, a, b, d, e) -> a2, b2, d2, e2 {
                for { let end := add(k, 0x200) } lt(k, end) { k := add(k, 0x80) } {
                    a := lanes_power7(add(a, mload(k)))
                    b := lanes_power7(add(b, mload(add(k, 0x20))))
                    d := lanes_power7(add(d, mload(add(k, 0x40))))
                    e := lanes_power7(add(e, mload(add(k, 0x60))))
                    a, b, d, e := external_layer(a, b, d, e)
                }
                a2 := a
                b2 := b
                d2 := d
                e2 := e
            }

            let w0 := mload(state)
            let w1 := mload(add(state, 0x20))
            let w2 := mload(add(state, 0x40))
            let w3 := mload(add(state, 0x60))
            w0, w1, w2, w3 := external_layer(w0, w1, w2, w3)
            w0, w1, w2, w3 := full_rounds(c, w0, w1, w2, w3)
            c := add(c, 0x200)

            let x0 := and(w0, LANE_12)
            let x1 := and(w1, LANE_12)
            let x2 := and(w2, LANE_12)
            let x3 := and(w3, LANE_12)
            let x4 := and(shr(80, w0), LANE_12)
            let x5 := and(shr(80, w1), LANE_12)
            let x6 := and(shr(80, w2), LANE_12)
            let x7 := and(shr(80, w3), LANE_12)
            let x8 := shr(160, w0)
            let x9 := shr(160, w1)
            let x10 := shr(160, w2)
            let x11 := shr(160, w3)
            for { let end := add(c, 0x2c0) } lt(c, end) { c := add(c, 0x20) } {
                let y := power7(add(x0, mload(c)))
                let total :=
                    add(
                        add(add(add(x1, x2), add(x3, x4)), add(add(x5, x6), add(x7, x8))),
                        add(add(x9, x10), x11)
                    )
                x0 := add(total, sub(P, y)) // −2y + (y + total)
                total := add(total, y)
                x1 := add(total, x1)
                x2 := add(total, add(x2, x2))
                x3 := add(total, mulmod(x3, DIAGONAL_12_3, P))
                x4 := add(total, mul(x4, 3))
                x5 := add(total, shl(2, x5))
                x6 := add(total, mulmod(x6, DIAGONAL_12_6, P))
                x7 := add(total, mulmod(x7, DIAGONAL_12_7, P))
                x8 := add(total, mulmod(x8, DIAGONAL_12_8, P))
                x9 := add(total, mulmod(x9, DIAGONAL_12_9, P))
                x10 := add(total, mulmod(x10, DIAGONAL_12_10, P))
                x11 := add(total, mulmod(x11, DIAGONAL_12_11, P))
            }
            w0 := or(or(mod(x0, P), shl(80, mod(x4, P))), shl(160, mod(x8, P)))
            w1 := or(or(mod(x1, P), shl(80, mod(x5, P))), shl(160, mod(x9, P)))
            w2 := or(or(mod(x2, P), shl(80, mod(x6, P))), shl(160, mod(x10, P)))
            w3 := or(or(mod(x3, P), shl(80, mod(x7, P))), shl(160, mod(x11, P)))

            w0, w1, w2, w3 := full_rounds(c, w0, w1, w2, w3)
            mstore(state, w0)
            mstore(add(state, 0x20), w1)
            mstore(add(state, 0x40), w2)
            mstore(add(state, 0x60), w3)
        }
    }
}
