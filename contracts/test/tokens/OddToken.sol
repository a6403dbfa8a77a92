// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MockToken} from "./MockToken.sol";

/// @notice Who is asked before its tokens are pulled, as ERC-777 does it.
interface ISender {
    function tokensToSend(uint256 amount) external;
}

/// @notice A token that behaves as tokens sometimes do.
contract OddToken is MockToken {
    enum Habit {
        NONE,
        /// Returns nothing on success.
        SILENT,
        /// Returns false and moves nothing.
        FALSE,
        /// Keeps one unit of each transfer.
        FEE,
        /// Returns the number 2.
        TWO,
        /// Calls who pays before it moves anything.
        ASKING
    }

    Habit public habit;
    mapping(address owner => bool) public blocked;

    error Blocked(address owner);

    function setHabit(Habit habit_) external {
        habit = habit_;
    }

    function setBlocked(address owner, bool blocked_) external {
        blocked[owner] = blocked_;
    }

    function transfer(address to, uint256 amount) external override returns (bool) {
        _behave(msg.sender, to, amount);
        return true;
    }

    function transferFrom(address from, address to, uint256 amount)
        external
        override
        returns (bool)
    {
        if (habit == Habit.ASKING) ISender(from).tokensToSend(amount);
        _spend(from, amount);
        _behave(from, to, amount);
        return true;
    }

    /// @dev Moves and, where the habit says so, ends the call with another answer.
    function _behave(address from, address to, uint256 amount) private {
        if (blocked[to]) revert Blocked(to);
        if (habit == Habit.FALSE) _answer(0, 32);
        _move(from, to, habit == Habit.FEE ? amount - 1 : amount);
        if (habit == Habit.SILENT) _answer(0, 0);
        if (habit == Habit.TWO) _answer(2, 32);
    }

    function _answer(uint256 word, uint256 size) private pure {
        assembly {
            mstore(0, word)
            return(0, size)
        }
    }
}
