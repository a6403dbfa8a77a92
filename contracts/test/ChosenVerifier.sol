// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IVerifier, Statement} from "../src/interfaces/IVerifier.sol";

/// @notice A stand-in for tests: it accepts the statements it was told, whatever the proof.
contract ChosenVerifier is IVerifier {
    mapping(bytes32 hash => bool) public accepts;

    /// @param hash keccak256(abi.encode(statement)).
    function accept(bytes32 hash) external {
        accepts[hash] = true;
    }

    function verify(Statement calldata statement, bytes calldata) external view returns (bool) {
        return accepts[keccak256(abi.encode(statement))];
    }
}
