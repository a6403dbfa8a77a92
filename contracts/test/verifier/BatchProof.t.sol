// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Carrier, Opening, Polynomial, Statement} from "../../src/interfaces/IVerifier.sol";
import {BatchPublicValues} from "../../src/verifier/BatchPublicValues.sol";
import {BatchVerifier} from "../../src/verifier/BatchVerifier.sol";
import {CubicField} from "../../src/verifier/CubicField.sol";
import {Openings} from "../../src/verifier/Openings.sol";
import {Reduction} from "../../src/verifier/Reduction.sol";
import {Rows} from "../../src/verifier/Rows.sol";
import {Transcripts} from "../../src/verifier/Transcripts.sol";
import {Verifier} from "../../src/verifier/Verifier.sol";
import {Fixtures} from "../libraries/Fixtures.sol";

/// @notice The verifier for a key that no source names: the recorded proof's.
contract AnyKeyVerifier is Verifier {
    constructor(address[] memory keyParts) Verifier(keyParts) {}

    function isKnown(bytes32) internal pure override returns (bool) {
        return true;
    }
}

/// @notice A recorded proof of a batch's public values, from the settlement contract's statement to
/// the verifier: accepted as it is, refused by name with anything changed.
contract BatchProofTest is Fixtures {
    string private json = fixture("batch_proof");
    address private settlement = who(json, "", ".settlement");
    bytes private proof;
    address[] private parts;
    BatchVerifier private verifier;
    /// @dev Names that a damaged proof may be refused by.
    bytes4[] private names = [
        CubicField.NotCanonical.selector,
        Openings.FinalRowMismatch.selector,
        Reduction.RootDenominatorIsZero.selector,
        Reduction.LayerMismatch.selector,
        Reduction.ClaimedSumMismatch.selector,
        Rows.RowsDiffer.selector,
        Rows.DigestMissing.selector,
        Rows.DigestNotUsed.selector,
        Rows.RowsAreNotTheTrees.selector,
        Transcripts.ProofOfWork.selector,
        Verifier.ClosingMismatch.selector,
        Verifier.OpeningMismatch.selector,
        Verifier.TooManyDigests.selector,
        Verifier.WrongLength.selector
    ];

    function setUp() external {
        bytes memory content = vm.readFileBinary("test/rendered/batch_proof.bin");
        uint256 from = number(json, "", ".proof_bytes");
        proof = cut(content, 0, from);
        uint256[] memory sizes = numbers(json, "", ".part_bytes");
        for (uint256 k = 0; k < sizes.length; ++k) {
            address part = address(uint160(0x10000 + k));
            vm.etch(part, cut(content, from, sizes[k]));
            parts.push(part);
            from += sizes[k];
        }
        verifier = new BatchVerifier(new AnyKeyVerifier(parts));
    }

    /// @dev Some of the bytes.
    function cut(bytes memory content, uint256 from, uint256 length)
        private
        pure
        returns (bytes memory piece)
    {
        piece = new bytes(length);
        assembly ("memory-safe") {
            mcopy(add(piece, 0x20), add(add(content, 0x20), from), length)
        }
    }

    /// @dev What the recorded proof is of.
    function statement() private view returns (Statement memory made) {
        uint256[] memory carriers = numbers(json, "", ".carriers");
        uint256[] memory lengths = numbers(json, "", ".lengths");
        uint256[] memory values = numbers(json, "", ".values");
        Polynomial[] memory polynomials = new Polynomial[](carriers.length);
        for (uint256 k = 0; k < carriers.length; ++k) {
            polynomials[k] = Polynomial(Carrier(carriers[k]), uint32(lengths[k]), values[k]);
        }
        made.header = octets(json, "", ".header");
        made.payee = who(json, "", ".payee");
        made.opening = Opening({
            dataDigest: word(json, "", ".data_digest"),
            point: number(json, "", ".point"),
            dataPolynomials: uint8(number(json, "", ".data_polynomials")),
            polynomials: polynomials
        });
    }

    /// @dev The name of the error that a proof is refused with.
    function refusal(address asker, Statement memory stated, bytes memory given)
        private
        returns (bytes4)
    {
        vm.prank(asker);
        (bool success, bytes memory answer) =
            address(verifier).call(abi.encodeCall(verifier.verify, (stated, given)));
        assertNamedError(success, answer, "proof");
        return bytes4(answer);
    }

    function isName(bytes4 name) private view returns (bool) {
        for (uint256 k = 0; k < names.length; ++k) {
            if (names[k] == name) return true;
        }
        return false;
    }

    function test_accepts_the_proof() external {
        assertEq(verifier.VERIFIER().KEY(), word(json, "", ".digest"), "digest");
        Statement memory stated = statement();
        vm.prank(settlement);
        bool accepted = verifier.verify(stated, proof);
        vm.snapshotGasLastCall("BatchVerifier.verify of the public values alone");
        assertTrue(accepted, "accepted");
    }

    function test_a_bit_of_every_field_is_refused_by_name() external {
        Statement memory stated = statement();
        uint256[] memory starts = numbers(json, "", ".field_starts");
        uint256[] memory sizes = numbers(json, "", ".field_bytes");
        assertTrue(starts.length > 80, "fields");
        for (uint256 k = 0; k < starts.length; ++k) {
            uint256 place = starts[k] + uint256(keccak256(abi.encode(k))) % sizes[k];
            bytes1 before = proof[place];
            proof[place] = before ^ bytes1(uint8(1 << (k % 8)));
            assertTrue(isName(refusal(settlement, stated, proof)), vm.toString(place));
            proof[place] = before;
        }
    }

    function test_an_element_from_p_in_every_field_is_refused() external {
        Statement memory stated = statement();
        uint256[] memory starts = numbers(json, "", ".field_starts");
        uint256[] memory elements = numbers(json, "", ".field_elements");
        bytes8 p = 0x01000000ffffffff; // 2^64 − 2^32 + 1, little-endian
        for (uint256 k = 0; k < starts.length; ++k) {
            if (elements[k] == 0) continue;
            bytes memory wrong = proof;
            for (uint256 octet = 0; octet < 8; ++octet) {
                wrong[starts[k] + octet] = p[octet];
            }
            bytes4 name = refusal(settlement, stated, wrong);
            assertTrue(name == CubicField.NotCanonical.selector, vm.toString(starts[k]));
        }
    }

    function test_other_lengths_are_refused() external {
        Statement memory stated = statement();
        bytes4 name = Verifier.WrongLength.selector;
        uint256 length = proof.length;
        assertTrue(refusal(settlement, stated, "") == name, "empty");
        assertTrue(refusal(settlement, stated, cut(proof, 0, length - 1)) == name, "truncated");
        assertTrue(refusal(settlement, stated, cut(proof, 0, length / 2)) == name, "half");
        assertTrue(refusal(settlement, stated, bytes.concat(proof, hex"00")) == name, "extended");
        assertTrue(refusal(settlement, stated, bytes.concat(proof, bytes32(0))) == name, "digest");
    }

    function test_other_statements_are_refused() external {
        bytes4 name = Reduction.LayerMismatch.selector;
        Statement memory stated = statement();
        assertTrue(refusal(address(this), stated, proof) == name, "another settlement contract");
        stated.payee = address(uint160(stated.payee) ^ 1);
        assertTrue(refusal(settlement, stated, proof) == name, "payee");
        stated = statement();
        stated.header[4] ^= 0x01;
        assertTrue(refusal(settlement, stated, proof) == name, "number");
        stated = statement();
        stated.opening.polynomials[1].value ^= 1;
        assertTrue(refusal(settlement, stated, proof) == name, "value");
        stated = statement();
        stated.opening.polynomials[2].length -= 1;
        assertTrue(refusal(settlement, stated, proof) == name, "length");
        stated = statement();
        stated.opening.dataPolynomials = 1;
        assertTrue(refusal(settlement, stated, proof) == name, "data polynomials");
        vm.chainId(block.chainid + 1);
        assertTrue(refusal(settlement, statement(), proof) == name, "another chain");
    }

    function test_a_statement_out_of_range_is_refused() external {
        Statement memory stated = statement();
        stated.opening.point = type(uint256).max;
        bytes4 name = BatchPublicValues.StatementField.selector;
        assertTrue(refusal(settlement, stated, proof) == name, "point");
    }

    function test_the_verifier_itself_refuses_the_key() external {
        bytes32 digest = word(json, "", ".digest");
        vm.expectRevert(abi.encodeWithSelector(Verifier.UnknownKey.selector, digest));
        new Verifier(parts);
    }
}
