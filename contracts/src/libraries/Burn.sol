// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Ether that nobody gets
library Burn {
    /// @dev Nobody has its key, and it has no code that could refuse or reenter.
    address internal constant GRAVE = 0x000000000000000000000000000000000000dEaD;

    /// @notice The grave refused the ether.
    error BurnFailed(uint256 amount);

    /// @notice Sends wei of this contract to the grave.
    function burn(uint256 amount) internal {
        if (amount == 0) return;
        (bool burned,) = GRAVE.call{value: amount}("");
        if (!burned) revert BurnFailed(amount);
    }
}
