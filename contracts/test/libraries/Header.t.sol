// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Header} from "../../src/libraries/Header.sol";
import {Fixtures} from "./Fixtures.sol";

contract HeaderHarness {
    function decode(bytes calldata header) external pure returns (Header.Fields memory) {
        return Header.decode(header);
    }
}

/// @notice Headers decode as the specification decodes them.
contract HeaderTest is Fixtures {
    HeaderHarness private harness = new HeaderHarness();
    bytes private sample = octets(fixture("batches"), placeOf("", 1), ".header");

    function test_fields_equal_the_specification() external view {
        string memory json = fixture("batches");
        uint256 count = countOf(json, "");
        for (uint256 k = 0; k < count; ++k) {
            string memory path = string.concat(placeOf("", k), ".fields");
            Header.Fields memory fields = harness.decode(octets(json, placeOf("", k), ".header"));
            assertEq(fields.isDiff ? 1 : 0, number(json, path, ".form"), "form");
            assertEq(fields.resetSlots ? 1 : 0, number(json, path, ".reset_slots"), "reset_slots");
            assertEq(fields.number, number(json, path, ".number"), "number");
            assertEq(fields.time, number(json, path, ".time"), "time");
            assertEq(fields.fork, number(json, path, ".fork"), "fork");
            assertEq(fields.venueEpoch, number(json, path, ".venue_epoch"), "venue_epoch");
            assertEq(fields.inboxBefore, number(json, path, ".inbox_before"), "inbox_before");
            assertEq(fields.inboxAfter, number(json, path, ".inbox_after"), "inbox_after");
            assertDigests(fields, json, path);
        }
    }

    function assertDigests(Header.Fields memory fields, string memory json, string memory path)
        private
        pure
    {
        bytes32 settlementBefore = word(json, path, ".settlement_root_before");
        bytes32 settlementAfter = word(json, path, ".settlement_root_after");
        assertEq(fields.parameters, word(json, path, ".parameters"), "parameters");
        assertEq(fields.settlementRootBefore, settlementBefore, "settlement_root_before");
        assertEq(fields.rootBefore, word(json, path, ".root_before"), "root_before");
        assertEq(fields.settlementRootAfter, settlementAfter, "settlement_root_after");
        assertEq(fields.rootAfter, word(json, path, ".root_after"), "root_after");
    }

    /// @notice Each byte string breaks one check of the specification, and is refused by name.
    function test_what_the_specification_refuses_is_refused() external view {
        string memory json = fixture("refused");
        uint256 count = countOf(json, ".headers");
        assertTrue(count > 25, "cases");
        for (uint256 k = 0; k < count; ++k) {
            string memory path = placeOf(".headers", k);
            bytes memory call = abi.encodeCall(harness.decode, octets(json, path, ".bytes"));
            (bool success, bytes memory answer) = address(harness).staticcall(call);
            assertNamedError(success, answer, path);
        }
    }

    function testFuzz_every_bit_is_in_some_field(uint256 seed) external view {
        bytes memory header = sample;
        bytes32 before = keccak256(abi.encode(harness.decode(header)));
        uint256 bit = bound(seed, 24, 8 * header.length - 1); // after version, form, reset slots
        header[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        (bool success, bytes memory answer) =
            address(harness).staticcall(abi.encodeCall(harness.decode, header));
        if (success) assertTrue(keccak256(answer) != before, "a changed header decodes the same");
        else assertNamedError(success, answer, "bit");
    }
}
