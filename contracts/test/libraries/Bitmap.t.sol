// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bitmap} from "../../src/libraries/Bitmap.sol";
import {Base} from "../Base.sol";

/// @notice Against a list of booleans.
contract BitmapTest is Base {
    using Bitmap for Bitmap.Set;

    uint32 private constant SIZE = 700;

    Bitmap.Set private set;
    bool[SIZE] private list;

    function testFuzz_equals_a_list(uint256 seed) external {
        for (uint256 k = 0; k < 60; ++k) {
            uint256 draw = uint256(keccak256(abi.encode(seed, k)));
            uint32 number = uint32((draw >> 8) % SIZE);
            if (draw & 7 < 5) {
                set.add(number);
                list[number] = true;
            } else if (draw & 7 < 7) {
                set.remove(number);
                list[number] = false;
            } else {
                uint32 last = number + uint32((draw >> 64) % (SIZE - number));
                set.removeRange(number, last);
                for (uint32 j = number; j <= last; ++j) {
                    list[j] = false;
                }
            }
        }
        for (uint32 number = 0; number < SIZE; number += 7) {
            assertTrue(set.contains(number) == list[number], "contains");
        }
        for (uint256 k = 0; k < 12; ++k) {
            uint256 draw = uint256(keccak256(abi.encode(k, seed)));
            uint32 first = uint32(1 + draw % (SIZE - 1));
            uint32 last = first + uint32((draw >> 32) % (SIZE - first));
            uint32 expected = first;
            while (expected <= last && !list[expected]) {
                ++expected;
            }
            assertEq(set.least(first, last), expected > last ? 0 : expected, "least");
        }
    }

    function test_edges_of_words() external {
        uint32[6] memory numbers = [uint32(1), 255, 256, 511, 512, type(uint32).max];
        for (uint256 k = 0; k < 6; ++k) {
            set.add(numbers[k]);
            assertEq(set.least(numbers[k], numbers[k]), numbers[k], "alone");
        }
        set.removeRange(255, 256);
        assertFalse(set.contains(255), "first");
        assertFalse(set.contains(256), "last");
        assertTrue(set.contains(511), "beyond");
        assertEq(set.least(2, 600), 511, "next");
        assertEq(set.least(513, 513), 0, "none");
        assertEq(set.least(256, 255), 0, "an empty range across words");
        assertEq(set.least(12, 11), 0, "an empty range in a word");
    }
}
