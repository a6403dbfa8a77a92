// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Arrays of words without the check of the place, for loops that stay inside by their
/// bounds
library Words {
    /// @notice words[place]
    function get(uint256[] memory words, uint256 place) internal pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(add(words, 32), shl(5, place)))
        }
    }

    /// @notice words[place] = word
    function set(uint256[] memory words, uint256 place, uint256 word) internal pure {
        assembly ("memory-safe") {
            mstore(add(add(words, 32), shl(5, place)), word)
        }
    }
}
