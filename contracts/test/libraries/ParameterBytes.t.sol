// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ParameterBytes} from "../../src/libraries/ParameterBytes.sol";
import {Venue} from "../Venue.sol";

contract ParameterBytesHarness {
    function read(bytes memory data) external pure returns (ParameterBytes.Summary memory) {
        return ParameterBytes.read(data);
    }

    function keysOf(bytes memory data) external pure returns (uint256 count, uint256 start) {
        return ParameterBytes.keysOf(data);
    }
}

contract ParameterBytesTest is Venue {
    ParameterBytesHarness private harness = new ParameterBytesHarness();

    /// @dev No venue is needed.
    function setUp() public override {}

    /// @dev Parameters of a venue at an address.
    function _sample() private pure returns (bytes memory named) {
        named = _genesisParameters();
        _name(named, address(0x1234));
    }

    /// @dev The sample with one byte overwritten.
    function _with(uint256 place, bytes1 value) private pure returns (bytes memory other) {
        other = _sample();
        other[place] = value;
    }

    /// @dev The sample with another symbol.
    function _withSymbol(string memory symbol) private pure returns (bytes memory other) {
        bytes memory data = _sample();
        other = abi.encodePacked(uint8(bytes(symbol).length), symbol);
        bytes memory start = new bytes(30);
        bytes memory rest = new bytes(data.length - 34);
        for (uint256 k = 0; k < data.length; ++k) {
            if (k < 30) start[k] = data[k];
            else if (k >= 34) rest[k - 34] = data[k];
        }
        other = bytes.concat(start, other, rest);
    }

    /// @notice decode(parameters_codec(MAIN), sample), then hash_many("params",
    /// parameters_elements).
    function test_the_digest_is_the_specifications() external view {
        ParameterBytes.Summary memory summary = harness.read(_sample());
        assertEq(
            summary.digest,
            0x484e62239a6ddafc447720108fb0debcdda7505f1292fe295dd177d4917e388f,
            "digest"
        );
        assertEq(summary.chainId, 31_337, "chain id");
        assertEq(summary.settlement, address(0x1234), "settlement contract");
    }

    function test_finds_the_oracle_keys() external view {
        bytes memory data = _sample();
        (uint256 count, uint256 start) = harness.keysOf(data);
        assertEq(count, 3, "three keys");
        assertEq(uint8(data[start - 1]), 3, "their number stands before them");
        for (uint256 k = 0; k < 3; ++k) {
            assertEq(uint8(data[start + 40 * k]), k + 1, "a key");
        }
    }

    function _refused(bytes memory data, string memory field, uint256 value, uint256 limit)
        private
    {
        (bool accepted, bytes memory answer) =
            address(harness).call(abi.encodeCall(ParameterBytesHarness.read, (data)));
        assertFalse(accepted, field);
        assertEq(
            bytes32(bytes4(answer)),
            bytes32(ParameterBytes.ParameterOutOfRange.selector),
            "named error"
        );
        bytes memory rest = new bytes(answer.length - 4);
        for (uint256 k = 0; k < rest.length; ++k) {
            rest[k] = answer[4 + k];
        }
        (string memory name,, uint256 found, uint256 limit_) =
            abi.decode(rest, (string, uint256, uint256, uint256));
        assertEq(bytes(name), bytes(field), "field");
        assertEq(found, value, "value");
        assertEq(limit_, limit, "limit");
    }

    function test_refuses_values_out_of_range() external {
        // offsets: venue 28, count 2, then the market from 30 on
        _refused(_with(0, 0x80), "chain_id", 2 ** 63 + 31_337, 2 ** 63);
        _refused(_withSymbol(""), "symbol", 0, 17);
        _refused(_withSymbol("seventeen letters"), "symbol", 17, 17);
        harness.read(_withSymbol("sixteen letters!"));
        _refused(_with(31, 0x1f), "symbol", 0x1f, 0x7f);
        _refused(_with(31, 0x7f), "symbol", 0x7f, 0x7f);
        _refused(_with(34, 0x0d), "price_decimals", 13, 13);
        uint256 risk = 35 + 14 * 4;
        _refused(_with(risk + 1, 0x00), "spot_ppm", 0x00fe2b40, 2 ** 31 + 2 ** 24);
        _refused(_with(risk + 5, 0x7e), "vol_direction", 0x7e, 130);
        _refused(_with(risk + 5, 0x82), "vol_direction", 0x82, 130);
        uint256 free = risk + 1 + 2 * 9 + 8 * 4;
        _refused(_with(free, 0x80), "concentration_free", 2 ** 63 + 2e15, 2 ** 63);
        uint256 keyCount = free + 8 + 3 * 4;
        assertEq(uint8(_sample()[keyCount]), 3, "number of keys");
        uint256 tiers = keyCount + 1 + 3 * 40;
        _refused(_with(tiers + 1, 0x00), "fee_ppm", 0, 2 ** 31 + 2 ** 24);
    }

    function test_refuses_lists_that_must_not_be_empty() external {
        bytes memory none = _parametersOf("", 125_000);
        _refused(none, "oracle_keys", 0, 1);
    }

    function test_refuses_keys_out_of_order_or_out_of_the_field() external {
        bytes memory twice = bytes.concat(_key(2), _key(2));
        bytes memory down = bytes.concat(_key(2), _key(1));
        bytes[2] memory wrong = [twice, down];
        for (uint256 k = 0; k < 2; ++k) {
            bytes memory data = _parametersOf(wrong[k], 125_000);
            vm.expectRevert(abi.encodeWithSelector(ParameterBytes.OracleKeysNotSorted.selector, 1));
            harness.read(data);
        }
        // p itself, little-endian, as the fifth element
        bytes memory large = bytes.concat(new bytes(32), hex"01000000ffffffff");
        _refused(_parametersOf(large, 125_000), "oracle_keys", 0, 0xffffffff00000001);
        // and a key that differs from the one before in the fifth element alone
        bytes memory fifth = bytes.concat(new bytes(32), hex"0100000000000000");
        harness.read(_parametersOf(bytes.concat(new bytes(40), fifth), 125_000));
    }
}
