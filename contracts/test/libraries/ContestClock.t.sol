// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ContestClock} from "../../src/libraries/ContestClock.sol";
import {Base} from "../Base.sol";

/// @notice Against a list of all blocks in which a clock ran.
contract ContestClockTest is Base {
    using ContestClock for ContestClock.Clock;

    uint32 private constant DURATION = 7;
    uint256 private constant BLOCKS = 80;

    ContestClock.Clock private clock;
    /// @dev By block: whether a clock was running at its end and had not run out.
    bool[BLOCKS + 1] private ran;

    function testFuzz_equals_counting_blocks(uint256 seed) external {
        uint256 runs = 0; // blocks the present clock has run; DURATION + 1: none is running
        bool running = false;
        for (uint256 block_ = 1; block_ <= BLOCKS; ++block_) {
            vm.roll(block_);
            // blocks count from after the start to the present one
            if (running && runs < DURATION) {
                ran[block_] = true;
                ++runs;
            }
            uint256 draw = uint256(keccak256(abi.encode(seed, block_)));
            if (draw % 5 == 0) {
                uint32 number = draw >> 8 & 3 == 0 ? 0 : uint32(1 + (draw >> 16 & 7));
                clock.restart(number, DURATION);
                running = number != 0;
                runs = 0;
            }
        }
        for (uint256 k = 0; k < 40; ++k) {
            uint256 draw = uint256(keccak256(abi.encode(k, seed)));
            uint256 first = draw % (BLOCKS + 1);
            uint256 last = first + (draw >> 32) % (BLOCKS + 1 - first);
            uint256 expected = 0;
            for (uint256 block_ = first + 1; block_ <= last; ++block_) {
                if (ran[block_]) ++expected;
            }
            assertEq(
                clock.ran(uint64(first), uint64(last), DURATION), expected, "blocks of contests"
            );
        }
    }
}
