// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobOpening} from "../interfaces/ISettlement.sol";
import {Carrier, Opening, Polynomial} from "../interfaces/IVerifier.sol";
import {PublicDataLayout, SCALAR_FIELD} from "../rendered/PublicDataLayout.sol";
import {Goldilocks} from "./Goldilocks.sol";

/// @title D, z and y: what binds a proof to a batch's data without Keccak in the proof
/// @notice 31 bytes of data are a coefficient of a polynomial over the BLS12-381 scalar field r,
/// chunk
/// i that of X^i, 4,096 a polynomial. z is drawn from D and from the hash of what carries each
/// polynomial, so both are fixed before z is known: that is the soundness. This library checks P(z)
/// = y
/// against the carrier; the proof checks it against D. Source: public_data/opening.py; EIP-4844.
library DataOpening {
    address private constant POINT_EVALUATION = address(0x0a);
    /// @dev Four times the precompile's price. When it refuses it keeps all it was given, so it is
    /// not
    /// given all there is.
    uint256 private constant POINT_EVALUATION_GAS = 200_000;
    uint256 private constant POLYNOMIALS_MAX = 255;

    error PolynomialTooLong(uint256 length, uint256 limit);
    error TooManyPolynomials(uint256 count, uint256 limit);
    /// @notice The transaction carries another number of blobs, or fewer than the place named.
    error WrongBlobs(uint256 place);
    /// @notice All blobs but the last are full, and no blob is empty.
    error BlobLength(uint256 place, uint256 length, uint256 low, uint256 high);
    /// @notice The precompile refuses the value, the commitment or the proof of a blob.
    error BlobValueRefused(uint256 place, bytes32 versionedHash);

    /// @notice Opening of data in calldata, cut into full polynomials and a rest.
    /// @param dataDigest D, of which only the form is checked: a wrong one makes a batch
    /// unprovable.
    function openCalldata(
        bytes32 dataDigest,
        bytes calldata header,
        bytes calldata data,
        bytes calldata contractData
    ) internal pure returns (Opening memory opening) {
        uint256 count = pieces(data.length);
        bytes32[] memory hashes;
        (opening, hashes) = prepared(dataDigest, count, contractData);
        for (uint256 place = 0; place < count; ++place) {
            hashes[place] = keccak256(piece(data, place));
        }
        opening.point = point(dataDigest, hashes, header);
        for (uint256 place = 0; place < count; ++place) {
            opening.polynomials[place] = evaluated(piece(data, place), opening.point);
        }
        openContractData(opening, contractData);
    }

    /// @notice Opening of data in the blobs of this transaction, all of them, in order.
    function openBlobs(
        bytes32 dataDigest,
        bytes calldata header,
        BlobOpening[] calldata blobs,
        bytes calldata contractData
    ) internal view returns (Opening memory opening) {
        bytes32[] memory hashes;
        (opening, hashes) = prepared(dataDigest, blobs.length, contractData);
        for (uint256 place = 0; place < blobs.length; ++place) {
            hashes[place] = blobhash(place);
            if (hashes[place] == 0) revert WrongBlobs(place);
            uint256 low = place + 1 < blobs.length ? PublicDataLayout.POLYNOMIAL_BYTES : 1;
            uint256 length = blobs[place].length;
            if (length < low || length > PublicDataLayout.POLYNOMIAL_BYTES) {
                revert BlobLength(place, length, low, PublicDataLayout.POLYNOMIAL_BYTES);
            }
        }
        if (blobs.length == 0 || blobhash(blobs.length) != 0) revert WrongBlobs(blobs.length);
        opening.point = point(dataDigest, hashes, header);
        for (uint256 place = 0; place < blobs.length; ++place) {
            BlobOpening calldata blob = blobs[place];
            if (!isBlobValue(hashes[place], opening.point, blob)) {
                revert BlobValueRefused(place, hashes[place]);
            }
            opening.polynomials[place] = Polynomial(Carrier.BLOB, blob.length, blob.value);
        }
        openContractData(opening, contractData);
    }

    /// @notice How many polynomials carry so many bytes; one if there is none.
    function pieces(uint256 length) internal pure returns (uint256) {
        if (length == 0) return 1;
        return (length - 1) / PublicDataLayout.POLYNOMIAL_BYTES + 1;
    }

    /// @notice The bytes of one polynomial of the data.
    function piece(bytes calldata data, uint256 place) internal pure returns (bytes calldata) {
        uint256 start = place * PublicDataLayout.POLYNOMIAL_BYTES;
        uint256 end = start + PublicDataLayout.POLYNOMIAL_BYTES;
        return data[start:end < data.length ? end : data.length];
    }

    /// @notice z = keccak(tag 32 ‖ D 32 ‖ polynomials 1 ‖ carrier hashes 32 each ‖ header) mod r.
    function point(bytes32 dataDigest, bytes32[] memory hashes, bytes calldata header)
        internal
        pure
        returns (uint256)
    {
        Goldilocks.requireCanonical(dataDigest); // or the proof knows no such D
        if (hashes.length > POLYNOMIALS_MAX) {
            revert TooManyPolynomials(hashes.length, POLYNOMIALS_MAX);
        }
        bytes32 hash = keccak256(
            abi.encodePacked(
                PublicDataLayout.POINT_TAG, dataDigest, uint8(hashes.length), hashes, header
            )
        );
        return uint256(hash) % SCALAR_FIELD;
    }

    /// @notice P(z) mod r of the polynomial of these bytes, by Horner's rule from the highest
    /// coefficient down. The last chunk is completed with zero bytes.
    /// @dev About 1.2 gas a byte. A value before the next step is below r + 2^248 < 2^256, and
    /// mulmod
    /// reduces it, so nothing overflows.
    function evaluate(bytes calldata data, uint256 z) internal pure returns (uint256 y) {
        uint256 length = data.length;
        if (length > PublicDataLayout.POLYNOMIAL_BYTES) {
            revert PolynomialTooLong(length, PublicDataLayout.POLYNOMIAL_BYTES);
        }
        if (length == 0) return 0;
        uint256 below = (length - 1) / PublicDataLayout.COEFFICIENT_BYTES; // the highest power
        uint256 missing = 31 * (below + 1) - length; // bytes of the last chunk that are not there
        assembly ("memory-safe") {
            let place := add(data.offset, mul(below, 31))
            let absent := shl(3, missing)
            // the chunk is the word's upper 31 bytes, and what follows the data is not ours
            y := shl(absent, shr(add(absent, 8), calldataload(place)))
            function step(value, point_, from) -> next {
                next := add(shr(8, calldataload(from)), mulmod(point_, value, SCALAR_FIELD))
            }
            for {} and(below, 7) { below := sub(below, 1) } {
                place := sub(place, 31)
                y := step(y, z, place)
            }
            for {} below { below := sub(below, 8) } {
                y := step(y, z, sub(place, 31))
                y := step(y, z, sub(place, 62))
                y := step(y, z, sub(place, 93))
                y := step(y, z, sub(place, 124))
                y := step(y, z, sub(place, 155))
                y := step(y, z, sub(place, 186))
                y := step(y, z, sub(place, 217))
                place := sub(place, 248)
                y := step(y, z, place)
            }
            y := mod(y, SCALAR_FIELD)
        }
    }

    /// @notice Whether a blob takes the value at z, by the point-evaluation precompile.
    /// @dev The precompile refuses values and points from r on, and answers with the blob's size
    /// and r.
    function isBlobValue(bytes32 versionedHash, uint256 z, BlobOpening calldata blob)
        internal
        view
        returns (bool)
    {
        (bool success, bytes memory answer) = POINT_EVALUATION.staticcall{
            gas: POINT_EVALUATION_GAS
        }(
            abi.encodePacked(versionedHash, z, blob.value, blob.commitment, blob.proof)
        );
        return success
            && keccak256(answer)
                == keccak256(abi.encode(PublicDataLayout.FIELD_ELEMENTS_PER_BLOB, SCALAR_FIELD));
    }

    /// @dev An opening with room for `count` polynomials of data and those of the contract's part,
    /// and
    /// the carrier hashes, of which those of the contract's part are filled in.
    function prepared(bytes32 dataDigest, uint256 count, bytes calldata contractData)
        private
        pure
        returns (Opening memory opening, bytes32[] memory hashes)
    {
        uint256 own = pieces(contractData.length);
        if (count + own > POLYNOMIALS_MAX) {
            revert TooManyPolynomials(count + own, POLYNOMIALS_MAX);
        }
        opening.dataDigest = dataDigest;
        opening.dataPolynomials = uint8(count);
        opening.polynomials = new Polynomial[](count + own);
        hashes = new bytes32[](count + own);
        for (uint256 place = 0; place < own; ++place) {
            hashes[count + place] = keccak256(piece(contractData, place));
        }
    }

    /// @dev Fills in the polynomials of the contract's part, which always are calldata.
    function openContractData(Opening memory opening, bytes calldata contractData) private pure {
        uint256 count = opening.dataPolynomials;
        for (uint256 place = count; place < opening.polynomials.length; ++place) {
            opening.polynomials[place] =
                evaluated(piece(contractData, place - count), opening.point);
        }
    }

    /// @dev One polynomial in calldata.
    function evaluated(bytes calldata data, uint256 z) private pure returns (Polynomial memory) {
        return Polynomial(Carrier.CALLDATA, uint32(data.length), evaluate(data, z));
    }
}
