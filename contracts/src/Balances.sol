// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISettlement} from "./interfaces/ISettlement.sol";
import {Burn} from "./libraries/Burn.sol";

/// @title Ether of sequencers, challengers and provers that is not locked
/// @notice Bonds are taken from balances and go back to them; only its owner takes ether out.
abstract contract Balances is ISettlement {
    /// @inheritdoc ISettlement
    mapping(address owner => uint256) public balances;

    /// @inheritdoc ISettlement
    function addBalance() external payable {
        _credit(msg.sender, msg.value);
    }

    /// @inheritdoc ISettlement
    function withdrawBalance(uint256 amount) external {
        _take(msg.sender, amount);
        emit BalanceWithdrawn(msg.sender, amount);
        (bool accepted,) = msg.sender.call{value: amount}("");
        if (!accepted) revert SendFailed(msg.sender, amount);
    }

    function _credit(address owner, uint256 amount) internal {
        balances[owner] += amount;
        emit BalanceAdded(owner, amount);
    }

    function _take(address owner, uint256 amount) internal {
        uint256 balance = balances[owner];
        if (balance < amount) revert BalanceTooSmall(owner, balance, amount);
        balances[owner] = balance - amount;
    }

    /// @dev Half of a lost bond, rounded down, to whoever showed the loser wrong; the rest is
    /// burned, so that nobody can win his own bond back.
    function _splitBond(address winner, uint256 bond) internal {
        _credit(winner, bond / 2);
        _burn(bond - bond / 2);
    }

    function _burn(uint256 amount) internal {
        emit Burned(amount);
        Burn.burn(amount);
    }
}
