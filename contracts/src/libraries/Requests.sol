// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PublicDataLayout} from "../rendered/PublicDataLayout.sol";
import {Goldilocks} from "./Goldilocks.sol";

/// @title Inbox requests as bytes: kind, then the fields; layout of public_data/requests.py
/// @notice The encoders refuse what has no bytes, by name. The law skips no request and a batch
/// must
/// publish each it processes, so one that cannot be published would stop the venue for good.
library Requests {
    error AccountTooLarge(uint256 account, uint256 limit);
    error AmountOutOfRange(uint256 amount, uint256 low, uint256 limit);
    error UnderlyingTooLarge(uint256 underlying, uint256 limit);
    error InstrumentTooLarge(uint256 instrument, uint256 limit);
    error KeyElementTooLarge(uint256 place, uint256 element, uint256 limit);
    /// @notice Bytes of a batch that are no list of requests.
    error UnknownRequestKind(uint256 place, uint256 kind, uint256 limit);
    error UnknownOutcome(uint256 place, uint256 outcome, uint256 limit);
    error RequestsTruncated(uint256 place, uint256 end, uint256 length);
    error TooManyRequests(uint256 count, uint256 limit);

    /// @notice The inbox's hash after one more request: keccak(hash 32 ‖ request).
    function extend(bytes32 rollingHash, bytes memory request) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(rollingHash, request));
    }

    /// @notice The inbox's hash after the requests of a batch, read from the front of the
    /// contract's
    /// part of its data: count 2, then outcome 1 and request each.
    /// @param rollingHash Hash after all requests processed before the batch.
    /// @param data The contract's part.
    /// @param countMax Requests of one batch at most.
    /// @return hash The hash after them.
    /// @return count How many they are.
    /// @return end Where the payments begin.
    function absorb(bytes32 rollingHash, bytes calldata data, uint256 countMax)
        internal
        pure
        returns (bytes32 hash, uint256 count, uint256 end)
    {
        if (data.length < 2) revert RequestsTruncated(0, 2, data.length);
        count = uint16(bytes2(data[:2]));
        if (count > countMax) revert TooManyRequests(count, countMax);
        hash = rollingHash;
        end = 2;
        for (uint256 place = 0; place < count; ++place) {
            uint256 start = end + 1; // after the outcome
            end = start + lengthAt(data, place, start);
            if (end > data.length) revert RequestsTruncated(place, end, data.length);
            hash = extended(hash, data[start:end]);
        }
    }

    /// @dev Bytes of the request at `start`, whose outcome stands before it.
    function lengthAt(bytes calldata data, uint256 place, uint256 start)
        private
        pure
        returns (uint256)
    {
        if (start >= data.length) revert RequestsTruncated(place, start + 1, data.length);
        uint256 outcome = uint8(data[start - 1]);
        if (outcome >= PublicDataLayout.OUTCOMES) {
            revert UnknownOutcome(place, outcome, PublicDataLayout.OUTCOMES);
        }
        uint256 kind = uint8(data[start]);
        if (kind >= PublicDataLayout.REQUEST_KINDS) {
            revert UnknownRequestKind(place, kind, PublicDataLayout.REQUEST_KINDS);
        }
        return uint8(PublicDataLayout.REQUEST_LENGTHS[kind]);
    }

    /// @dev `extend` on calldata, in the free memory that the next call uses again: a request has
    /// at
    /// most 64 bytes, and a batch hundreds of them.
    function extended(bytes32 hash, bytes calldata request) private pure returns (bytes32 next) {
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore(buffer, hash)
            calldatacopy(add(buffer, 0x20), request.offset, request.length)
            next := keccak256(buffer, add(request.length, 0x20))
        }
    }

    // ------------------------------------------------------------------------------- encoders

    /// @notice 52 bytes.
    function deposit(uint256 account, address owner, address sender, uint256 amount)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(
            uint8(PublicDataLayout.DEPOSIT),
            checkedAccount(account),
            owner,
            sender,
            checkedAmount(amount)
        );
    }

    /// @notice 30 bytes.
    function fundDeposit(uint256 underlying, address sender, uint256 amount)
        internal
        pure
        returns (bytes memory)
    {
        if (underlying >= PublicDataLayout.UNDERLYING_LIMIT) {
            revert UnderlyingTooLarge(underlying, PublicDataLayout.UNDERLYING_LIMIT);
        }
        return abi.encodePacked(
            uint8(PublicDataLayout.FUND_DEPOSIT), uint8(underlying), sender, checkedAmount(amount)
        );
    }

    /// @notice 64 bytes.
    /// @param key Five elements below p; they need not be a point of the curve.
    function registerKey(uint256 account, address owner, uint64[5] memory key)
        internal
        pure
        returns (bytes memory)
    {
        for (uint256 place = 0; place < 5; ++place) {
            if (key[place] >= Goldilocks.MODULUS) {
                revert KeyElementTooLarge(place, key[place], Goldilocks.MODULUS);
            }
        }
        uint256 first =
            uint256(key[0]) << 192 | uint256(key[1]) << 128 | uint256(key[2]) << 64 | key[3];
        return abi.encodePacked(
            uint8(PublicDataLayout.REGISTER_KEY),
            checkedAccount(account),
            owner,
            Goldilocks.swap(first),
            uint64(Goldilocks.swap(key[4]))
        );
    }

    /// @notice 44 bytes.
    function allowOwner(uint256 account, address owner, address allowed)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(
            uint8(PublicDataLayout.ALLOW_OWNER), checkedAccount(account), owner, allowed
        );
    }

    /// @notice 32 bytes.
    function forcedWithdrawal(uint256 account, address owner, uint256 amount)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(
            uint8(PublicDataLayout.FORCED_WITHDRAWAL),
            checkedAccount(account),
            owner,
            checkedAmount(amount)
        );
    }

    /// @notice 31 bytes.
    function forcedClose(uint256 account, address owner, uint256 instrument)
        internal
        pure
        returns (bytes memory)
    {
        if (instrument >= PublicDataLayout.INSTRUMENT_LIMIT) {
            revert InstrumentTooLarge(instrument, PublicDataLayout.INSTRUMENT_LIMIT);
        }
        return abi.encodePacked(
            uint8(PublicDataLayout.FORCED_CLOSE),
            checkedAccount(account),
            owner,
            uint56(instrument)
        );
    }

    /// @notice 4 bytes.
    function forcedLiquidation(uint256 account) internal pure returns (bytes memory) {
        return
            abi.encodePacked(uint8(PublicDataLayout.FORCED_LIQUIDATION), checkedAccount(account));
    }

    /// @notice 24 bytes.
    function forcedCancel(uint256 account, address owner) internal pure returns (bytes memory) {
        return
            abi.encodePacked(uint8(PublicDataLayout.FORCED_CANCEL), checkedAccount(account), owner);
    }

    /// @dev An account index in three bytes.
    function checkedAccount(uint256 account) private pure returns (uint24) {
        if (account >= PublicDataLayout.ACCOUNT_LIMIT) {
            revert AccountTooLarge(account, PublicDataLayout.ACCOUNT_LIMIT);
        }
        return uint24(account);
    }

    /// @dev An amount of micro-USDC from 1 to 2^63 − 1. Nothing is no request: it would only cost.
    function checkedAmount(uint256 amount) private pure returns (uint64) {
        if (amount == 0 || amount >= PublicDataLayout.AMOUNT_LIMIT) {
            revert AmountOutOfRange(amount, 1, PublicDataLayout.AMOUNT_LIMIT);
        }
        return uint64(amount);
    }
}
