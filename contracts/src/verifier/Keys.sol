// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Transcript, Transcripts} from "./Transcripts.sol";

/// @notice What a verifier knows of a statement, beside its programs: heights and schedule as
/// numbers.
/// @dev The fixed words of the header; the lists follow it in memory. Meaning and order:
/// proof/contract/parts.py, which is pinned by the key's digest.
struct Key {
    uint256 publics;
    uint256 proofBytes;
    uint256 transcriptBytes;
    uint256 layers;
    uint256 zerocheckRounds;
    uint256 zerocheckDegree;
    uint256 zerocheckPow;
    uint256 variables;
    uint256 columns;
    uint256 initialAnswers;
    uint256 initialFold;
    uint256 initialFoldPow;
    uint256 rounds;
    uint256 finalVariables;
    uint256 tables;
    uint256 seeds;
    uint256 seedParts;
    uint256 closingParts;
    uint256 sharedWords;
    uint256 weightsParts;
}

/// @notice One round of WHIR. The last entry is its end.
struct Round {
    /// Bytes of the proof between the digests before and the count of this round's.
    uint256 before;
    uint256 answers;
    uint256 pow;
    uint256 queries;
    uint256 logLeaves;
    /// Variables that the fold after it folds.
    uint256 fold;
    uint256 foldPow;
}

/// @title Data of a key: code that does nothing when it is called, read with EXTCODECOPY
library Keys {
    using Transcripts for Transcript;

    uint256 private constant FIXED_WORDS = 20;
    uint256 private constant ROUND_WORDS = 7;

    // Places in the list of seeds.
    uint256 internal constant STATEMENT = 0;
    uint256 internal constant LOOKUP = 1;
    uint256 internal constant FRACTIONS = 2;
    uint256 internal constant ZEROCHECK = 3;
    uint256 internal constant SUMCHECK = 4;
    uint256 internal constant ANSWER = 5;
    uint256 internal constant FIRST_TABLE = 6;

    /// @notice The header at the beginning of the first part.
    function read(address part) internal view returns (Key memory key) {
        unchecked {
            assembly ("memory-safe") {
                extcodecopy(part, key, 1, mul(32, FIXED_WORDS))
            }
            uint256 words =
                FIXED_WORDS + ROUND_WORDS * (key.rounds + 1) + key.tables + 3 * key.seeds;
            words += 1 + (key.zerocheckDegree < 3 ? 3 : key.zerocheckDegree);
            assembly ("memory-safe") {
                key := mload(0x40) // the lists must follow the fixed words
                mstore(0x40, add(key, mul(32, words)))
                extcodecopy(part, key, 1, mul(32, words))
            }
        }
    }

    /// @dev A word of the header.
    function word(Key memory key, uint256 place) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := mload(add(key, mul(32, place)))
        }
    }

    /// @notice A round of WHIR, or at `key.rounds` its end.
    function round(Key memory key, uint256 place) internal pure returns (Round memory found) {
        assembly ("memory-safe") {
            let from := add(key, mul(32, add(FIXED_WORDS, mul(ROUND_WORDS, place))))
            mcopy(found, from, mul(32, ROUND_WORDS))
        }
    }

    /// @dev Where the list of tables begins.
    function tablesAt(Key memory key) private pure returns (uint256) {
        unchecked {
            return FIXED_WORDS + ROUND_WORDS * (key.rounds + 1);
        }
    }

    /// @notice Values of a table that are opened, in this row and in the row below.
    function openedOf(Key memory key, uint256 table) internal pure returns (uint256) {
        unchecked {
            return word(key, tablesAt(key) + table);
        }
    }

    /// @notice 1 / number mod p, for 0 < number ≤ the degree of the zerocheck, or ≤ 3.
    function inverse(Key memory key, uint256 number) internal pure returns (uint256) {
        unchecked {
            return word(key, tablesAt(key) + key.tables + 3 * key.seeds + number);
        }
    }

    /// @notice Absorbs a seed.
    function absorbSeed(
        Key memory key,
        Transcript memory transcript,
        address[] memory parts,
        uint256 seed
    ) internal view {
        unchecked {
            uint256 cursor = tablesAt(key) + key.tables + 3 * seed;
            address part = parts[word(key, cursor)];
            uint256 offset = word(key, cursor + 1) + 1;
            uint256 length = word(key, cursor + 2);
            uint256 to = transcript.extend(length);
            assembly ("memory-safe") {
                extcodecopy(part, to, offset, length)
            }
        }
    }
}
