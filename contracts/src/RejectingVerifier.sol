// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IVerifier, Statement} from "./interfaces/IVerifier.sol";

/// @title The verifier of a deployment that has no proof system yet
/// @notice It accepts nothing. Under it a `diff` batch can never become final, and a `full` batch
/// only by its window: whoever challenges one has it reverted, honest or not, and a request
/// reverted twice lets anyone freeze the venue. So a venue on this verifier is for trying out, not
/// for money.
contract RejectingVerifier is IVerifier {
    /// @notice There is no proof system behind this address: every proof is rejected.
    error EveryProofIsRejected();

    /// @inheritdoc IVerifier
    function verify(Statement calldata, bytes calldata) external pure returns (bool) {
        revert EveryProofIsRejected();
    }
}
