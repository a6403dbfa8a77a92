// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CubicField, P} from "./CubicField.sol";
import {Key, Keys, Round} from "./Keys.sol";
import {Rows} from "./Rows.sol";
import {Session} from "./Session.sol";
import {Transcript, Transcripts} from "./Transcripts.sol";
import {Words} from "./Words.sol";

/// @notice Claims that a round of WHIR adds: answers out of domain, then opened rows, with the
/// powers of its challenge from the first on.
struct Group {
    uint256 batching;
    /// Variables that were folded when it was added.
    uint256 folded;
    /// Elements of K.
    uint256[] points;
    /// Points of the code's domain: elements of F.
    uint256[] queries;
}

/// @title Steps 4 and 5: the opened values are those of what was committed to (WHIR)
/// @notice proof/verifier/stacking.py and whir.py.
library Openings {
    using Keys for Key;
    using Transcripts for Transcript;
    using Words for uint256[];

    uint256 private constant ELEMENT_BYTES = 24;
    /// @dev Of order 2^32.
    uint256 private constant ROOT_OF_UNITY = 1_753_635_133_440_165_772;

    /// @notice The final polynomial is not what the last tree holds at this query.
    error FinalRowMismatch(uint256 query);

    /// @notice Step 4: answers out of domain and opened values, all absorbed; and step 5's
    /// challenge.
    function readClaims(Session memory s) internal view {
        unchecked {
            Key memory key = s.key;
            Transcript memory t = s.transcript;
            s.answers = new uint256[](key.initialAnswers);
            s.answerPoints = new uint256[](key.initialAnswers);
            for (uint256 place = 0; place < key.initialAnswers; ++place) {
                key.absorbSeed(t, s.parts, Keys.ANSWER);
                s.answerPoints[place] = t.drawExtension();
                s.answers[place] = readElement(s);
            }
            uint256[] memory opened = new uint256[](key.columns);
            s.opened = opened;
            uint256 cursor = s.openedAt;
            uint256 to;
            assembly ("memory-safe") {
                to := add(opened, 32)
            }
            for (uint256 table = 0; table < key.tables; ++table) {
                key.absorbSeed(t, s.parts, Keys.FIRST_TABLE + table);
                uint256 count = key.openedOf(table);
                t.absorbCalldata(cursor, ELEMENT_BYTES * count);
                CubicField.readElements(cursor, count, to);
                cursor += ELEMENT_BYTES * count;
                to += 32 * count;
            }
            key.absorbSeed(t, s.parts, Keys.FIRST_TABLE + key.tables);
            s.gamma = t.drawExtension();
        }
    }

    /// @notice Step 5 but for the weights of column claims.
    /// @return weights Σ power · weight over all other claims.
    /// @return value The final polynomial at the last challenges.
    function fold(Session memory s) internal view returns (uint256 weights, uint256 value) {
        unchecked {
            Key memory key = s.key;
            s.xi = new uint256[](key.variables);
            uint256 power = CubicField.power(s.gamma, key.columns);
            s.claim = CubicField.reduce(
                s.columnsClaim + CubicField.mul(power, horner(s.answers, s.gamma))
            );
            sumcheck(s, key.initialFold, key.initialFoldPow, 0);
            Group[] memory groups = new Group[](key.rounds);
            bytes32 root = s.root;
            for (uint256 place = 0; place < key.rounds; ++place) {
                Round memory round = key.round(place);
                root = runRound(s, round, root, place, groups[place]);
                sumcheck(s, round.fold, round.foldPow, place + 1);
            }
            value = finish(s, root);
            uint256[] memory same = new uint256[](key.initialAnswers);
            for (uint256 place = 0; place < same.length; ++place) {
                same[place] = weightAt(s.answerPoints[place], s.xi, 0);
            }
            weights = CubicField.mul(power, horner(same, s.gamma));
            for (uint256 place = 0; place < key.rounds; ++place) {
                weights += weightOf(groups[place], s.xi);
            }
        }
    }

    /// @dev An element of the proof, absorbed.
    function readElement(Session memory s) private pure returns (uint256 element) {
        unchecked {
            element = CubicField.elementAt(s.cursor);
            s.transcript.absorbCalldata(s.cursor, ELEMENT_BYTES);
            s.cursor += ELEMENT_BYTES;
        }
    }

    /// @dev values[0] + x·values[1] + …; bound 1.
    function horner(uint256[] memory values, uint256 x) private pure returns (uint256 result) {
        unchecked {
            for (uint256 place = values.length; place != 0; --place) {
                result = CubicField.reduce(CubicField.mul(result, x) + values.get(place - 1));
            }
        }
    }

    /// @dev A fold: quadratic polynomials, each sent as its value at 0 and leading coefficient.
    function sumcheck(Session memory s, uint256 rounds, uint256 pow, uint256 place) private view {
        unchecked {
            if (rounds == 0) return;
            Transcript memory t = s.transcript;
            s.key.absorbSeed(t, s.parts, Keys.FIRST_TABLE + s.key.tables + 1 + place);
            uint256 cursor = s.cursor;
            uint256 witness = cursor + 2 * ELEMENT_BYTES * rounds;
            for (; rounds != 0; --rounds) {
                uint256 constant_ = CubicField.elementAt(cursor);
                uint256 leading = CubicField.elementAt(cursor + ELEMENT_BYTES);
                uint256 x;
                if (pow == 0) {
                    x = t.absorbAndDraw(cursor, 2 * ELEMENT_BYTES);
                } else {
                    t.absorbCalldata(cursor, 2 * ELEMENT_BYTES);
                    witness = t.grind(pow, witness);
                    x = t.drawExtension();
                }
                cursor += 2 * ELEMENT_BYTES;
                uint256 slope = CubicField.sub(
                    CubicField.sub(CubicField.sub(s.claim, constant_), constant_), leading
                );
                slope += CubicField.mul(leading, x);
                s.claim = CubicField.reduce(constant_ + CubicField.mul(slope, x));
                s.xi[s.folded++] = x;
            }
            s.cursor = witness;
        }
    }

    /// @dev A round: a new commitment, answers, and rows of the tree before.
    function runRound(
        Session memory s,
        Round memory round,
        bytes32 root,
        uint256 place,
        Group memory group
    ) private pure returns (bytes32 next) {
        unchecked {
            Transcript memory t = s.transcript;
            uint256 cursor = s.cursor;
            assembly ("memory-safe") {
                next := calldataload(cursor)
            }
            t.absorbDigest(next);
            s.cursor += 32;
            group.folded = s.folded;
            group.points = new uint256[](round.answers);
            uint256[] memory values = new uint256[](round.answers + round.queries);
            for (uint256 answer = 0; answer < round.answers; ++answer) {
                group.points[answer] = t.drawExtension();
                values[answer] = readElement(s);
            }
            uint256[] memory table = lastCorners(s, place);
            uint256 rows = t.grind(round.pow, s.cursor);
            for (uint256 query = 0; query < round.queries; ++query) {
                values.set(round.answers + query, foldRow(rows, query, table, place));
            }
            group.queries = openRows(s, round, root, rows, rowBytes(table, place));
            group.batching = t.drawExtension();
            uint256 sum = CubicField.mul(horner(values, group.batching), group.batching);
            s.claim = CubicField.reduce(s.claim + sum);
        }
    }

    /// @dev The end: a polynomial in the clear, which the last tree and all claims agree with.
    function finish(Session memory s, bytes32 root) private view returns (uint256) {
        unchecked {
            Key memory key = s.key;
            Transcript memory t = s.transcript;
            Round memory round = key.round(key.rounds);
            uint256 polynomialAt = s.cursor;
            uint256 size = ELEMENT_BYTES << key.finalVariables;
            t.absorbCalldata(polynomialAt, size);
            uint256[] memory coefficients = new uint256[](1 << key.finalVariables);
            uint256 to;
            assembly ("memory-safe") {
                to := add(coefficients, 32)
            }
            CubicField.readElements(polynomialAt, coefficients.length, to);
            uint256[] memory table = lastCorners(s, key.rounds);
            uint256 rows = t.grind(round.pow, polynomialAt + size);
            uint256[] memory values = new uint256[](round.queries);
            for (uint256 query = 0; query < values.length; ++query) {
                values.set(query, foldRow(rows, query, table, key.rounds));
            }
            uint256[] memory queries = openRows(s, round, root, rows, rowBytes(table, key.rounds));
            uint256[] memory lanes = Rows.apart(coefficients, 0, coefficients.length);
            for (uint256 query = 0; query < queries.length; ++query) {
                if (values.get(query) != univariate(lanes, queries.get(query))) {
                    revert FinalRowMismatch(query);
                }
            }
            sumcheck(s, round.fold, round.foldPow, key.rounds + 1);
            uint256[] memory corners =
                Rows.corners(s.xi, key.variables - key.finalVariables, key.variables);
            return Rows.foldK(polynomialAt, Rows.halved(corners));
        }
    }

    /// @dev Weights of a row at the challenges of the fold before, as the row's fold reads them.
    function lastCorners(Session memory s, uint256 place) private pure returns (uint256[] memory) {
        unchecked {
            uint256 count = place == 0 ? s.key.initialFold : s.key.round(place - 1).fold;
            uint256[] memory table = Rows.corners(s.xi, s.folded - count, s.folded);
            return place == 0 ? table : Rows.halved(table);
        }
    }

    /// @dev Rows of the first tree are of F, of others of K.
    function rowBytes(uint256[] memory table, uint256 place) private pure returns (uint256) {
        unchecked {
            return place == 0 ? table.length / 3 * 8 : table.length * 8;
        }
    }

    /// @dev A row as a multilinear at the last challenges.
    function foldRow(uint256 rows, uint256 query, uint256[] memory table, uint256 place)
        private
        pure
        returns (uint256)
    {
        unchecked {
            uint256 cursor = rows + query * rowBytes(table, place);
            return place == 0 ? Rows.foldF(cursor, table) : Rows.foldK(cursor, table);
        }
    }

    /// @dev Draws positions and checks that the rows stand there; the positions' points in the
    /// domain.
    function openRows(
        Session memory s,
        Round memory round,
        bytes32 root,
        uint256 rows,
        uint256 size
    ) private pure returns (uint256[] memory points) {
        unchecked {
            uint256[] memory indices = new uint256[](round.queries);
            s.transcript.drawBits(indices, round.logLeaves);
            s.cursor = Rows.check(root, round.logLeaves, indices, rows, size);
            points = domainPoints(indices, round.logLeaves);
        }
    }

    /// @dev The powers of a root of unity of order 2^bits, four bits of an exponent at a time.
    function domainPoints(uint256[] memory exponents, uint256 bits)
        private
        pure
        returns (uint256[] memory points)
    {
        unchecked {
            points = new uint256[](exponents.length);
            uint256[] memory powers = new uint256[](16 * ((bits + 3) / 4));
            uint256 base = ROOT_OF_UNITY;
            for (uint256 order = 32; order > bits; --order) {
                base = mulmod(base, base, P);
            }
            assembly ("memory-safe") {
                let power := 1
                let start := add(powers, 32)
                let end := add(start, mul(32, mload(powers)))
                for { let to := start } lt(to, end) { to := add(to, 32) } {
                    // Every sixteenth is 1 again, of the sixteenth power of the base before.
                    if iszero(and(sub(to, start), 0x1ff)) {
                        if gt(to, start) { base := power }
                        power := 1
                    }
                    mstore(to, power)
                    power := mulmod(power, base, P)
                }
                for { let place := mul(32, mload(exponents)) } place { place := sub(place, 32) } {
                    let exponent := mload(add(exponents, place))
                    let from := start
                    power := 1
                    for {} exponent { exponent := shr(4, exponent) } {
                        let factor := mload(add(from, shl(5, and(exponent, 15))))
                        power := mulmod(power, factor, P)
                        from := add(from, 0x200)
                    }
                    mstore(add(points, place), power)
                }
            }
        }
    }

    /// @dev Σ coefficient_j · x^j for x of F; lanes of the coefficients, below p, apart.
    function univariate(uint256[] memory lanes, uint256 x) private pure returns (uint256 result) {
        assembly ("memory-safe") {
            let s0 := 0
            let s1 := 0
            let s2 := 0
            let power := 1
            let from := add(lanes, 32)
            for { let end := add(from, mul(32, mload(lanes))) } lt(from, end) {
                from := add(from, 96)
            } {
                s0 := add(s0, mul(power, mload(from)))
                s1 := add(s1, mul(power, mload(add(from, 32))))
                s2 := add(s2, mul(power, mload(add(from, 64))))
                power := mulmod(power, x, P)
            }
            result := or(mod(s0, P), or(shl(85, mod(s1, P)), shl(170, mod(s2, P))))
        }
    }

    /// @dev eq((z^(2^(n−1)), …, z², z), ξ from `from` on).
    function weightAt(uint256 z, uint256[] memory xi, uint256 from)
        private
        pure
        returns (uint256 result)
    {
        unchecked {
            result = 1;
            for (uint256 place = xi.length; place != from; --place) {
                result = CubicField.mul(result, CubicField.eq(z, xi.get(place - 1)));
                z = CubicField.mul(z, z);
            }
        }
    }

    /// @dev Σ power · weight over a round's claims.
    function weightOf(Group memory group, uint256[] memory xi) private pure returns (uint256) {
        unchecked {
            uint256[] memory weights = new uint256[](group.points.length + group.queries.length);
            for (uint256 place = 0; place < group.points.length; ++place) {
                weights[place] = weightAt(group.points[place], xi, group.folded);
            }
            uint256[] memory pairs = pairsOf(xi, group.folded);
            uint256[] memory queries = group.queries;
            for (uint256 query = 0; query < queries.length; ++query) {
                weights.set(group.points.length + query, queryWeight(queries.get(query), pairs));
            }
            return CubicField.mul(horner(weights, group.batching), group.batching);
        }
    }

    /// @dev Lanes of the coefficients of 1, x, x^2, x^3 in the factors of two coordinates each,
    /// from the last two on: (1 + y·(x − 1)) · (1 + z·(x^2 − 1)) for z before y. Twelve words a
    /// pair, of bound at most 3; before a first coordinate left over stands 0, whose factor is 1.
    function pairsOf(uint256[] memory xi, uint256 from)
        private
        pure
        returns (uint256[] memory pairs)
    {
        unchecked {
            uint256 count = xi.length - from;
            uint256[] memory padded = new uint256[](count + (count & 1));
            for (uint256 place = 0; place < count; ++place) {
                padded.set(padded.length - 1 - place, xi.get(xi.length - 1 - place));
            }
            pairs = new uint256[](6 * padded.length);
            uint256 to = 0;
            for (uint256 place = padded.length; place != 0; place -= 2) {
                uint256[] memory coefficients = Rows.corners(padded, place - 2, place);
                for (uint256 lane = 0; lane < 12; ++lane) {
                    pairs.set(to++, coefficients.get(lane));
                }
            }
        }
    }

    /// @dev Π (y_j · (x^(2^(n−1−j)) − 1) + 1) for x of F, two coordinates at a time.
    function queryWeight(uint256 x, uint256[] memory pairs) private pure returns (uint256 result) {
        assembly ("memory-safe") {
            let a0 := 1
            let a1 := 0
            let a2 := 0
            let from := add(pairs, 32)
            for { let end := add(from, mul(32, mload(pairs))) } lt(from, end) {
                from := add(from, 384)
            } {
                // Lanes of the factor are below 2^133, of the product before `mod` below 2^200.
                let power := mulmod(x, x, P)
                let b0 := add(mload(from), mul(x, mload(add(from, 96))))
                let b1 := add(mload(add(from, 32)), mul(x, mload(add(from, 128))))
                let b2 := add(mload(add(from, 64)), mul(x, mload(add(from, 160))))
                b0 := add(b0, mul(power, mload(add(from, 192))))
                b1 := add(b1, mul(power, mload(add(from, 224))))
                b2 := add(b2, mul(power, mload(add(from, 256))))
                x := mulmod(x, power, P)
                b0 := add(b0, mul(x, mload(add(from, 288))))
                b1 := add(b1, mul(x, mload(add(from, 320))))
                b2 := add(b2, mul(x, mload(add(from, 352))))
                x := mulmod(power, power, P)
                let d3 := add(mul(a1, b2), mul(a2, b1))
                let d4 := mul(a2, b2)
                a2 := mod(add(add(mul(a0, b2), mul(a1, b1)), add(mul(a2, b0), d4)), P)
                a1 := mod(add(add(mul(a0, b1), mul(a1, b0)), add(d3, d4)), P)
                a0 := mod(add(mul(a0, b0), d3), P)
            }
            result := or(a0, or(shl(85, a1), shl(170, a2)))
        }
    }
}
