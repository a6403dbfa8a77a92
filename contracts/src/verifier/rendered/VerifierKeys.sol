// Rendered by tools/render_verifier.py from keys/*.json. Do not edit.
// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Digests of keys: keccak256 of the code hashes of their data contracts.
library VerifierKeys {
    bytes32 internal constant SIGNED_UPDATES_MAIN =
        0x252ce20bdce5d5ab4d59cdfdbd92cb126a5c442aab02f061350a13b63e507cba;
    bytes32 internal constant SIGNED_UPDATES_MINIMAL =
        0x9200500464792db0b53c7f0c1d117861e5bba124b23dea1adbf1c7e33e987498;
    bytes32 internal constant SIGNED_UPDATES_SMALL =
        0x9226cecc2c4405e82b99edca62b151ca675fab89e12c5674999f60a2b493f6e5;

    /// @notice Whether a digest is one of them.
    function isKnown(bytes32 digest) internal pure returns (bool) {
        return digest == SIGNED_UPDATES_MAIN || digest == SIGNED_UPDATES_MINIMAL || digest == SIGNED_UPDATES_SMALL;
    }
}
