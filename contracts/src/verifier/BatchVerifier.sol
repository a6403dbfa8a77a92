// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IVerifier, Statement} from "../interfaces/IVerifier.sol";
import {BatchPublicValues} from "./BatchPublicValues.sol";
import {Verifier} from "./Verifier.sol";

/// @title The verifier of a statement's proofs as the settlement contract asks it
/// @notice Works out the public values and leaves the proof to `Verifier`. It is as much worth as
/// the key of that verifier: only a key whose one table with public values is `batch` fits, and no
/// deployment has one before the law's tables are proved.
contract BatchVerifier is IVerifier {
    /// @notice Verifies proofs of the key.
    Verifier public immutable VERIFIER;

    /// @param verifier Of a key whose public values are those of table `batch`.
    constructor(Verifier verifier) {
        VERIFIER = verifier;
    }

    /// @inheritdoc IVerifier
    /// @dev The settlement contract is whoever asks: a proof for another venue, or another chain,
    /// has other public values. Reverts with an error of `BatchPublicValues` or of `Verifier`.
    function verify(Statement calldata statement, bytes calldata proof)
        external
        view
        returns (bool valid)
    {
        uint256[] memory values =
            BatchPublicValues.ofStatement(statement, block.chainid, msg.sender);
        return VERIFIER.verify(values, proof);
    }

    /// @notice The public values that a proof for a settlement contract on this chain must have.
    function publicValues(Statement calldata statement, address settlement)
        external
        view
        returns (uint256[] memory values)
    {
        return BatchPublicValues.ofStatement(statement, block.chainid, settlement);
    }
}
