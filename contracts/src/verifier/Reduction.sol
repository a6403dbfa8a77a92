// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CubicField, P, P_LANES} from "./CubicField.sol";
import {Key, Keys} from "./Keys.sol";
import {Session} from "./Session.sol";
import {Transcript, Transcripts} from "./Transcripts.sol";
import {Words} from "./Words.sol";

/// @title Steps 2 and 3: buses and rules, down to one point
/// @notice proof/verifier/lookup.py and zerocheck.py.
library Reduction {
    using Keys for Key;
    using Transcripts for Transcript;
    using Words for uint256[];

    uint256 private constant ELEMENT_BYTES = 24;

    /// @notice 2.1
    error RootDenominatorIsZero();
    /// @notice 2.2: a layer's claims do not give what its sumcheck ended with.
    error LayerMismatch(uint256 layer);
    /// @notice 3.1
    error ClaimedSumMismatch();

    /// @notice Step 2: the fractions sum to zero, if two claims hold at the point q.
    function sumFractions(Session memory s) internal view {
        unchecked {
            Transcript memory t = s.transcript;
            s.key.absorbSeed(t, s.seedParts, Keys.LOOKUP);
            s.alpha = t.drawExtension();
            s.beta = t.drawExtension();
            s.key.absorbSeed(t, s.seedParts, Keys.FRACTIONS);
            s.denominator = CubicField.elementAt(s.cursor);
            if (s.denominator == 0) revert RootDenominatorIsZero();
            t.absorbCalldata(s.cursor, ELEMENT_BYTES);
            s.cursor += ELEMENT_BYTES;
            s.q = new uint256[](s.key.layers);
            uint256[] memory drawn = new uint256[](s.key.layers);
            for (uint256 layer = 0; layer < s.key.layers; ++layer) {
                reduceLayer(s, layer, drawn);
            }
            s.theta = t.drawExtension();
        }
    }

    /// @dev From claims on a layer's fractions to claims on those below: a sumcheck, then a branch.
    /// @param drawn Room for its challenges.
    function reduceLayer(Session memory s, uint256 layer, uint256[] memory drawn) private pure {
        unchecked {
            Transcript memory t = s.transcript;
            uint256 batching = t.drawExtension();
            uint256 current =
                CubicField.reduce(s.numerator + CubicField.mul(batching, s.denominator));
            uint256 same = 1;
            uint256[] memory q = s.q;
            uint256 cursor = s.cursor;
            uint256 half = s.key.inverse(2);
            uint256 third = s.key.inverse(3);
            for (uint256 place = 0; place < layer; ++place) {
                t.absorbCalldata(cursor, 3 * ELEMENT_BYTES);
                uint256 x = t.drawNonzero();
                current = cubic(cursor, current, x, half, third);
                cursor += 3 * ELEMENT_BYTES;
                drawn.set(place, x);
                same = CubicField.mul(same, CubicField.eq(q.get(place), x));
            }
            s.cursor = cursor + 4 * ELEMENT_BYTES;
            uint256 n0 = CubicField.elementAt(cursor);
            uint256 d0 = CubicField.elementAt(cursor + ELEMENT_BYTES);
            uint256 n1 = CubicField.elementAt(cursor + 2 * ELEMENT_BYTES);
            uint256 d1 = CubicField.elementAt(cursor + 3 * ELEMENT_BYTES);
            uint256 joined = CubicField.mul(batching, CubicField.mul(d0, d1));
            joined += CubicField.mul(d1, n0) + CubicField.mul(d0, n1);
            if (current != CubicField.mul(same, joined)) revert LayerMismatch(layer);
            t.absorbCalldata(cursor, 4 * ELEMENT_BYTES);
            uint256 branch = t.drawNonzero();
            s.numerator = CubicField.between(n0, n1, branch);
            s.denominator = CubicField.between(d0, d1, branch);
            q[0] = branch;
            for (uint256 place = 0; place < layer; ++place) {
                q.set(place + 1, drawn.get(place));
            }
        }
    }

    /// @dev At x, the cubic sent as its values at 0, 2 and 3, those at 0 and 1 having this sum.
    function cubic(uint256 cursor, uint256 sum, uint256 x, uint256 half, uint256 third)
        private
        pure
        returns (uint256)
    {
        unchecked {
            uint256 h0 = CubicField.elementAt(cursor);
            uint256 h1 = CubicField.sub(sum, h0); // bound 2
            uint256 h2 = CubicField.elementAt(cursor + ELEMENT_BYTES);
            // Differences of order 3 to 1: h3 − 3 h2 + 3 h1 − h0, h2 − 2 h1 + h0, h1 − h0
            uint256 value = CubicField.elementAt(cursor + 2 * ELEMENT_BYTES);
            value += 4 * P_LANES + 3 * h1 - 3 * h2 - h0;
            value = CubicField.mul(value, CubicField.scale(x + P - 2, third));
            value += h2 + h0 + 4 * P_LANES - 2 * h1;
            value = CubicField.mul(value, CubicField.scale(x + P - 1, half));
            value += CubicField.sub(h1, h0);
            return CubicField.reduce(h0 + CubicField.mul(value, x));
        }
    }

    /// @notice Step 3: every rule is zero and the lookup's claims hold, if one value is found at r.
    function checkZero(Session memory s) internal view {
        unchecked {
            Key memory key = s.key;
            Transcript memory t = s.transcript;
            key.absorbSeed(t, s.seedParts, Keys.ZEROCHECK);
            s.alphaRules = t.drawExtension();
            s.betaTables = t.drawExtension();
            s.eta = t.drawExtension();
            s.fresh = new uint256[](key.zerocheckRounds - key.layers);
            for (uint256 place = 0; place < s.fresh.length; ++place) {
                s.fresh[place] = t.drawNonzero();
            }
            uint256 claimed = CubicField.elementAt(s.cursor);
            uint256 link = s.numerator + CubicField.mul(s.theta, CubicField.sub(s.denominator, 1));
            if (claimed != CubicField.mul(s.eta, link)) revert ClaimedSumMismatch();
            key.absorbSeed(t, s.seedParts, Keys.SUMCHECK);
            t.absorbCalldata(s.cursor, ELEMENT_BYTES);
            s.cursor += ELEMENT_BYTES;
            s.zerocheckValue = sumcheck(s, claimed);
        }
    }

    /// @dev Its rounds. Witnesses of proof-of-work follow all polynomials.
    function sumcheck(Session memory s, uint256 current) private pure returns (uint256) {
        unchecked {
            Key memory key = s.key;
            uint256 size = ELEMENT_BYTES * key.zerocheckDegree;
            uint256 witness = s.cursor + size * key.zerocheckRounds;
            uint256[] memory values = new uint256[](key.zerocheckDegree + 1);
            s.r = new uint256[](key.zerocheckRounds);
            for (uint256 place = 0; place < s.r.length; ++place) {
                s.transcript.absorbCalldata(s.cursor, size);
                readPolynomial(values, s.cursor, current);
                s.cursor += size;
                witness = s.transcript.grind(key.zerocheckPow, witness);
                s.r[place] = s.transcript.drawExtension();
                current = interpolate(key, values, s.r[place]);
            }
            s.cursor = witness;
            return current;
        }
    }

    /// @dev Values at 0, 1, 2, … of a polynomial sent as those at 0, 2, …, the sum of the first two
    /// being known; bound 1.
    function readPolynomial(uint256[] memory values, uint256 cursor, uint256 sum) private pure {
        unchecked {
            values[0] = CubicField.elementAt(cursor);
            values[1] = CubicField.reduce(CubicField.sub(sum, values[0]));
            for (uint256 place = 2; place < values.length; ++place) {
                cursor += ELEMENT_BYTES;
                values.set(place, CubicField.elementAt(cursor));
            }
        }
    }

    /// @dev The polynomial of least degree with these values at 0, 1, 2, …, at x (Newton's forward
    /// differences). The values, of bound 1, are overwritten.
    function interpolate(Key memory key, uint256[] memory values, uint256 x)
        private
        pure
        returns (uint256 result)
    {
        unchecked {
            uint256 degree = values.length - 1;
            uint256 lift = P_LANES;
            for (uint256 order = 1; order <= degree; ++order) {
                // Differences of this order have bound 2^order; `lift` is 2^(order − 1) · p.
                assembly ("memory-safe") {
                    let first := add(values, mul(32, order))
                    for { let cursor := add(values, mul(32, degree)) } iszero(lt(cursor, first)) {
                        cursor := sub(cursor, 32)
                    } {
                        // values[place] − values[place − 1]
                        mstore(
                            add(cursor, 32),
                            sub(add(mload(add(cursor, 32)), lift), mload(cursor))
                        )
                    }
                }
                lift <<= 1;
            }
            result = values[degree];
            for (uint256 order = degree; order != 0; --order) {
                // (x − order + 1) / order; the lanes of x are below p
                uint256 factor = x + P - (order - 1);
                factor = CubicField.scale(factor, key.inverse(order));
                result = values.get(order - 1) + CubicField.mul(result, factor);
            }
            result = CubicField.reduce(result);
        }
    }
}
