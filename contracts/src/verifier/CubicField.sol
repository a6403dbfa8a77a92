// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev p = 2^64 − 2^32 + 1.
uint256 constant P = 0xffffffff00000001;
uint256 constant LANE_MASK = 0x1fffffffffffffffffffff; // 85 bits
uint256 constant P_LANES = 0x3fffffffc0000000400001fffffffe0000000200000ffffffff00000001;
uint256 constant WORD = 0xffffffffffffffff;
uint256 constant EVEN_WORDS = 0xffffffffffffffff0000000000000000ffffffffffffffff;
uint256 constant ODD_TO_CARRY = 0x00ffffffff000000000000000000000000ffffffff;
uint256 constant HALVES = 0xffffffff00000000ffffffff00000000ffffffff00000000ffffffff;
uint256 constant HALF_ONES = 0x1000000000000000100000000000000010000000000000001;
uint256 constant HALF_CARRIES = 0x100000000000000010000000000000001000000000000000100000000;
uint256 constant CARRIES = 0x1000000000000000000000000000000010000000000000000;

/// @title K = F[X] / (X³ − X − 1) over F, the integers mod p
/// @notice An element c0 + c1·X + c2·X² is one word, c_i in the 85 bits from 85·i on. Lanes need
/// not be below p: a *bound* b says that each is at most b·p. Sums of words are sums of elements as
/// long as the bound stays below 2^20; then products of lanes are below 2^168 and sums of thousands
/// of them fit.
/// @dev Definition and names: proof/verifier/field.py.
library CubicField {
    /// @notice An element of the proof is not below p.
    error NotCanonical(uint256 lanes);

    /// @notice a · b; bound 1.
    function mul(uint256 a, uint256 b) internal pure returns (uint256 c) {
        assembly ("memory-safe") {
            let a0 := and(a, LANE_MASK)
            let a1 := and(shr(85, a), LANE_MASK)
            let a2 := shr(170, a)
            let b0 := and(b, LANE_MASK)
            let b1 := and(shr(85, b), LANE_MASK)
            let b2 := shr(170, b)
            // X³ = X + 1 and X⁴ = X² + X
            let d3 := add(mul(a1, b2), mul(a2, b1))
            let d4 := mul(a2, b2)
            c := shl(170, mod(add(add(mul(a0, b2), mul(a1, b1)), add(mul(a2, b0), d4)), P))
            c := or(c, shl(85, mod(add(add(mul(a0, b1), mul(a1, b0)), add(d3, d4)), P)))
            c := or(c, mod(add(mul(a0, b0), d3), P))
        }
    }

    /// @notice a · factor, an element of F; bound 1.
    function scale(uint256 a, uint256 factor) internal pure returns (uint256 c) {
        assembly ("memory-safe") {
            c := shl(170, mod(mul(shr(170, a), factor), P))
            c := or(c, shl(85, mod(mul(and(shr(85, a), LANE_MASK), factor), P)))
            c := or(c, mod(mul(and(a, LANE_MASK), factor), P))
        }
    }

    /// @notice The same element; bound 1, and every lane below p.
    function reduce(uint256 a) internal pure returns (uint256) {
        return scale(a, 1);
    }

    /// @notice a − b for b of bound 1; the bound of a and 1 more.
    function sub(uint256 a, uint256 b) internal pure returns (uint256) {
        unchecked {
            return a + P_LANES - b;
        }
    }

    /// @notice base^exponent; bound 1 if the base has it.
    function power(uint256 base, uint256 exponent) internal pure returns (uint256 result) {
        unchecked {
            result = 1;
            for (; exponent != 0; exponent >>= 1) {
                if (exponent & 1 != 0) result = mul(result, base);
                base = mul(base, base);
            }
        }
    }

    /// @notice 2ab − a − b + 1 for a and b of bound 1: 1 where two corners are the same, else 0.
    /// @return Of bound 5.
    function eq(uint256 a, uint256 b) internal pure returns (uint256) {
        unchecked {
            return 2 * mul(a, b) + 2 * P_LANES - a - b + 1;
        }
    }

    /// @notice a + x·(b − a); bound 1. For a and b of bound 1.
    function between(uint256 a, uint256 b, uint256 x) internal pure returns (uint256) {
        unchecked {
            return reduce(a + mul(sub(b, a), x));
        }
    }

    /// @notice Reverses the bytes of every 64 bits.
    /// @dev Pairs of bytes, of halves of a word and of words trade places by differences: other
    /// ways to write it are made longer by the optimizer.
    function swap(uint256 word) internal pure returns (uint256) {
        assembly ("memory-safe") {
            let mask := 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff
            let change := and(xor(word, shr(8, word)), mask)
            word := xor(word, xor(change, shl(8, change)))
            mask := 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff
            change := and(xor(word, shr(16, word)), mask)
            word := xor(word, xor(change, shl(16, change)))
            mask := 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff
            change := and(xor(word, shr(32, word)), mask)
            word := xor(word, xor(change, shl(32, change)))
        }
        return word;
    }

    /// @notice Reverses the bytes of every 64 bits. NotCanonical unless each is below p then.
    function canonical(uint256 word) internal pure returns (uint256) {
        uint256 suspect;
        assembly ("memory-safe") {
            let mask := 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff
            let change := and(xor(word, shr(8, word)), mask)
            word := xor(word, xor(change, shl(8, change)))
            mask := 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff
            change := and(xor(word, shr(16, word)), mask)
            word := xor(word, xor(change, shl(16, change)))
            // Only the halves of 32 bits are in the wrong order now. From p on all bits of the
            // upper one are set.
            let upper := and(word, HALVES)
            suspect := and(add(upper, HALF_ONES), HALF_CARRIES)
            word := or(shl(32, upper), and(shr(32, word), HALVES))
        }
        if (suspect != 0) requireCanonical(word);
        return word;
    }

    /// @dev NotCanonical unless every 64 bits are below p: x + 2^32 − 1 reaches 2^64 exactly if x
    /// reaches p.
    function requireCanonical(uint256 word) private pure {
        uint256 carries;
        assembly ("memory-safe") {
            let even := add(and(word, EVEN_WORDS), ODD_TO_CARRY)
            let odd := add(and(shr(64, word), EVEN_WORDS), ODD_TO_CARRY)
            carries := and(or(even, odd), CARRIES)
        }
        if (carries != 0) revert NotCanonical(word);
    }

    /// @notice Four elements of F in calldata, eight bytes each, little-endian, the first one
    /// highest. NotCanonical unless each is below p.
    function wordsAt(uint256 cursor) internal pure returns (uint256) {
        uint256 words;
        assembly ("memory-safe") {
            words := calldataload(cursor)
        }
        return canonical(words);
    }

    /// @notice The element of K in 24 bytes of calldata. NotCanonical unless its lanes are below p.
    function elementAt(uint256 cursor) internal pure returns (uint256 element) {
        uint256 words;
        assembly ("memory-safe") {
            words := shr(64, calldataload(cursor))
        }
        words = canonical(words);
        assembly ("memory-safe") {
            element := or(shr(128, words), shl(85, and(shr(64, words), WORD)))
            element := or(element, shl(170, and(words, WORD)))
        }
    }

    /// @notice Elements of K in calldata, one after the other, to memory. NotCanonical unless their
    /// lanes are below p.
    /// @param count Of them.
    /// @param to Where the first one goes.
    function readElements(uint256 cursor, uint256 count, uint256 to) internal pure {
        unchecked {
            uint256 suspect = 0;
            uint256 end = cursor + 24 * count;
            uint256 from = cursor;
            assembly ("memory-safe") {
                for {} lt(from, end) { from := add(from, 24) } {
                    // As `canonical` does it.
                    let words := shr(64, calldataload(from))
                    let mask := 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff
                    let change := and(xor(words, shr(8, words)), mask)
                    words := xor(words, xor(change, shl(8, change)))
                    mask := 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff
                    change := and(xor(words, shr(16, words)), mask)
                    words := xor(words, xor(change, shl(16, change)))
                    change := and(words, HALVES)
                    suspect := or(suspect, add(change, HALF_ONES))
                    words := or(shl(32, change), and(shr(32, words), HALVES))
                    change := or(shl(170, and(words, WORD)), shl(85, and(shr(64, words), WORD)))
                    mstore(to, or(change, shr(128, words)))
                    to := add(to, 32)
                }
            }
            if (suspect & HALF_CARRIES != 0) {
                for (; cursor < end; cursor += 24) {
                    elementAt(cursor);
                }
            }
        }
    }
}
