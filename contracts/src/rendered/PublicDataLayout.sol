// Rendered by tools/render_contracts.py from the specification. Do not edit.
// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Limits, kinds and widths of what a batch publishes. Limits are exclusive.
library PublicDataLayout {
    uint256 internal constant ACCOUNT_LIMIT = 0x01000000;
    uint256 internal constant AMOUNT_LIMIT = 0x8000000000000000;
    uint256 internal constant UNDERLYING_LIMIT = 256;
    uint256 internal constant INSTRUMENT_LIMIT = 0x04000000000000;
    uint256 internal constant CURSOR_LIMIT = 0x8000000000000000;
    uint256 internal constant GOLDILOCKS = 0xffffffff00000001;
    uint256 internal constant DEPOSIT = 0;
    uint256 internal constant FUND_DEPOSIT = 1;
    uint256 internal constant REGISTER_KEY = 2;
    uint256 internal constant ALLOW_OWNER = 3;
    uint256 internal constant FORCED_WITHDRAWAL = 4;
    uint256 internal constant FORCED_CLOSE = 5;
    uint256 internal constant FORCED_LIQUIDATION = 6;
    uint256 internal constant FORCED_CANCEL = 7;
    uint256 internal constant REQUEST_KINDS = 8;
    bytes32 internal constant REQUEST_LENGTHS =
        0x341e402c201f0418000000000000000000000000000000000000000000000000;
    uint256 internal constant OUTCOMES = 5;
    uint256 internal constant INBOX_MAX = 256;
    uint256 internal constant PAYMENT_BYTES = 32;
    uint256 internal constant NO_ACCOUNT = 0xffffffff;
    bytes internal constant WITHDRAWAL_TAG = "novate withdrawal";
    bytes32 internal constant POINT_TAG =
        0x09c84d35aa5eef8baebe391cd056a6b4f6985324af5367604539566cebb1e7a5;
    uint256 internal constant COEFFICIENT_BYTES = 31;
    uint256 internal constant POLYNOMIAL_BYTES = 126976;
    uint256 internal constant FIELD_ELEMENTS_PER_BLOB = 4096;
}

/// @dev The modulus of z and y. Not in the library: assembly takes only constants of the file.
uint256 constant SCALAR_FIELD =
    0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;
