// Rendered by tools/render_verifier.py from keys/*.json. Do not edit.
// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Digests of keys: keccak256 of the code hashes of their data contracts.
library VerifierKeys {
    bytes32 internal constant SIGNED_UPDATES_MINIMAL =
        0xf37446dc3ebcc42f35cc2394ad3ecdedf05dcc6a10dc63b9a55de37dfdbeb643;
    bytes32 internal constant SIGNED_UPDATES_SMALL =
        0x4ab21c6f7242f7388861bba6a49ac7d3431fea6990c3737d0f5e0b21e7bbfce8;

    /// @notice Whether a digest is one of them.
    function isKnown(bytes32 digest) internal pure returns (bool) {
        return digest == SIGNED_UPDATES_MINIMAL || digest == SIGNED_UPDATES_SMALL;
    }
}
