// Rendered by tools/render_contracts.py from the specification. Do not edit.
// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Tags and sizes of state leaves, and the depths of their trees.
library LeafLayout {
    uint256 internal constant ACCOUNT_TAG = 0x746e756f636361;
    uint256 internal constant MARKET_TAG = 0x74656b72616d;
    uint256 internal constant SNAPSHOT_TAG = 0x70616e73;
    uint256 internal constant INSTRUMENT_TAG = 0x7274736e69;
    uint256 internal constant INSTRUMENTS_TAG = 0x737274736e69;
    uint256 internal constant SETTLEMENT_TAG = 0x656c74746573;
    uint256 internal constant ROOT_TAG = 0x746f6f72;
    uint256 internal constant ACCOUNT_DEPTH = 24;
    uint256 internal constant MARKET_DEPTH = 8;
    uint256 internal constant INSTRUMENT_DEPTH = 11;
    uint256 internal constant POSITIONS_MAX = 256;
    uint256 internal constant QUANTITY_OFFSET = 0x7fffffff;
    uint256 internal constant NEVER_OPENED_SINCE = 1;
}
