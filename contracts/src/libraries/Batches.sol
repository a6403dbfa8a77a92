// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CommittedBatch} from "../interfaces/ISettlement.sol";

/// @title The hash that stands for a committed batch
library Batches {
    /// @notice Hash of a batch that the caller supplied.
    function hash(CommittedBatch calldata batch) internal pure returns (bytes32) {
        return join(keccak256(abi.encode(batch.body)), batch.withdrawalsRoot);
    }

    /// @notice Hash of a batch that was made here.
    function hashOfNew(CommittedBatch memory batch) internal pure returns (bytes32) {
        return join(keccak256(abi.encode(batch.body)), batch.withdrawalsRoot);
    }

    /// @notice Hash of all, from the two words that a claim shows.
    function join(bytes32 bodyHash_, bytes32 withdrawalsRoot) internal pure returns (bytes32) {
        return keccak256(abi.encode(bodyHash_, withdrawalsRoot));
    }
}
