// Rendered by tools/render_contracts.py from the specification. Do not edit.
// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Where each field of a batch's header begins, and the values of its form.
library HeaderLayout {
    uint256 internal constant BYTES = 195;
    uint256 internal constant VERSION = 0;
    uint256 internal constant FORM = 1;
    uint256 internal constant RESET_SLOTS = 2;
    uint256 internal constant NUMBER = 3;
    uint256 internal constant TIME = 7;
    uint256 internal constant FORK = 11;
    uint256 internal constant VENUE_EPOCH = 15;
    uint256 internal constant INBOX_BEFORE = 19;
    uint256 internal constant INBOX_AFTER = 27;
    uint256 internal constant PARAMETERS = 35;
    uint256 internal constant SETTLEMENT_ROOT_BEFORE = 67;
    uint256 internal constant ROOT_BEFORE = 99;
    uint256 internal constant SETTLEMENT_ROOT_AFTER = 131;
    uint256 internal constant ROOT_AFTER = 163;
    uint256 internal constant FORM_FULL = 0;
    uint256 internal constant FORM_DIFF = 1;
}
