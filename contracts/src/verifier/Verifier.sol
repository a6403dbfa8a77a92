// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CubicField, P} from "./CubicField.sol";
import {Key, Keys, Round} from "./Keys.sol";
import {Openings} from "./Openings.sol";
import {Reduction} from "./Reduction.sol";
import {Rows} from "./Rows.sol";
import {Session} from "./Session.sol";
import {Transcript, Transcripts} from "./Transcripts.sol";
import {VerifierKeys} from "./rendered/VerifierKeys.sol";

/// @title Verifier of the proofs of one key
/// @notice Steps and formulas: docs/protocol.md, under the same numbers. What it knows of the
/// statement is in the key's parts, contracts of data and of straight-line programs rendered from
/// the key, pinned by a digest that this source names; it trusts nothing else.
contract Verifier {
    using Keys for Key;
    using Transcripts for Transcript;

    uint256 private constant ELEMENT_BYTES = 24;
    uint256 private constant COUNT_BYTES = 4;

    /// @notice keccak256 of the code hashes of all parts.
    bytes32 public immutable KEY;
    /// @dev A contract whose code lists the parts behind a zero byte, 32 bytes each.
    address private immutable LIST;

    /// @notice The parts are of no key that this source knows.
    error UnknownKey(bytes32 digest);
    /// @notice The list of the parts could not be created.
    error ListNotStored(uint256 length);
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
    /// @notice A program of the key did not return what it should: too little gas.
    error ProgramFailed(address program, uint256 returned, uint256 expected);

    /// @param keyParts Contracts of the key's data and programs, in order.
    constructor(address[] memory keyParts) {
        bytes memory hashes;
        bytes memory list = hex"00";
        for (uint256 place = 0; place < keyParts.length; ++place) {
            hashes = bytes.concat(hashes, keyParts[place].codehash);
            list = bytes.concat(list, bytes32(uint256(uint160(keyParts[place]))));
        }
        bytes32 digest = keccak256(hashes);
        if (!isKnown(digest)) revert UnknownKey(digest);
        KEY = digest;
        LIST = stored(list);
    }

    /// @dev Whether this source names a key. Only a test that has a key of its own says otherwise.
    function isKnown(bytes32 digest) internal pure virtual returns (bool) {
        return VerifierKeys.isKnown(digest);
    }

    /// @notice The contracts of the key's data and programs.
    function parts() external view returns (address[] memory) {
        return listed();
    }

    /// @dev A contract with this code. Its creation code is PUSH2 length, DUP1, PUSH1 10, PUSH0,
    /// CODECOPY, PUSH0, RETURN, and the code.
    function stored(bytes memory code) private returns (address made) {
        bytes memory creation =
            bytes.concat(hex"61", bytes2(uint16(code.length)), hex"80600a5f395ff3", code);
        assembly ("memory-safe") {
            made := create(0, add(creation, 32), mload(creation))
        }
        if (made.code.length != code.length) revert ListNotStored(code.length);
    }

    /// @dev The parts, as `LIST` has them.
    function listed() private view returns (address[] memory all) {
        unchecked {
            address list = LIST;
            all = new address[]((list.code.length - 1) / 32);
            assembly ("memory-safe") {
                extcodecopy(list, add(all, 32), 1, mul(32, mload(all)))
            }
        }
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
            s.parts = listed();
            s.key = Keys.read(s.parts[0]);
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
            s.key.absorbSeed(t, s.parts, Keys.STATEMENT);
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

    /// @dev Step 6, and the value that the column claims have together. Programs are given the
    /// challenges and opened values, then what the first of them makes of these for all others.
    function close(Session memory s) internal view {
        unchecked {
            Key memory key = s.key;
            uint256 count = 7 + key.zerocheckRounds + s.r.length + key.publics + key.columns;
            uint256[] memory words = new uint256[](count + key.sharedWords);
            words[0] = s.alpha;
            words[1] = s.beta;
            words[2] = s.theta;
            words[3] = s.eta;
            words[4] = s.alphaRules;
            words[5] = s.betaTables;
            words[6] = s.gamma;
            uint256 next = put(words, 7, s.q);
            next = put(words, next, s.fresh);
            next = put(words, next, s.r);
            next = put(words, next, s.publics);
            put(words, next, s.opened);
            uint256 part = key.seedParts;
            uint256 start;
            assembly ("memory-safe") {
                start := add(words, 32)
            }
            run(s.parts[part], start, count, start + 32 * count, key.sharedWords);
            uint256 same = CubicField.reduce(words[count]);
            uint256[2] memory results;
            uint256 to;
            assembly ("memory-safe") {
                to := results
            }
            uint256 share = 0;
            uint256 claim = 0;
            for (uint256 last = part + key.closingParts; part != last;) {
                run(s.parts[++part], start, words.length, to, 2);
                share += results[0]; // lanes below p, from fewer than 2^20 programs
                claim += results[1];
            }
            if (CubicField.mul(same, share) != s.zerocheckValue) revert ClosingMismatch();
            s.columnsClaim = CubicField.reduce(claim);
        }
    }

    /// @dev Step 5.
    function open(Session memory s) internal view {
        unchecked {
            Key memory key = s.key;
            (uint256 weights, uint256 value) = Openings.fold(s);
            uint256[] memory words = new uint256[](1 + s.r.length + s.xi.length);
            words[0] = s.gamma;
            put(words, put(words, 1, s.r), s.xi);
            uint256[1] memory results;
            uint256 start;
            uint256 to;
            assembly ("memory-safe") {
                start := add(words, 32)
                to := results
            }
            uint256 part = key.seedParts + 1 + key.closingParts;
            for (uint256 end = part + key.weightsParts; part != end; ++part) {
                run(s.parts[part], start, words.length, to, 1);
                weights += results[0]; // lanes below p, from fewer than 2^19 programs
            }
            if (s.claim != CubicField.mul(weights, value)) revert OpeningMismatch();
        }
    }

    /// @dev Runs a program of the key: words of memory in, words of memory out.
    function run(address program, uint256 from, uint256 count, uint256 to, uint256 results)
        private
        view
    {
        unchecked {
            uint256 returned;
            assembly ("memory-safe") {
                let good := staticcall(gas(), program, from, mul(32, count), to, mul(32, results))
                returned := mul(good, returndatasize())
            }
            if (returned != 32 * results) revert ProgramFailed(program, returned, 32 * results);
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
}
