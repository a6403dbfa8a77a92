// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

interface IERC20 {
    function balanceOf(address owner) external view returns (uint256);
    function transfer(address to, uint256 amount) external returns (bool);
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

/// @title ERC-20 transfers of tokens that return a bool, or nothing, or revert
library Token {
    /// @notice Whether the token moved `amount` to `to`. False where it reverts or returns false.
    function tryTransfer(address token, address to, uint256 amount) internal returns (bool) {
        return _tryCall(token, abi.encodeCall(IERC20.transfer, (to, amount)));
    }

    /// @notice Whether the token moved `amount` from `from` to this contract.
    function tryPull(address token, address from, uint256 amount) internal returns (bool) {
        return _tryCall(token, abi.encodeCall(IERC20.transferFrom, (from, address(this), amount)));
    }

    /// @dev A call that succeeds with nothing or true; an address without code succeeds with
    /// nothing and moves nothing, so it must have code.
    function _tryCall(address token, bytes memory data) private returns (bool) {
        (bool succeeded, bytes memory result) = token.call(data);
        if (!succeeded) return false;
        if (result.length == 0) return token.code.length > 0;
        return result.length >= 32 && abi.decode(result, (uint256)) == 1;
    }
}
