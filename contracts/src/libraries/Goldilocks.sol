// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PublicDataLayout} from "../rendered/PublicDataLayout.sol";

/// @title Elements of GF(p), p = 2^64 − 2^32 + 1, and digests of four of them
/// @notice A digest is 32 bytes: four elements of 8 bytes, little-endian each, the first one first.
/// Arithmetic wants them as *lanes*: the same word with the bytes of each element reversed, so that
/// the first element is the highest 64 bits.
library Goldilocks {
    uint256 internal constant MODULUS = PublicDataLayout.GOLDILOCKS;

    /// @notice A digest has an element that is not below p.
    error DigestNotCanonical(bytes32 digest);

    /// @notice The lanes of a digest, or the digest of lanes: reverses the bytes of every 64 bits.
    function swap(uint256 word) internal pure returns (uint256) {
        word = ((word & 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff) << 8)
            | ((word >> 8) & 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff);
        word = ((word & 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff) << 16)
            | ((word >> 16) & 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff);
        return ((word & 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff) << 32)
            | ((word >> 32) & 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff);
    }

    /// @notice Lanes of a digest; reverts unless every element is below p.
    function lanesOf(bytes32 digest) internal pure returns (uint256 lanes) {
        lanes = swap(uint256(digest));
        if (!areCanonical(lanes)) revert DigestNotCanonical(digest);
    }

    /// @notice Reverts unless every element of a digest is below p.
    function requireCanonical(bytes32 digest) internal pure {
        if (!areCanonical(swap(uint256(digest)))) revert DigestNotCanonical(digest);
    }

    /// @notice Whether every 64 bits of the word are below p.
    function areCanonical(uint256 lanes) internal pure returns (bool) {
        return lanes >> 192 < MODULUS && uint64(lanes >> 128) < MODULUS
            && uint64(lanes >> 64) < MODULUS && uint64(lanes) < MODULUS;
    }
}
