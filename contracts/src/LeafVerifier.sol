// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IStateLeaves} from "./interfaces/IStateLeaves.sol";
import {StateLeaves} from "./libraries/StateLeaves.sol";

/// @title LeafVerifier
/// @notice See IStateLeaves.
contract LeafVerifier is IStateLeaves {
    /// @dev A market leaf: digests of four snapshots, then halted since, and more.
    uint256 internal constant HALTED_SINCE = 16;

    /// @inheritdoc IStateLeaves
    function rootOfMarket(
        uint256[] calldata elements,
        uint256 underlying,
        uint256 depth,
        bytes32[] calldata path,
        bytes32[4] calldata sections
    ) external pure returns (bytes32 root, uint256 haltedSince) {
        if (elements.length <= HALTED_SINCE) {
            revert LeafTooShort(elements.length, HALTED_SINCE + 1);
        }
        root = StateLeaves.rootOfMarket(elements, underlying, path, sections, depth);
        haltedSince = elements[HALTED_SINCE];
    }
}
