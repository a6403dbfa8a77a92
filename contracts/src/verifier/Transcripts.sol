// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CubicField, P, WORD} from "./CubicField.sol";
import {Words} from "./Words.sol";

/// @notice A Keccak-256 chain in memory: what is absorbed decides what is drawn.
struct Transcript {
    /// @dev Memory from `start` to `end` is the input of the next hash; it may grow to `limit`.
    uint256 start;
    uint256 end;
    uint256 limit;
    /// @dev Words of the last hash that were not drawn yet, the next one lowest, and their number.
    uint256 output;
    uint256 left;
    /// @dev Digests of all hashes, if there is room for them: for comparison with other verifiers.
    bytes32[] log;
    uint256 hashes;
}

/// @title The transcript of docs/protocol.md
library Transcripts {
    using Words for uint256[];

    /// @notice More was absorbed than the key says there can be.
    error TranscriptFull(uint256 length);
    /// @notice A proof-of-work word does not end in so many zero bits.
    error ProofOfWork(uint256 word, uint256 bits);

    /// @notice An empty transcript with room for inputs of so many bytes.
    function create(uint256 room, uint256 logged) internal pure returns (Transcript memory t) {
        t.log = new bytes32[](logged);
        assembly ("memory-safe") {
            let start := mload(0x40)
            mstore(0x40, add(start, and(add(room, 63), not(31))))
            mstore(t, start)
            mstore(add(t, 0x20), start)
            mstore(add(t, 0x40), add(start, room))
        }
    }

    /// @notice Makes room for bytes to absorb, which the caller writes; forgets what was not drawn.
    /// @param cursor Where they go.
    function extend(Transcript memory t, uint256 length) internal pure returns (uint256 cursor) {
        unchecked {
            cursor = t.end;
            t.end = cursor + length;
            t.left = 0;
            if (t.end > t.limit) revert TranscriptFull(t.end - t.start);
        }
    }

    /// @notice Absorbs bytes of calldata.
    function absorbCalldata(Transcript memory t, uint256 from, uint256 length) internal pure {
        uint256 cursor = extend(t, length);
        assembly ("memory-safe") {
            calldatacopy(cursor, from, length)
        }
    }

    /// @notice Absorbs 32 bytes.
    function absorbDigest(Transcript memory t, bytes32 digest) internal pure {
        uint256 cursor = extend(t, 32);
        assembly ("memory-safe") {
            mstore(cursor, digest)
        }
    }

    /// @notice Absorbs an element of F: eight bytes, little-endian.
    /// @dev Writes 24 bytes more behind it, which the next absorption overwrites.
    function absorbWord(Transcript memory t, uint256 word) internal pure {
        uint256 cursor = extend(t, 8);
        uint256 swapped = CubicField.swap(word) << 192;
        assembly ("memory-safe") {
            mstore(cursor, swapped)
        }
    }

    /// @notice 64 bits.
    function draw(Transcript memory t) internal pure returns (uint256 word) {
        unchecked {
            if (t.left == 0) hash(t);
            word = t.output & WORD;
            t.output >>= 64;
            --t.left;
        }
    }

    /// @notice Fills an array with the lowest bits of a word each.
    function drawBits(Transcript memory t, uint256[] memory words, uint256 bits) internal pure {
        unchecked {
            uint256 mask = (1 << bits) - 1;
            uint256 output = t.output;
            uint256 left = t.left;
            for (uint256 place = 0; place < words.length; ++place) {
                if (left == 0) {
                    hash(t);
                    output = t.output;
                    left = 4;
                }
                words.set(place, output & mask);
                output >>= 64;
                --left;
            }
            t.output = output;
            t.left = left;
        }
    }

    /// @notice An element of F: words from p on are drawn again.
    function drawElement(Transcript memory t) internal pure returns (uint256 element) {
        do {
            element = draw(t);
        } while (element >= P);
    }

    /// @notice An element of K, lanes below p.
    function drawExtension(Transcript memory t) internal pure returns (uint256 element) {
        unchecked {
            if (t.left == 0) {
                hash(t);
                uint256 output = t.output;
                uint256 low = output & WORD;
                uint256 middle = (output >> 64) & WORD;
                uint256 high = (output >> 128) & WORD;
                if (low < P && middle < P && high < P) {
                    t.output = output >> 192;
                    t.left = 1;
                    return low | (middle << 85) | (high << 170);
                }
            }
        }
        element = drawElement(t);
        element |= drawElement(t) << 85;
        element |= drawElement(t) << 170;
    }

    /// @notice Absorbs bytes of calldata and draws an element of K, lanes below p.
    /// @dev The same as `absorbCalldata` and `drawExtension`, for what is done once a round.
    function absorbAndDraw(Transcript memory t, uint256 from, uint256 length)
        internal
        pure
        returns (uint256 element)
    {
        unchecked {
            uint256 start = t.start;
            uint256 end = t.end;
            if (end + length > t.limit) revert TranscriptFull(end + length - start);
            uint256 digest;
            assembly ("memory-safe") {
                calldatacopy(end, from, length)
                digest := keccak256(start, sub(add(end, length), start))
                mstore(start, digest)
            }
            t.end = start + 32;
            if (t.hashes < t.log.length) t.log[t.hashes++] = bytes32(digest);
            uint256 low = digest & WORD;
            uint256 middle = (digest >> 64) & WORD;
            uint256 high = (digest >> 128) & WORD;
            if (low < P && middle < P && high < P) {
                t.output = digest >> 192;
                t.left = 1;
                return low | (middle << 85) | (high << 170);
            }
            t.output = digest;
            t.left = 4;
        }
        element = drawExtension(t);
    }

    /// @notice An element of K that is not zero.
    function drawNonzero(Transcript memory t) internal pure returns (uint256 element) {
        do {
            element = drawExtension(t);
        } while (element == 0);
    }

    /// @notice Proof-of-work, if bits > 0: after the witness the next word must end in so many
    /// zeros.
    /// @param cursor The witness in calldata; it must be below p.
    /// @return next What follows it in calldata.
    function grind(Transcript memory t, uint256 bits, uint256 cursor)
        internal
        pure
        returns (uint256 next)
    {
        unchecked {
            if (bits == 0) return cursor;
            if (t.left == 0) hash(t); // a byte is drawn and dropped
            uint256 witness;
            assembly ("memory-safe") {
                witness := shr(192, calldataload(cursor))
            }
            CubicField.canonical(witness);
            absorbCalldata(t, cursor, 8);
            uint256 word = draw(t);
            if (word & ((1 << bits) - 1) != 0) revert ProofOfWork(word, bits);
            return cursor + 8;
        }
    }

    /// @dev The input is replaced by its hash, which is drawn from the end.
    function hash(Transcript memory t) private pure {
        unchecked {
            uint256 start = t.start;
            uint256 end = t.end;
            bytes32 digest;
            assembly ("memory-safe") {
                digest := keccak256(start, sub(end, start))
                mstore(start, digest)
            }
            t.end = start + 32;
            t.output = uint256(digest);
            t.left = 4;
            if (t.hashes < t.log.length) t.log[t.hashes++] = digest;
        }
    }
}
