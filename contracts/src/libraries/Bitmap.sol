// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Sets of 32-bit numbers, 256 a word
library Bitmap {
    struct Set {
        mapping(uint256 place => uint256) words;
    }

    function contains(Set storage set, uint32 number) internal view returns (bool) {
        return set.words[number >> 8] >> (number & 255) & 1 == 1;
    }

    function add(Set storage set, uint32 number) internal {
        set.words[number >> 8] |= 1 << (number & 255);
    }

    function remove(Set storage set, uint32 number) internal {
        set.words[number >> 8] &= ~(1 << (number & 255));
    }

    /// @notice Removes every number of [first, last]. One step for 256 numbers.
    function removeRange(Set storage set, uint32 first, uint32 last) internal {
        for (uint256 place = first >> 8; place <= last >> 8; ++place) {
            uint256 word = set.words[place];
            uint256 kept = word & ~_mask(place, first, last);
            if (kept != word) set.words[place] = kept;
        }
    }

    /// @notice The least member of [first, last], or 0 if there is none. One step for 256 numbers.
    function least(Set storage set, uint32 first, uint32 last) internal view returns (uint32) {
        for (uint256 place = first >> 8; place <= last >> 8; ++place) {
            uint256 found = set.words[place] & _mask(place, first, last);
            // The lowest bit alone; its place is the number of trailing zeros.
            if (found != 0) return uint32((place << 8) + _log2(found & (~found + 1)));
        }
        return 0;
    }

    /// @dev The bits of a word that stand for numbers of [first, last].
    function _mask(uint256 place, uint32 first, uint32 last) private pure returns (uint256 mask) {
        mask = type(uint256).max;
        if (place == first >> 8) mask &= type(uint256).max << (first & 255);
        if (place == last >> 8) mask &= type(uint256).max >> (255 - (last & 255));
    }

    /// @dev The exponent of a power of two, by halving.
    function _log2(uint256 power) private pure returns (uint256 exponent) {
        for (uint256 step = 128; step > 0; step >>= 1) {
            if (power >> step != 0) {
                power >>= step;
                exponent += step;
            }
        }
    }
}
