// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Openings} from "./Openings.sol";
import {Reduction} from "./Reduction.sol";
import {Session} from "./Session.sol";
import {Verifier} from "./Verifier.sol";

/// @title The verifier with its transcript, and the gas of each step, laid open
/// @notice For tests and benchmarks: what it adds is never called in a settlement.
contract MeasuredVerifier is Verifier {
    uint256 private constant LOGGED = 2000;

    constructor(address[] memory keyParts) Verifier(keyParts) {}

    /// @notice What `verify` does.
    /// @return gas Of steps 0, 1, 2, 3, 4, 6 and 5, in the order they are done.
    /// @return hashes Digests of all hashes of the transcript.
    function measure(uint256[] calldata publics, bytes calldata proof)
        external
        view
        returns (uint256[7] memory gas, bytes32[] memory hashes)
    {
        uint256 before = gasleft();
        Session memory s = begin(publics, proof, LOGGED);
        (gas[0], before) = (before - gasleft(), gasleft());
        bindStatement(s);
        (gas[1], before) = (before - gasleft(), gasleft());
        Reduction.sumFractions(s);
        (gas[2], before) = (before - gasleft(), gasleft());
        Reduction.checkZero(s);
        (gas[3], before) = (before - gasleft(), gasleft());
        Openings.readClaims(s);
        (gas[4], before) = (before - gasleft(), gasleft());
        close(s);
        (gas[5], before) = (before - gasleft(), gasleft());
        open(s);
        (gas[6], before) = (before - gasleft(), gasleft());
        hashes = s.transcript.log;
        uint256 count = s.transcript.hashes;
        assembly ("memory-safe") {
            mstore(hashes, count)
        }
    }
}
