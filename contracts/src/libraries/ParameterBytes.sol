// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Goldilocks} from "./Goldilocks.sol";
import {Poseidon2} from "./Poseidon2.sol";

/// @title Parameters of the law in bytes, and their digest
/// @notice Reads the layout of public_data/parameters.py and hashes the elements of
/// layout.parameters_elements: so a digest on L1 always is that of bytes published on L1.
/// About 2.7 k gas an element: a market with 33 scenarios has 130, so some forty fit a transaction.
library ParameterBytes {
    /// @notice What the registry needs to know of parameters.
    struct Summary {
        bytes32 digest;
        uint256 chainId;
        address settlement;
    }

    /// @dev What is read so far: place in the bytes, number of elements.
    struct Reader {
        uint256 place;
        uint256 count;
        uint256[] elements;
    }

    /// @dev "params", little-endian.
    uint256 private constant TAG = 0x736d61726170;
    /// @dev Chain id and settlement contract.
    uint256 private constant VENUE_BYTES = 28;
    uint256 private constant KEY_BYTES = 40;
    uint256 private constant PPM_SIGNED_MAX = 2 ** 24 - 1;
    uint256 private constant DECIMALS_MAX = 12;
    uint256 private constant SYMBOL_MAX = 16;
    /// @dev 4 for the venue, 9 rates, 3 counts.
    uint256 private constant FIXED_ELEMENTS = 16;

    error ParametersTruncated(uint256 place, uint256 width, uint256 length);
    error ParametersTrailing(uint256 place, uint256 length);
    error ParameterOutOfRange(string field, uint256 place, uint256 value, uint256 limit);
    /// @notice Oracle keys are distinct and ascending, as tuples of elements.
    error OracleKeysNotSorted(uint256 place);

    /// @notice Digest and what else the registry needs of exactly these bytes; reverts on what the
    /// specification's decoder refuses.
    function read(bytes memory data) internal pure returns (Summary memory summary) {
        Reader memory reader;
        // Every element takes a byte at least, but for two of a symbol (with 110 bytes of market).
        reader.elements = new uint256[](data.length + FIXED_ELEMENTS);
        summary.chainId = _large(reader, data, "chain_id");
        summary.settlement = _address(reader, data);
        uint256 markets = _number(reader, data, 2);
        uint256 marketsStart = reader.place;
        _skipMarkets(reader, data, markets);
        uint256 keysPlace = reader.place;
        _skip(reader, data, _number(reader, data, 1) * KEY_BYTES);
        uint256 tiersPlace = reader.place;
        _skip(reader, data, _number(reader, data, 1) * 8);
        // The digest wants the rates first, then keys, tiers and markets.
        for (uint256 k = 0; k < 9; ++k) {
            _push(reader, _number(reader, data, 4));
        }
        if (reader.place != data.length) revert ParametersTrailing(reader.place, data.length);
        reader.place = keysPlace;
        _readKeys(reader, data);
        reader.place = tiersPlace;
        _readTiers(reader, data);
        reader.place = marketsStart;
        _push(reader, markets);
        for (uint256 k = 0; k < markets; ++k) {
            _readMarket(reader, data);
        }
        summary.digest = _digest(reader);
    }

    /// @notice Number of oracle keys in bytes that were read before, and the offset of the first
    /// one. The byte before it is their number.
    function keysOf(bytes memory data) internal pure returns (uint256 count, uint256 start) {
        Reader memory reader;
        reader.place = VENUE_BYTES;
        _skipMarkets(reader, data, _number(reader, data, 2));
        count = _number(reader, data, 1);
        start = reader.place;
    }

    /// @notice The bytes without one of the oracle keys, and that key.
    function withoutKey(bytes calldata data, uint256 count, uint256 start, uint256 place)
        internal
        pure
        returns (bytes memory kept, bytes memory key)
    {
        uint256 cut = start + place * KEY_BYTES;
        key = data[cut:cut + KEY_BYTES];
        kept = abi.encodePacked(
            data[:start - 1], uint8(count - 1), data[start:cut], data[cut + KEY_BYTES:]
        );
    }

    // --------------------------------------------------------------------------------------- parts

    /// @dev Number of keys, then five little-endian elements each.
    function _readKeys(Reader memory reader, bytes memory data) private pure {
        uint256 count = _number(reader, data, 1);
        if (count == 0) revert ParameterOutOfRange("oracle_keys", reader.place, 0, 1);
        _push(reader, count);
        uint256 before = 0;
        uint256 beforeLast = 0;
        for (uint256 k = 0; k < count; ++k) {
            uint256 place = reader.place;
            uint256 lanes = Goldilocks.swap(_number(reader, data, 32));
            uint256 last = Goldilocks.swap(_number(reader, data, 8));
            if (!Goldilocks.areCanonical(lanes) || last >= Goldilocks.MODULUS) {
                revert ParameterOutOfRange("oracle_keys", place, k, Goldilocks.MODULUS);
            }
            bool ascends = lanes > before || (lanes == before && last > beforeLast);
            if (k > 0 && !ascends) revert OracleKeysNotSorted(k);
            (before, beforeLast) = (lanes, last);
            for (uint256 lane = 0; lane < 4; ++lane) {
                _push(reader, uint64(lanes >> (192 - 64 * lane)));
            }
            _push(reader, last);
        }
    }

    /// @dev Number of fee tiers, then maker and taker rate each.
    function _readTiers(Reader memory reader, bytes memory data) private pure {
        uint256 count = _number(reader, data, 1);
        if (count == 0) revert ParameterOutOfRange("fee_tiers", reader.place, 0, 1);
        _push(reader, count);
        for (uint256 k = 0; k < 2 * count; ++k) {
            _signed(reader, data, 4, PPM_SIGNED_MAX, "fee_ppm");
        }
    }

    /// @dev Symbol, decimals, fourteen rates, then risk parameters.
    function _readMarket(Reader memory reader, bytes memory data) private pure {
        _symbol(reader, data);
        uint256 decimals = _number(reader, data, 1);
        if (decimals > DECIMALS_MAX) {
            revert ParameterOutOfRange("price_decimals", reader.place, decimals, DECIMALS_MAX + 1);
        }
        _push(reader, decimals);
        for (uint256 k = 0; k < 14; ++k) {
            _push(reader, _number(reader, data, 4));
        }
        uint256 scenarios = _number(reader, data, 1);
        _push(reader, scenarios);
        for (uint256 k = 0; k < scenarios; ++k) {
            _signed(reader, data, 4, PPM_SIGNED_MAX, "spot_ppm");
            _signed(reader, data, 1, 1, "vol_direction");
            _push(reader, _number(reader, data, 4));
        }
        for (uint256 k = 0; k < 8; ++k) {
            _push(reader, _number(reader, data, 4));
        }
        _large(reader, data, "concentration_free");
        for (uint256 k = 0; k < 3; ++k) {
            _push(reader, _number(reader, data, 4));
        }
    }

    /// @dev Passes over markets; `_readMarket` checks them later.
    function _skipMarkets(Reader memory reader, bytes memory data, uint256 markets) private pure {
        for (uint256 k = 0; k < markets; ++k) {
            _skip(reader, data, _number(reader, data, 1) + 1 + 14 * 4);
            _skip(reader, data, _number(reader, data, 1) * 9 + 11 * 4 + 8);
        }
    }

    // -------------------------------------------------------------------------------------- fields

    /// @dev Length, then so many printable ASCII characters: as limbs of six characters, the first
    /// one lowest.
    function _symbol(Reader memory reader, bytes memory data) private pure {
        uint256 start = reader.place;
        uint256 length = _number(reader, data, 1);
        if (length == 0 || length > SYMBOL_MAX) {
            revert ParameterOutOfRange("symbol", start, length, SYMBOL_MAX + 1);
        }
        uint256 symbol = 0;
        for (uint256 k = 0; k < length; ++k) {
            uint256 character = _number(reader, data, 1);
            if (character < 0x20 || character > 0x7e) {
                revert ParameterOutOfRange("symbol", start, character, 0x7f);
            }
            symbol |= character << (8 * k);
        }
        _push(reader, symbol & (2 ** 48 - 1));
        _push(reader, symbol >> 48 & (2 ** 48 - 1));
        _push(reader, symbol >> 96);
    }

    /// @dev 20 bytes as limbs of 56, 56 and 48 bits, lowest first.
    function _address(Reader memory reader, bytes memory data) private pure returns (address) {
        uint256 value = _number(reader, data, 20);
        _push(reader, value & (2 ** 56 - 1));
        _push(reader, value >> 56 & (2 ** 56 - 1));
        _push(reader, value >> 112);
        return address(uint160(value));
    }

    /// @dev Eight bytes, below 2^63.
    function _large(Reader memory reader, bytes memory data, string memory field)
        private
        pure
        returns (uint256 value)
    {
        value = _number(reader, data, 8);
        if (value >= 2 ** 63) revert ParameterOutOfRange(field, reader.place, value, 2 ** 63);
        _push(reader, value);
    }

    /// @dev An integer in excess 2^(8 · width − 1), absolutely at most `max`; negative ones mod p.
    function _signed(
        Reader memory reader,
        bytes memory data,
        uint256 width,
        uint256 max,
        string memory field
    ) private pure {
        uint256 raw = _number(reader, data, width);
        uint256 zero = 1 << (8 * width - 1);
        uint256 size = raw < zero ? zero - raw : raw - zero;
        if (size > max) revert ParameterOutOfRange(field, reader.place, raw, zero + max + 1);
        _push(reader, raw < zero ? Goldilocks.MODULUS - size : size);
    }

    /// @dev A big-endian integer of at most 32 bytes.
    function _number(Reader memory reader, bytes memory data, uint256 width)
        private
        pure
        returns (uint256)
    {
        uint256 place = reader.place;
        _skip(reader, data, width);
        uint256 word;
        assembly ("memory-safe") {
            word := mload(add(add(data, 0x20), place)) // what follows is shifted away
        }
        return word >> (256 - 8 * width);
    }

    function _skip(Reader memory reader, bytes memory data, uint256 width) private pure {
        uint256 place = reader.place;
        if (place + width > data.length) revert ParametersTruncated(place, width, data.length);
        reader.place = place + width;
    }

    function _push(Reader memory reader, uint256 element) private pure {
        reader.elements[reader.count++] = element;
    }

    function _digest(Reader memory reader) private pure returns (bytes32) {
        uint256[] memory elements = reader.elements;
        uint256 count = reader.count;
        assembly ("memory-safe") {
            mstore(elements, count) // shorter than allocated
        }
        return Poseidon2.hash(TAG, elements);
    }
}
