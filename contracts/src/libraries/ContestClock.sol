// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The clock of the oldest contested batch, and how long such clocks have run
/// @notice At most one clock runs at a time. It stands still after `duration` blocks: a clock that
/// ran out pauses nothing. What ran before is kept as intervals, so that the sum since any block is
/// found.
library ContestClock {
    /// @notice Blocks (from, to] in which a clock ran; `before` is the sum of all earlier
    /// intervals.
    struct Interval {
        uint64 from;
        uint64 to;
        uint64 before;
    }

    struct Clock {
        /// The batch whose clock runs; 0 if none does.
        uint32 number;
        /// Block at which it started.
        uint64 start;
        /// Blocks of all closed intervals.
        uint64 total;
        Interval[] intervals;
    }

    /// @notice Stops the running clock and starts that of a batch (0: of none).
    function restart(Clock storage clock, uint32 number, uint32 duration) internal {
        if (clock.number != 0) {
            uint64 end = _end(clock, uint64(block.number), duration);
            if (end > clock.start) {
                clock.intervals.push(Interval(clock.start, end, clock.total));
                clock.total += end - clock.start;
            }
        }
        clock.number = number;
        clock.start = number == 0 ? 0 : uint64(block.number);
    }

    /// @notice Blocks of (first, last] in which a clock ran; `last` is not in the future.
    function ran(Clock storage clock, uint64 first, uint64 last, uint32 duration)
        internal
        view
        returns (uint64)
    {
        return _until(clock, last, duration) - _until(clock, first, duration);
    }

    /// @dev Blocks up to and including `block_` in which a clock ran.
    function _until(Clock storage clock, uint64 block_, uint32 duration)
        private
        view
        returns (uint64)
    {
        if (clock.number != 0 && block_ >= clock.start) {
            return clock.total + _end(clock, block_, duration) - clock.start;
        }
        // Invariant: intervals before `low` begin at or before `block_`, those from `high` on after
        // it.
        uint256 low = 0;
        uint256 high = clock.intervals.length;
        while (low < high) {
            uint256 middle = (low + high) / 2;
            if (clock.intervals[middle].from <= block_) low = middle + 1;
            else high = middle;
        }
        if (low == 0) return 0;
        Interval storage latest = clock.intervals[low - 1];
        return latest.before + (block_ < latest.to ? block_ : latest.to) - latest.from;
    }

    /// @dev The last block that counts of a running clock seen at a block not before its start.
    function _end(Clock storage clock, uint64 block_, uint32 duration)
        private
        view
        returns (uint64)
    {
        uint64 last = clock.start + duration;
        return block_ < last ? block_ : last;
    }
}
