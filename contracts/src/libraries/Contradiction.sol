// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchBody} from "../interfaces/ISettlement.sol";
import {Opening, Polynomial} from "../interfaces/IVerifier.sol";
import {HeaderLayout} from "../rendered/HeaderLayout.sol";
import {Header} from "./Header.sol";

/// @title Statements that cannot both be true
library Contradiction {
    /// @notice Whether a header and an opening say of the batch's data, cut alike, from the same
    /// state and under the same conditions, that the state after is another one. Points and values
    /// do not matter: D alone determines the data. `diff` data do not determine the slots, hence
    /// not the root.
    function shows(BatchBody calldata body, bytes calldata header, Opening calldata opening)
        internal
        pure
        returns (bool)
    {
        Header.Fields memory one = Header.decode(body.header);
        Header.Fields memory other = Header.decode(header);
        uint256 roots = HeaderLayout.SETTLEMENT_ROOT_AFTER;
        return keccak256(body.header[:roots]) == keccak256(header[:roots])
            && _shape(body.opening) == _shape(opening)
            && (one.settlementRootAfter != other.settlementRootAfter
                || (!one.isDiff && one.rootAfter != other.rootAfter));
    }

    /// @dev Hash of D and of how the data are cut.
    function _shape(Opening calldata opening) private pure returns (bytes32) {
        uint256 count = opening.polynomials.length;
        uint256[] memory shape = new uint256[](count);
        for (uint256 place = 0; place < count; ++place) {
            Polynomial calldata polynomial = opening.polynomials[place];
            shape[place] = uint256(polynomial.carrier) << 32 | polynomial.length;
        }
        return keccak256(abi.encode(opening.dataDigest, opening.dataPolynomials, shape));
    }
}
