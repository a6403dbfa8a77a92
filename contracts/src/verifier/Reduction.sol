// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CubicField, LANE_MASK, P, P_LANES} from "./CubicField.sol";
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
            s.key.absorbSeed(t, s.parts, Keys.LOOKUP);
            s.alpha = t.drawExtension();
            s.beta = t.drawExtension();
            s.key.absorbSeed(t, s.parts, Keys.FRACTIONS);
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
            uint256 sixth = mulmod(s.key.inverse(2), s.key.inverse(3), P);
            for (uint256 place = 0; place < layer; ++place) {
                uint256 x = t.absorbAndDraw(cursor, 3 * ELEMENT_BYTES);
                if (x == 0) x = t.drawNonzero();
                current = cubic(cursor, current, x, sixth);
                cursor += 3 * ELEMENT_BYTES;
                drawn.set(place, x);
                same = timesEq(same, q.get(place), x);
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

    /// @dev At x, the cubic sent as its values at 0, 2 and 3, those at 0 and 1 having this sum:
    /// a sixth of 6 h0 + x·(6 D1 + (x − 1)·(3 D2 + (x − 2)·D3)), D the forward differences.
    function cubic(uint256 cursor, uint256 sum, uint256 x, uint256 sixth)
        private
        pure
        returns (uint256 result)
    {
        unchecked {
            uint256 h0 = CubicField.elementAt(cursor);
            uint256 h1 = CubicField.sub(sum, h0); // bound 2
            uint256 h2 = CubicField.elementAt(cursor + ELEMENT_BYTES);
            // h3 − 3 h2 + 3 h1 − h0, of bound 11; then h2 − 2 h1 + h0, and h1 − h0
            uint256 value = CubicField.elementAt(cursor + 2 * ELEMENT_BYTES);
            value += 4 * P_LANES + 3 * h1 - 3 * h2 - h0;
            h2 = 3 * (h2 + h0 + 4 * P_LANES - 2 * h1);
            h1 = 6 * CubicField.sub(h1, h0);
            h0 = 6 * h0;
            assembly ("memory-safe") {
                let x0 := and(x, LANE_MASK)
                let x1 := and(shr(85, x), LANE_MASK)
                let x2 := shr(170, x)
                let t0 := and(value, LANE_MASK)
                let t1 := and(shr(85, value), LANE_MASK)
                let t2 := shr(170, value)
                {
                    // x − 2; lanes of the product are below 2^135
                    let y := add(x0, 0xfffffffeffffffff)
                    let d3 := add(mul(t1, x2), mul(t2, x1))
                    let d4 := mul(t2, x2)
                    let n2 := add(add(d4, mul(t0, x2)), add(mul(t1, x1), mul(t2, y)))
                    let n1 := add(add(d3, d4), add(mul(t0, x1), mul(t1, y)))
                    t0 := add(add(d3, mul(t0, y)), and(h2, LANE_MASK))
                    t1 := add(n1, and(shr(85, h2), LANE_MASK))
                    t2 := add(n2, shr(170, h2))
                }
                {
                    // x − 1; lanes of the product are below 2^204
                    let y := add(x0, 0xffffffff00000000)
                    let d3 := add(mul(t1, x2), mul(t2, x1))
                    let d4 := mul(t2, x2)
                    let n2 := add(add(d4, mul(t0, x2)), add(mul(t1, x1), mul(t2, y)))
                    let n1 := add(add(d3, d4), add(mul(t0, x1), mul(t1, y)))
                    t0 := add(mod(add(d3, mul(t0, y)), P), and(h1, LANE_MASK))
                    t1 := add(mod(n1, P), and(shr(85, h1), LANE_MASK))
                    t2 := add(mod(n2, P), shr(170, h1))
                }
                {
                    let d3 := add(mul(t1, x2), mul(t2, x1))
                    let d4 := mul(t2, x2)
                    let n2 := add(add(d4, mul(t0, x2)), add(mul(t1, x1), mul(t2, x0)))
                    let n1 := add(add(d3, d4), add(mul(t0, x1), mul(t1, x0)))
                    t0 := add(add(d3, mul(t0, x0)), and(h0, LANE_MASK))
                    t1 := add(n1, and(shr(85, h0), LANE_MASK))
                    t2 := add(n2, shr(170, h0))
                }
                result := shl(170, mod(mul(t2, sixth), P))
                result := or(result, shl(85, mod(mul(t1, sixth), P)))
                result := or(result, mod(mul(t0, sixth), P))
            }
        }
    }

    /// @dev same · (2ab − a − b + 1); bound 1. For all of bound 1.
    function timesEq(uint256 same, uint256 a, uint256 b) private pure returns (uint256 result) {
        assembly ("memory-safe") {
            let e0 := and(a, LANE_MASK)
            let e1 := and(shr(85, a), LANE_MASK)
            let e2 := shr(170, a)
            {
                let b0 := and(b, LANE_MASK)
                let b1 := and(shr(85, b), LANE_MASK)
                let b2 := shr(170, b)
                let d3 := add(mul(e1, b2), mul(e2, b1))
                let d4 := mul(e2, b2)
                let n2 := add(add(d4, mul(e0, b2)), add(mul(e1, b1), mul(e2, b0)))
                let n1 := add(add(d3, d4), add(mul(e0, b1), mul(e1, b0)))
                // 2p is more than a + b in every lane; lanes below 2^133
                let lift := 0x1fffffffe00000002
                e0 := add(shl(1, add(d3, mul(e0, b0))), sub(add(lift, 1), add(e0, b0)))
                e1 := add(shl(1, n1), sub(lift, add(e1, b1)))
                e2 := add(shl(1, n2), sub(lift, add(e2, b2)))
            }
            let s0 := and(same, LANE_MASK)
            let s1 := and(shr(85, same), LANE_MASK)
            let s2 := shr(170, same)
            let d3 := add(mul(e1, s2), mul(e2, s1))
            let d4 := mul(e2, s2)
            result := mod(add(add(d4, mul(e0, s2)), add(mul(e1, s1), mul(e2, s0))), P)
            result := shl(85, result)
            result := or(result, mod(add(add(d3, d4), add(mul(e0, s1), mul(e1, s0))), P))
            result := or(shl(85, result), mod(add(d3, mul(e0, s0)), P))
        }
    }

    /// @notice Step 3: every rule is zero and the lookup's claims hold, if one value is found at r.
    function checkZero(Session memory s) internal view {
        unchecked {
            Key memory key = s.key;
            Transcript memory t = s.transcript;
            key.absorbSeed(t, s.parts, Keys.ZEROCHECK);
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
            key.absorbSeed(t, s.parts, Keys.SUMCHECK);
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
            uint256 inverse = 1;
            for (uint256 number = 2; number <= key.zerocheckDegree; ++number) {
                inverse = mulmod(inverse, key.inverse(number), P);
            }
            for (uint256 place = 0; place < s.r.length; ++place) {
                readPolynomial(values, s.cursor, current);
                uint256 x;
                if (key.zerocheckPow == 0) {
                    x = s.transcript.absorbAndDraw(s.cursor, size);
                } else {
                    s.transcript.absorbCalldata(s.cursor, size);
                    witness = s.transcript.grind(key.zerocheckPow, witness);
                    x = s.transcript.drawExtension();
                }
                s.cursor += size;
                s.r[place] = x;
                current = interpolate(values, x, inverse);
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
            uint256 to;
            assembly ("memory-safe") {
                to := add(values, 96)
            }
            CubicField.readElements(cursor + ELEMENT_BYTES, values.length - 2, to);
        }
    }

    /// @dev The polynomial of least degree with these values at 0, 1, 2, …, at x (Newton's forward
    /// differences). The values, of bound 1, are overwritten. With D_k the difference of order k,
    /// d! · h(x) = (…(D_d·(x − d + 1) + d·D_(d−1))·(x − d + 2) + …)·x + d!·D_0.
    /// @param inverse 1 / d!
    function interpolate(uint256[] memory values, uint256 x, uint256 inverse)
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
                    let cursor := add(values, mul(32, degree))
                    let upper := mload(add(cursor, 32))
                    for {} iszero(lt(cursor, first)) {} {
                        // values[place] − values[place − 1]
                        let lower := mload(cursor)
                        mstore(add(cursor, 32), sub(add(upper, lift), lower))
                        upper := lower
                        cursor := sub(cursor, 32)
                    }
                }
                lift <<= 1;
            }
            // d! / k! · 2^k is below 2^17 for d up to 8, so bounds of sums stay below 2^20.
            result = values[degree];
            uint256 factor = 1;
            for (uint256 order = degree; order != 0; --order) {
                factor *= order;
                result = CubicField.mul(result, x + P - (order - 1));
                result += factor * values.get(order - 1);
            }
            result = CubicField.scale(result, inverse);
        }
    }
}
