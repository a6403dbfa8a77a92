// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Key} from "./Keys.sol";
import {Transcript} from "./Transcripts.sol";

/// @notice One verification: what the key says, what was read so far and what it left to be shown.
/// @dev Names and steps: docs/protocol.md. Elements of K have lanes below p.
struct Session {
    Key key;
    Transcript transcript;
    /// Contracts of the key: seeds, then programs.
    address[] parts;
    /// Where in calldata the next message begins, and where the opened values do.
    uint256 cursor;
    uint256 openedAt;
    bytes32 root;
    uint256[] publics;
    // Step 2.
    uint256 alpha;
    uint256 beta;
    uint256 theta;
    uint256[] q;
    uint256 numerator;
    uint256 denominator;
    // Step 3.
    uint256 alphaRules;
    uint256 betaTables;
    uint256 eta;
    /// The coordinates of τ before those of q.
    uint256[] fresh;
    uint256[] r;
    uint256 zerocheckValue;
    // Step 4.
    uint256[] answers;
    uint256[] answerPoints;
    uint256[] opened;
    // Step 5.
    uint256 gamma;
    uint256[] xi;
    uint256 folded;
    /// What the claims so far must sum to.
    uint256 claim;
    /// Σ γ^j · value_j over the column claims.
    uint256 columnsClaim;
}
