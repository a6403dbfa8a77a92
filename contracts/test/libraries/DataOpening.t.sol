// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobOpening} from "../../src/interfaces/ISettlement.sol";
import {Carrier, Opening, Polynomial} from "../../src/interfaces/IVerifier.sol";
import {DataOpening} from "../../src/libraries/DataOpening.sol";
import {Goldilocks} from "../../src/libraries/Goldilocks.sol";
import {SCALAR_FIELD} from "../../src/rendered/PublicDataLayout.sol";
import {Fixtures} from "./Fixtures.sol";

contract DataOpeningHarness {
    function openCalldata(
        bytes32 digest,
        bytes calldata header,
        bytes calldata data,
        bytes calldata contractData
    ) external pure returns (Opening memory) {
        return DataOpening.openCalldata(digest, header, data, contractData);
    }

    function openBlobs(
        bytes32 digest,
        bytes calldata header,
        BlobOpening[] calldata blobs,
        bytes calldata contractData
    ) external view returns (Opening memory) {
        return DataOpening.openBlobs(digest, header, blobs, contractData);
    }

    function evaluate(bytes calldata data, uint256 z) external pure returns (uint256) {
        return DataOpening.evaluate(data, z);
    }

    function gasOfEvaluate(bytes calldata data, uint256 z) external view returns (uint256 used) {
        used = gasleft();
        DataOpening.evaluate(data, z);
        used -= gasleft();
    }
}

