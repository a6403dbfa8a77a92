// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CubicField, P} from "./CubicField.sol";
import {Evaluator} from "./Evaluator.sol";
import {Key, Keys, Round} from "./Keys.sol";
import {Openings} from "./Openings.sol";
import {Reduction} from "./Reduction.sol";
import {Rows} from "./Rows.sol";
import {Session} from "./Session.sol";
import {Transcript, Transcripts} from "./Transcripts.sol";
import {VerifierKeys} from "./rendered/VerifierKeys.sol";

/// @title Verifier of the proofs of one key
/// @notice Steps and formulas: docs/protocol.md, under the same numbers. What it knows of the
/// statement is in data contracts, pinned by a digest that this source names; it trusts nothing
/// else.
contract Verifier {
    using Keys for Key;
    using Transcripts for Transcript;

    uint256 private constant ELEMENT_BYTES = 24;
    uint256 private constant COUNT_BYTES = 4;

    /// @notice keccak256 of the code hashes of all parts.
    bytes32 public immutable KEY;
    /// @notice Runs the key's programs.
    Evaluator public immutable EVALUATOR;
    address[] private parts_;

    /// @notice The parts are of no key that this source knows.
    error UnknownKey(bytes32 digest);
    /// @notice 0.1
    error PublicValues(uint256 count, uint256 expected);
    /// @notice 0.2
    error PublicValueNotCanonical(uint256 place, uint256 value);
    /// @notice More digests than a multiproof of this round can use.
    error TooManyDigests(uint256 round, uint256 count, uint256 limit);
    /// @notice The proof has another length than the key and its own counts of digests give.
    error WrongLength(uint256 length, uint256 expected);
    /// @notice 5: claims and final polynomial.
    error OpeningMismatch();
    /// @notice 6: rules and messages at the point.
    error ClosingMismatch();

    /// @param keyParts Data contracts of the key, in order.
    constructor(address[] memory keyParts) {
        bytes memory hashes;
        for (uint256 place = 0; place < keyParts.length; ++place) {
            hashes = bytes.concat(hashes, keyParts[place].codehash);
        }
        bytes32 digest = keccak256(hashes);
        if (!VerifierKeys.isKnown(digest)) revert UnknownKey(digest);
        KEY = digest;
        EVALUATOR = new Evaluator();
        parts_ = keyParts;
    }

    /// @notice The data contracts of the key.
    function parts() external view returns (address[] memory) {
        return parts_;
    }

    /// @notice Reverts unless the bytes are a proof of the key's statement for these public values.
    /// @param publics Elements of F in the order of the key's tables.
    /// @param proof As native/prover/src/codec.rs writes it.
    /// @return valid true
    function verify(uint256[] calldata publics, bytes calldata proof)
        external
        view
        returns (bool valid)
    {
        Session memory s = begin(publics, proof, 0);
        bindStatement(s);
        Reduction.sumFractions(s);
        Reduction.checkZero(s);
        Openings.readClaims(s);
        close(s);
        open(s);
        return true;
    }

    /// @dev Step 0: public values and the proof's length.
    /// @param logged Room for so many digests of the transcript.
    function begin(uint256[] calldata publics, bytes calldata proof, uint256 logged)
        internal
        view
        returns (Session memory s)
    {
        unchecked {
            s.key = Keys.read(parts_[0]);
            s.seedParts = someParts(0, s.key.seedParts);
            if (publics.length != s.key.publics) {
                revert PublicValues(publics.length, s.key.publics);
            }
            for (uint256 place = 0; place < publics.length; ++place) {
                if (publics[place] >= P) revert PublicValueNotCanonical(place, publics[place]);
            }
            s.publics = publics;
            requireLength(s.key, proof);
            uint256 cursor;
            assembly ("memory-safe") {
                cursor := proof.offset
            }
            s.cursor = cursor;
            s.openedAt = cursor + proof.length - ELEMENT_BYTES * s.key.columns;
            s.transcript = Transcripts.create(s.key.transcriptBytes, logged);
        }
    }

    /// @dev Everything but the number of digests is fixed by the key.
    function requireLength(Key memory key, bytes calldata proof) private pure {
        unchecked {
            uint256 expected = key.proofBytes;
            if (proof.length < expected) revert WrongLength(proof.length, expected);
            uint256 cursor;
            assembly ("memory-safe") {
                cursor := proof.offset
            }
            for (uint256 place = 0; place <= key.rounds; ++place) {
                Round memory round = key.round(place);
                cursor += round.before;
                uint256 count = Rows.digestsAt(cursor);
                uint256 limit = round.queries * round.logLeaves;
                if (count > limit) revert TooManyDigests(place, count, limit);
                cursor += COUNT_BYTES + 32 * count;
                expected += 32 * count;
                if (proof.length < expected) revert WrongLength(proof.length, expected);
            }
            if (proof.length != expected) revert WrongLength(proof.length, expected);
        }
    }

    /// @dev Step 1.
    function bindStatement(Session memory s) internal view {
        unchecked {
            Transcript memory t = s.transcript;
            s.key.absorbSeed(t, s.seedParts, Keys.STATEMENT);
            uint256 cursor = s.cursor;
            bytes32 root;
            assembly ("memory-safe") {
                root := calldataload(cursor)
            }
            s.root = root;
            s.cursor = cursor + 32;
            t.absorbDigest(root);
            for (uint256 place = 0; place < s.publics.length; ++place) {
                t.absorbWord(s.publics[place]);
            }
        }
    }

    /// @dev Step 6, and the value that the column claims have together.
    function close(Session memory s) internal view {
        unchecked {
            Key memory key = s.key;
            uint256 count = 7 + key.zerocheckRounds + s.r.length + key.publics + key.columns;
            uint256[] memory inputs = new uint256[](count);
            inputs[0] = s.alpha;
            inputs[1] = s.beta;
            inputs[2] = s.theta;
            inputs[3] = s.eta;
            inputs[4] = s.alphaRules;
            inputs[5] = s.betaTables;
            inputs[6] = s.gamma;
            uint256 next = put(inputs, 7, s.q);
            next = put(inputs, next, s.fresh);
            next = put(inputs, next, s.r);
            next = put(inputs, next, s.publics);
            put(inputs, next, s.opened);
            uint256[] memory results = EVALUATOR.evaluate(
                someParts(key.seedParts, key.closingParts), key.closingRegisters, inputs
            );
            if (results[0] != s.zerocheckValue) revert ClosingMismatch();
            s.columnsClaim = results[1];
        }
    }

    /// @dev Step 5.
    function open(Session memory s) internal view {
        unchecked {
            Key memory key = s.key;
            (uint256 weights, uint256 value) = Openings.fold(s);
            uint256[] memory inputs = new uint256[](1 + s.r.length + s.xi.length);
            inputs[0] = s.gamma;
            put(inputs, put(inputs, 1, s.r), s.xi);
            uint256[] memory results = EVALUATOR.evaluate(
                someParts(key.seedParts + key.closingParts, key.weightsParts),
                key.weightsRegisters,
                inputs
            );
            if (s.claim != CubicField.mul(weights + results[0], value)) revert OpeningMismatch();
        }
    }

    /// @dev Copies words into an array; the place behind them.
    function put(uint256[] memory to, uint256 place, uint256[] memory from)
        private
        pure
        returns (uint256)
    {
        unchecked {
            assembly ("memory-safe") {
                mcopy(add(to, add(32, mul(32, place))), add(from, 32), mul(32, mload(from)))
            }
            return place + from.length;
        }
    }

    /// @dev Some of the parts.
    function someParts(uint256 first, uint256 count) private view returns (address[] memory some) {
        unchecked {
            some = new address[](count);
            for (uint256 place = 0; place < count; ++place) {
                some[place] = parts_[first + place];
            }
        }
    }
}
