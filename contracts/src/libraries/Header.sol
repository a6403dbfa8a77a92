// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {HeaderLayout} from "../rendered/HeaderLayout.sol";
import {PublicDataLayout} from "../rendered/PublicDataLayout.sol";
import {Goldilocks} from "./Goldilocks.sol";

/// @title A batch's header: 195 bytes, layout of public_data/header.py
library Header {
    uint256 internal constant VERSION = 1;

    /// @notice The fields, widened to words where that costs nothing.
    struct Fields {
        /// The data are state differences, not transactions.
        bool isDiff;
        /// The batch begins with empty order slots.
        bool resetSlots;
        uint32 number;
        /// Time of the last round, unix seconds.
        uint32 time;
        uint32 fork;
        uint32 venueEpoch;
        /// Requests processed before the batch; below 2^63, as the next.
        uint64 inboxBefore;
        uint64 inboxAfter;
        /// Digest of the parameters the batch is under.
        bytes32 parameters;
        bytes32 settlementRootBefore;
        bytes32 rootBefore;
        bytes32 settlementRootAfter;
        bytes32 rootAfter;
    }

    error HeaderLength(uint256 length, uint256 expected);
    /// @notice A byte names no version, form or truth value; `limit` is exclusive.
    error HeaderByte(string field, uint256 value, uint256 limit);
    error InboxCursorTooLarge(uint256 cursor, uint256 limit);

    /// @notice The fields of exactly these bytes; reverts on all that the specification refuses.
    function decode(bytes calldata header) internal pure returns (Fields memory fields) {
        if (header.length != HeaderLayout.BYTES) {
            revert HeaderLength(header.length, HeaderLayout.BYTES);
        }
        uint256 version = uint8(header[HeaderLayout.VERSION]);
        if (version != VERSION) revert HeaderByte("version", version, VERSION + 1);
        fields.isDiff = bit(header, HeaderLayout.FORM, "form");
        fields.resetSlots = bit(header, HeaderLayout.RESET_SLOTS, "reset_slots");
        fields.number = uint32(integer(header, HeaderLayout.NUMBER, 4));
        fields.time = uint32(integer(header, HeaderLayout.TIME, 4));
        fields.fork = uint32(integer(header, HeaderLayout.FORK, 4));
        fields.venueEpoch = uint32(integer(header, HeaderLayout.VENUE_EPOCH, 4));
        fields.inboxBefore = cursor(header, HeaderLayout.INBOX_BEFORE);
        fields.inboxAfter = cursor(header, HeaderLayout.INBOX_AFTER);
        fields.parameters = digest(header, HeaderLayout.PARAMETERS);
        fields.settlementRootBefore = digest(header, HeaderLayout.SETTLEMENT_ROOT_BEFORE);
        fields.rootBefore = digest(header, HeaderLayout.ROOT_BEFORE);
        fields.settlementRootAfter = digest(header, HeaderLayout.SETTLEMENT_ROOT_AFTER);
        fields.rootAfter = digest(header, HeaderLayout.ROOT_AFTER);
    }

    /// @dev A byte that is 0 or 1; the forms are `full` = 0 and `diff` = 1.
    function bit(bytes calldata header, uint256 offset, string memory field)
        private
        pure
        returns (bool)
    {
        uint256 value = uint8(header[offset]);
        if (value > 1) revert HeaderByte(field, value, 2);
        return value == 1;
    }

    /// @dev A big-endian integer of `width` bytes. Offsets lie inside: the length has been checked.
    function integer(bytes calldata header, uint256 offset, uint256 width)
        private
        pure
        returns (uint256)
    {
        return word(header, offset) >> (256 - 8 * width);
    }

    /// @dev A number of requests, below 2^63.
    function cursor(bytes calldata header, uint256 offset) private pure returns (uint64) {
        uint256 value = integer(header, offset, 8);
        if (value >= PublicDataLayout.CURSOR_LIMIT) {
            revert InboxCursorTooLarge(value, PublicDataLayout.CURSOR_LIMIT);
        }
        return uint64(value);
    }

    /// @dev A digest of four elements below p.
    function digest(bytes calldata header, uint256 offset) private pure returns (bytes32 value) {
        value = bytes32(word(header, offset));
        Goldilocks.requireCanonical(value);
    }

    /// @dev 32 bytes of calldata; beyond the header they are shifted away by the caller.
    function word(bytes calldata header, uint256 offset) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := calldataload(add(header.offset, offset))
        }
    }
}