/// @notice z and y are the specification's; a wrong blob value is refused by the precompile.
contract DataOpeningTest is Fixtures {
    DataOpeningHarness private harness = new DataOpeningHarness();
    bytes[3] private given_;
    bytes32 private digest_;
    uint256 private point_;

    /// @dev What the fuzz test changes, out of the fixture: reading that takes longer than the
    /// test.
    constructor() {
        string memory batches = fixture("batches");
        string memory path = placeOf("", 1);
        given_ = [
            octets(batches, path, ".header"),
            octets(batches, path, ".data"),
            octets(batches, path, ".calldata")
        ];
        digest_ = word(batches, path, ".opening.digest");
        point_ = number(batches, path, ".opening.point");
    }

    function test_openings_in_calldata_equal_the_specification() external view {
        string memory batches = fixture("batches");
        uint256 count = countOf(batches, "");
        for (uint256 k = 0; k < count; ++k) {
            string memory path = placeOf("", k);
            assertOpening(opened(batches, path, octets(batches, path, ".data")), batches, path);
        }
    }

    /// @notice Lengths at which the loop over coefficients changes its course, and two polynomials.
    function test_long_data_in_calldata_equal_the_specification() external view {
        string memory blobs = fixture("blobs");
        uint256 count = countOf(blobs, ".calldata");
        for (uint256 k = 0; k < count; ++k) {
            string memory path = placeOf(".calldata", k);
            bytes memory data = expanded("calldata", number(blobs, path, ".length"));
            assertOpening(opened(blobs, path, data), blobs, path);
        }
    }

    function opened(string memory json, string memory path, bytes memory data)
        private
        view
        returns (Opening memory)
    {
        return harness.openCalldata(
            word(json, path, ".opening.digest"),
            octets(json, path, ".header"),
            data,
            octets(json, path, ".calldata")
        );
    }

    function assertOpening(Opening memory opening, string memory json, string memory path)
        private
        pure
    {
        uint256[] memory lengths = numbers(json, path, ".opening.lengths");
        uint256[] memory values = numbers(json, path, ".opening.values");
        assertEq(opening.dataDigest, word(json, path, ".opening.digest"), "digest");
        assertEq(opening.point, number(json, path, ".opening.point"), "point");
        assertEq(opening.polynomials.length, lengths.length, "polynomials");
        assertEq(opening.dataPolynomials, lengths.length - 1, "polynomials of the data");
        for (uint256 k = 0; k < lengths.length; ++k) {
            assertEq(opening.polynomials[k].length, lengths[k], "length");
            assertEq(opening.polynomials[k].value, values[k], "value");
        }
    }

    /// @notice Everything that z must depend on, it depends on.
    function testFuzz_the_point_depends_on_every_byte(uint256 seed) external view {
        bytes32 digest = digest_;
        bytes[3] memory given = given_;
        uint256 which = seed % 4;
        if (which == 3) {
            digest = bytes32(uint256(digest) ^ (1 << ((seed >> 8) % 64 + 192 - 64 * (seed % 3))));
            if (!Goldilocks.areCanonical(Goldilocks.swap(uint256(digest)))) return;
        } else {
            bytes memory part = given[which];
            part[(seed >> 16) % part.length] ^= bytes1(uint8(1 << ((seed >> 8) % 8)));
        }
        Opening memory opening = harness.openCalldata(digest, given[0], given[1], given[2]);
        assertTrue(opening.point != point_, "z is the same for other data");
    }

    /// @notice The value beside a sum of powers, a definition of its own.
    function testFuzz_evaluate_equals_a_sum_of_powers(bytes calldata data, uint256 z)
        external
        view
    {
        uint256 r = SCALAR_FIELD;
        uint256 power = 1;
        uint256 sum = 0;
        for (uint256 start = 0; start < data.length; start += 31) {
            uint256 chunk = 0;
            for (uint256 k = 0; k < 31; ++k) {
                chunk = (chunk << 8) | (start + k < data.length ? uint8(data[start + k]) : 0);
            }
            sum = addmod(sum, mulmod(chunk, power, r), r);
            power = mulmod(power, z, r);
        }
        assertEq(harness.evaluate(data, z), sum, "P(z)");
    }

    function test_a_digest_with_an_alias_is_refused() external {
        bytes32 alias_ = bytes32(Goldilocks.swap(Goldilocks.MODULUS));
        vm.expectRevert(abi.encodeWithSelector(Goldilocks.DigestNotCanonical.selector, alias_));
        harness.openCalldata(alias_, "", "", "");
    }

    function test_no_data_are_one_empty_polynomial() external view {
        Opening memory opening = harness.openCalldata(0, "", "", hex"01");
        assertEq(opening.polynomials.length, 2, "polynomials");
        assertEq(opening.polynomials[0].length + opening.polynomials[0].value, 0, "empty");
        assertEq(opening.polynomials[1].value, 1 << 240, "one byte");
    }

    // ---------------------------------------------------------------------------------- blobs

    function test_openings_in_blobs_equal_the_specification() external {
        string memory blobs = fixture("blobs");
        uint256 count = countOf(blobs, "");
        for (uint256 k = 0; k < count; ++k) {
            string memory path = placeOf("", k);
            Opening memory opening = openedBlobs(blobs, path, blobsAt(blobs, path));
            assertOpening(opening, blobs, path);
            assertTrue(opening.polynomials[0].carrier == Carrier.BLOB, "carrier");
            Polynomial memory last = opening.polynomials[opening.polynomials.length - 1];
            assertTrue(last.carrier == Carrier.CALLDATA, "carrier of the contract's part");
        }
    }

    function blobsAt(string memory blobs, string memory path)
        private
        pure
        returns (BlobOpening[] memory found)
    {
        uint256[] memory lengths = numbers(blobs, path, ".opening.lengths");
        uint256[] memory values = numbers(blobs, path, ".opening.values");
        found = new BlobOpening[](lengths.length - 1);
        for (uint256 k = 0; k < found.length; ++k) {
            string memory place = string.concat("[", vm.toString(k), "]");
            bytes memory commitment = octets(blobs, path, string.concat(".commitments", place));
            bytes memory proof = octets(blobs, path, string.concat(".proofs", place));
            found[k] = BlobOpening(uint32(lengths[k]), values[k], commitment, proof);
        }
    }

    function openedBlobs(string memory blobs, string memory path, BlobOpening[] memory given)
        private
        returns (Opening memory)
    {
        bytes memory header = octets(blobs, path, ".header");
        bytes memory contractData = octets(blobs, path, ".calldata");
        bytes32 digest = word(blobs, path, ".opening.digest");
        vm.blobhashes(words(blobs, path, ".versioned_hashes"));
        return harness.openBlobs(digest, header, given, contractData);
    }

    /// @dev The third case: a full blob and a short one.
    function twoBlobs() private view returns (BlobOpening[] memory) {
        return blobsAt(fixture("blobs"), placeOf("", 2));
    }

    /// @dev Expects that opening these blobs of the third case, of two blobs, reverts.
    function expectRefusal(BlobOpening[] memory given, bytes memory reason) private {
        string memory blobs = fixture("blobs");
        string memory path = placeOf("", 2);
        bytes memory header = octets(blobs, path, ".header");
        bytes memory contractData = octets(blobs, path, ".calldata");
        bytes32 digest = word(blobs, path, ".opening.digest");
        vm.blobhashes(words(blobs, path, ".versioned_hashes"));
        vm.expectRevert(reason);
        harness.openBlobs(digest, header, given, contractData);
    }

    function refusedValue(uint256 place) private view returns (bytes memory) {
        bytes32 hash = words(fixture("blobs"), placeOf("", 2), ".versioned_hashes")[place];
        return abi.encodeWithSelector(DataOpening.BlobValueRefused.selector, place, hash);
    }

    function test_a_wrong_value_of_a_blob_is_refused() external {
        for (uint256 place = 0; place < 2; ++place) {
            BlobOpening[] memory given = twoBlobs();
            given[place].value ^= 1;
            expectRefusal(given, refusedValue(place));
            given[place].value = (given[place].value ^ 1) + SCALAR_FIELD; // an alias
            expectRefusal(given, refusedValue(place));
        }
    }

    function test_a_wrong_commitment_or_proof_is_refused() external {
        BlobOpening[] memory given = twoBlobs();
        (given[0].proof, given[1].proof) = (given[1].proof, given[0].proof);
        expectRefusal(given, refusedValue(0));
        given = twoBlobs();
        given[1].commitment = given[0].commitment;
        expectRefusal(given, refusedValue(1));
        given[1].commitment = "";
        expectRefusal(given, refusedValue(1));
    }

    function test_blobs_are_all_named_and_full_but_the_last() external {
        BlobOpening[] memory given = twoBlobs();
        BlobOpening[] memory one = new BlobOpening[](1);
        one[0] = given[0];
        expectRefusal(one, abi.encodeWithSelector(DataOpening.WrongBlobs.selector, 1));
        BlobOpening[] memory three = new BlobOpening[](3);
        (three[0], three[1], three[2]) = (given[0], given[0], given[1]);
        expectRefusal(three, abi.encodeWithSelector(DataOpening.WrongBlobs.selector, 2));
        expectRefusal(
            new BlobOpening[](0), abi.encodeWithSelector(DataOpening.WrongBlobs.selector, 0)
        );
        expectLengthRefused(given, 0, 126_975, 126_976);
        expectLengthRefused(given, 0, 126_977, 126_976);
        expectLengthRefused(given, 1, 0, 1);
        expectLengthRefused(given, 1, 126_977, 1);
    }

    function expectLengthRefused(
        BlobOpening[] memory given,
        uint256 place,
        uint32 length,
        uint256 low
    ) private {
        uint32 right = given[place].length;
        given[place].length = length;
        expectRefusal(
            given,
            abi.encodeWithSelector(DataOpening.BlobLength.selector, place, length, low, 126_976)
        );
        given[place].length = right;
    }

    // ------------------------------------------------------------------------------------ gas

    /// @notice Counts, kept in the gas snapshot: a full polynomial of 126,976 bytes.
    function test_gas_of_evaluation() external {
        bytes memory data = expanded("calldata", 126_976);
        vm.snapshotValue("DataOpening.evaluate of 126,976 bytes", harness.gasOfEvaluate(data, 5));
    }
}
