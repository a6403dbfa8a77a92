// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Opening, Statement} from "../interfaces/IVerifier.sol";
import {Goldilocks} from "../libraries/Goldilocks.sol";
import {Header} from "../libraries/Header.sol";
import {PublicDataLayout, SCALAR_FIELD} from "../rendered/PublicDataLayout.sol";

/// @title The public values of a proof of a batch, from what the settlement contract states
/// @notice Order and ranges of table `batch`: tables/batch.py. Digests are four elements each,
/// eight bytes little-endian; numbers below r sixteen limbs of 16 bits, addresses limbs of 56, 56
/// and 48 bits, all lowest first. Slots beyond the polynomials are zero.
library BatchPublicValues {
    /// @notice Slots for polynomials.
    uint256 internal constant POLYNOMIALS = 8;
    uint256 internal constant COUNT = 29 + 4 + 2 + 16 + 18 * POLYNOMIALS + 3 + 1 + 3;
    /// @dev chainid is below it.
    uint256 private constant CHAIN_LIMIT = 1 << 63;

    /// @notice A field of the statement that no proof can be of; `limit` is exclusive.
    error StatementField(string field, uint256 value, uint256 limit);

    /// @notice All public values. Reverts where tables/batch.py does: StatementField, errors of
    /// `Header` and `Goldilocks`.
    /// @param chain EIP-155 id of the chain that the settlement contract is on.
    /// @param settlement The contract that states it.
    function ofStatement(Statement calldata statement, uint256 chain, address settlement)
        internal
        pure
        returns (uint256[] memory values)
    {
        values = new uint256[](COUNT);
        uint256 next = putHeader(values, statement.header);
        next = putOpening(values, next, statement.opening);
        next = putAddress(values, next, statement.payee);
        requireBelow("chain_id", chain, CHAIN_LIMIT);
        values[next] = chain;
        next = putAddress(values, next + 1, settlement);
        assert(next == COUNT);
    }

    /// @dev The header's fields in their order.
    function putHeader(uint256[] memory values, bytes calldata header)
        private
        pure
        returns (uint256)
    {
        Header.Fields memory fields = Header.decode(header);
        values[0] = Header.VERSION;
        values[1] = fields.isDiff ? 1 : 0;
        values[2] = fields.resetSlots ? 1 : 0;
        values[3] = fields.number;
        values[4] = fields.time;
        values[5] = fields.fork;
        values[6] = fields.venueEpoch;
        values[7] = fields.inboxBefore;
        values[8] = fields.inboxAfter;
        uint256 next = putDigest(values, 9, fields.parameters);
        next = putDigest(values, next, fields.settlementRootBefore);
        next = putDigest(values, next, fields.rootBefore);
        next = putDigest(values, next, fields.settlementRootAfter);
        return putDigest(values, next, fields.rootAfter);
    }

    /// @dev D, counts, z, and a slot for each polynomial.
    function putOpening(uint256[] memory values, uint256 next, Opening calldata opening)
        private
        pure
        returns (uint256)
    {
        uint256 count = opening.polynomials.length;
        requireBelow("polynomials", count, POLYNOMIALS + 1);
        requireBelow("data_polynomials", opening.dataPolynomials, count + 1);
        requireBelow("point", opening.point, SCALAR_FIELD);
        next = putDigest(values, next, opening.dataDigest);
        values[next] = count;
        values[next + 1] = opening.dataPolynomials;
        next = putScalar(values, next + 2, opening.point);
        for (uint256 place = 0; place < count; ++place) {
            uint256 length = opening.polynomials[place].length;
            uint256 value = opening.polynomials[place].value;
            requireBelow("length", length, PublicDataLayout.POLYNOMIAL_BYTES + 1);
            requireBelow("value", value, SCALAR_FIELD);
            values[next] = uint256(opening.polynomials[place].carrier);
            values[next + 1] = length;
            next = putScalar(values, next + 2, value);
        }
        return next + 18 * (POLYNOMIALS - count);
    }

    /// @dev Four elements; reverts unless each is below p.
    function putDigest(uint256[] memory values, uint256 next, bytes32 digest)
        private
        pure
        returns (uint256)
    {
        uint256 lanes = Goldilocks.lanesOf(digest);
        for (uint256 lane = 0; lane < 4; ++lane) {
            values[next + lane] = uint64(lanes >> (64 * (3 - lane)));
        }
        return next + 4;
    }

    /// @dev Sixteen limbs.
    function putScalar(uint256[] memory values, uint256 next, uint256 scalar)
        private
        pure
        returns (uint256)
    {
        for (uint256 limb = 0; limb < 16; ++limb) {
            values[next + limb] = (scalar >> (16 * limb)) & 0xffff;
        }
        return next + 16;
    }

    /// @dev Limbs of 56, 56 and 48 bits.
    function putAddress(uint256[] memory values, uint256 next, address account)
        private
        pure
        returns (uint256)
    {
        uint256 number = uint160(account);
        values[next] = number & 0xffffffffffffff;
        values[next + 1] = (number >> 56) & 0xffffffffffffff;
        values[next + 2] = number >> 112;
        return next + 3;
    }

    /// @dev StatementField unless the value is below the limit.
    function requireBelow(string memory field, uint256 value, uint256 limit) private pure {
        if (value >= limit) revert StatementField(field, value, limit);
    }
}
