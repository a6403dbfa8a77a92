// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {P, P_LANES} from "./CubicField.sol";

/// @title Evaluator
/// @notice Runs straight-line programs over K from code parts. Stateless: it is as right as the
/// program that the caller names. Instructions: proof/contract/program.py.
/// @dev Registers are words of memory: register r at address 32·r, from register 32 on.
contract Evaluator {
    uint256 private constant FIRST_REGISTER_AT = 0x400;
    /// @dev Two bytes times 32: an address.
    uint256 private constant REGISTER = 0x1fffe0;

    /// @notice The compiler has put something where registers go.
    error NoRoom(uint256 freeMemory);

    /// @notice The results of a program.
    /// @param parts Data contracts whose code, without the first byte of each, is the program.
    /// @param registers Registers that it uses, those below the first included.
    /// @param inputs Elements of K with lanes below p.
    function evaluate(address[] calldata parts, uint256 registers, uint256[] calldata inputs)
        external
        view
        returns (uint256[] memory results)
    {
        unchecked {
            uint256 codeAt = 32 * registers;
            uint256 codeEnd = codeAt;
            uint256 free_;
            assembly ("memory-safe") {
                free_ := mload(0x40)
            }
            if (free_ > FIRST_REGISTER_AT) revert NoRoom(free_);
            for (uint256 place = 0; place < parts.length; ++place) {
                address part = parts[place];
                assembly ("memory-safe") {
                    let size := sub(extcodesize(part), 1)
                    extcodecopy(part, codeEnd, 1, size)
                    codeEnd := add(codeEnd, size)
                }
            }
            uint256 inputsAt;
            assembly ("memory-safe") {
                mstore(0x40, and(add(codeEnd, 63), not(31)))
                inputsAt := inputs.offset
            }
            (uint256 first, uint256 count) = run(codeAt, inputsAt);
            results = new uint256[](count);
            assembly ("memory-safe") {
                mcopy(add(results, 32), first, mul(32, count))
            }
        }
    }

    /// @dev Runs to the END instruction; where its results are. Loops are unrolled: operands of up
    /// to eight results are read in one word.
    function run(uint256 cursor, uint256 inputsAt)
        private
        pure
        returns (uint256 first, uint256 count)
    {
        assembly ("memory-safe") {
            mstore(0, inputsAt)
            let target := 0
            // 2^85 − 1, unknown to the optimizer, which would compute it anew at every use
            let mask := sub(shl(85, iszero(iszero(calldatasize()))), 1)
            for {} 1 {} {
                let head := mload(cursor)
                let argument := and(shr(224, head), 0xffffff)
                let operands := and(shr(208, head), 0xffff)
                cursor := add(cursor, 6)
                let end := add(cursor, shl(2, operands))
                switch byte(0, head)
                case 7 {
                    for {} lt(add(cursor, 4), end) { cursor := add(cursor, 8) } {
                        let pairs := mload(cursor)
                        {
                            let a2 := mload(and(shr(235, pairs), REGISTER))
                            let b2 := mload(and(shr(219, pairs), REGISTER))
                            let a0 := and(a2, mask)
                            let a1 := and(shr(85, a2), mask)
                            a2 := shr(170, a2)
                            let b0 := and(b2, mask)
                            let b1 := and(shr(85, b2), mask)
                            b2 := shr(170, b2)
                            let d3 := add(mul(a1, b2), mul(a2, b1))
                            let d4 := mul(a2, b2)
                            let c2 := add(add(mul(a0, b2), mul(a1, b1)), add(mul(a2, b0), d4))
                            let c1 := add(add(mul(a0, b1), mul(a1, b0)), add(d3, d4))
                            let c0 := mod(add(mul(a0, b0), d3), P)
                            mstore(target, or(or(shl(170, mod(c2, P)), shl(85, mod(c1, P))), c0))
                            target := add(target, 32)
                        }
                        {
                            let a2 := mload(and(shr(203, pairs), REGISTER))
                            let b2 := mload(and(shr(187, pairs), REGISTER))
                            let a0 := and(a2, mask)
                            let a1 := and(shr(85, a2), mask)
                            a2 := shr(170, a2)
                            let b0 := and(b2, mask)
                            let b1 := and(shr(85, b2), mask)
                            b2 := shr(170, b2)
                            let d3 := add(mul(a1, b2), mul(a2, b1))
                            let d4 := mul(a2, b2)
                            let c2 := add(add(mul(a0, b2), mul(a1, b1)), add(mul(a2, b0), d4))
                            let c1 := add(add(mul(a0, b1), mul(a1, b0)), add(d3, d4))
                            let c0 := mod(add(mul(a0, b0), d3), P)
                            mstore(target, or(or(shl(170, mod(c2, P)), shl(85, mod(c1, P))), c0))
                            target := add(target, 32)
                        }
                    }
                    if lt(cursor, end) {
                        let pairs := mload(cursor)
                        let a2 := mload(and(shr(235, pairs), REGISTER))
                        let b2 := mload(and(shr(219, pairs), REGISTER))
                        let a0 := and(a2, mask)
                        let a1 := and(shr(85, a2), mask)
                        a2 := shr(170, a2)
                        let b0 := and(b2, mask)
                        let b1 := and(shr(85, b2), mask)
                        b2 := shr(170, b2)
                        let d3 := add(mul(a1, b2), mul(a2, b1))
                        let d4 := mul(a2, b2)
                        let c2 := add(add(mul(a0, b2), mul(a1, b1)), add(mul(a2, b0), d4))
                        let c1 := add(add(mul(a0, b1), mul(a1, b0)), add(d3, d4))
                        let c0 := mod(add(mul(a0, b0), d3), P)
                        mstore(target, or(or(shl(170, mod(c2, P)), shl(85, mod(c1, P))), c0))
                        target := add(target, 32)
                    }
                }
                case 4 {
                    for {} lt(add(cursor, 12), end) { cursor := add(cursor, 16) } {
                        let pairs := mload(cursor)
                        mstore(
                            target,
                            add(
                                mload(and(shr(235, pairs), REGISTER)),
                                mload(and(shr(219, pairs), REGISTER))
                            )
                        )
                        mstore(
                            add(target, 32),
                            add(
                                mload(and(shr(203, pairs), REGISTER)),
                                mload(and(shr(187, pairs), REGISTER))
                            )
                        )
                        mstore(
                            add(target, 64),
                            add(
                                mload(and(shr(171, pairs), REGISTER)),
                                mload(and(shr(155, pairs), REGISTER))
                            )
                        )
                        mstore(
                            add(target, 96),
                            add(
                                mload(and(shr(139, pairs), REGISTER)),
                                mload(and(shr(123, pairs), REGISTER))
                            )
                        )
                        target := add(target, 128)
                    }
                    for {} lt(cursor, end) { cursor := add(cursor, 4) } {
                        let pairs := mload(cursor)
                        mstore(
                            target,
                            add(
                                mload(and(shr(235, pairs), REGISTER)),
                                mload(and(shr(219, pairs), REGISTER))
                            )
                        )
                        target := add(target, 32)
                    }
                }
                case 5 {
                    let lift := mul(argument, P_LANES)
                    for {} lt(add(cursor, 12), end) { cursor := add(cursor, 16) } {
                        let pairs := mload(cursor)
                        mstore(
                            target,
                            sub(
                                add(mload(and(shr(235, pairs), REGISTER)), lift),
                                mload(and(shr(219, pairs), REGISTER))
                            )
                        )
                        mstore(
                            add(target, 32),
                            sub(
                                add(mload(and(shr(203, pairs), REGISTER)), lift),
                                mload(and(shr(187, pairs), REGISTER))
                            )
                        )
                        mstore(
                            add(target, 64),
                            sub(
                                add(mload(and(shr(171, pairs), REGISTER)), lift),
                                mload(and(shr(155, pairs), REGISTER))
                            )
                        )
                        mstore(
                            add(target, 96),
                            sub(
                                add(mload(and(shr(139, pairs), REGISTER)), lift),
                                mload(and(shr(123, pairs), REGISTER))
                            )
                        )
                        target := add(target, 128)
                    }
                    for {} lt(cursor, end) { cursor := add(cursor, 4) } {
                        let pairs := mload(cursor)
                        mstore(
                            target,
                            sub(
                                add(mload(and(shr(235, pairs), REGISTER)), lift),
                                mload(and(shr(219, pairs), REGISTER))
                            )
                        )
                        target := add(target, 32)
                    }
                }
                case 9 {
                    let s0 := 0
                    let s1 := 0
                    let s2 := 0
                    for {} lt(cursor, end) { cursor := add(cursor, 4) } {
                        let pairs := mload(cursor)
                        let a2 := mload(and(shr(235, pairs), REGISTER))
                        let b2 := mload(and(shr(219, pairs), REGISTER))
                        let a0 := and(a2, mask)
                        let a1 := and(shr(85, a2), mask)
                        a2 := shr(170, a2)
                        let b0 := and(b2, mask)
                        let b1 := and(shr(85, b2), mask)
                        b2 := shr(170, b2)
                        let d3 := add(mul(a1, b2), mul(a2, b1))
                        let d4 := mul(a2, b2)
                        s2 := add(s2, add(add(mul(a0, b2), mul(a1, b1)), add(mul(a2, b0), d4)))
                        s1 := add(s1, add(add(mul(a0, b1), mul(a1, b0)), add(d3, d4)))
                        s0 := add(s0, add(mul(a0, b0), d3))
                    }
                    mstore(target, or(mod(s0, P), or(shl(85, mod(s1, P)), shl(170, mod(s2, P)))))
                    target := add(target, 32)
                }
                case 6 {
                    for {} lt(add(cursor, 12), end) { cursor := add(cursor, 16) } {
                        let pairs := mload(cursor)
                        mstore(
                            target,
                            mul(
                                mload(and(shr(235, pairs), REGISTER)),
                                mload(and(shr(219, pairs), REGISTER))
                            )
                        )
                        mstore(
                            add(target, 32),
                            mul(
                                mload(and(shr(203, pairs), REGISTER)),
                                mload(and(shr(187, pairs), REGISTER))
                            )
                        )
                        mstore(
                            add(target, 64),
                            mul(
                                mload(and(shr(171, pairs), REGISTER)),
                                mload(and(shr(155, pairs), REGISTER))
                            )
                        )
                        mstore(
                            add(target, 96),
                            mul(
                                mload(and(shr(139, pairs), REGISTER)),
                                mload(and(shr(123, pairs), REGISTER))
                            )
                        )
                        target := add(target, 128)
                    }
                    for {} lt(cursor, end) { cursor := add(cursor, 4) } {
                        let pairs := mload(cursor)
                        mstore(
                            target,
                            mul(
                                mload(and(shr(235, pairs), REGISTER)),
                                mload(and(shr(219, pairs), REGISTER))
                            )
                        )
                        target := add(target, 32)
                    }
                }
                case 10 {
                    for {} lt(add(cursor, 4), end) { cursor := add(cursor, 8) } {
                        let pairs := mload(cursor)
                        {
                            let a2 := mload(and(shr(235, pairs), REGISTER))
                            let a0 := and(a2, mask)
                            let a1 := and(shr(85, a2), mask)
                            a2 := shr(170, a2)
                            let d3 := shl(1, mul(a1, a2))
                            let d4 := mul(a2, a2)
                            let c2 := add(add(shl(1, mul(a0, a2)), mul(a1, a1)), d4)
                            let c1 := add(shl(1, mul(a0, a1)), add(d3, d4))
                            let c0 := mod(add(mul(a0, a0), d3), P)
                            mstore(target, or(or(shl(170, mod(c2, P)), shl(85, mod(c1, P))), c0))
                            target := add(target, 32)
                        }
                        {
                            let a2 := mload(and(shr(203, pairs), REGISTER))
                            let a0 := and(a2, mask)
                            let a1 := and(shr(85, a2), mask)
                            a2 := shr(170, a2)
                            let d3 := shl(1, mul(a1, a2))
                            let d4 := mul(a2, a2)
                            let c2 := add(add(shl(1, mul(a0, a2)), mul(a1, a1)), d4)
                            let c1 := add(shl(1, mul(a0, a1)), add(d3, d4))
                            let c0 := mod(add(mul(a0, a0), d3), P)
                            mstore(target, or(or(shl(170, mod(c2, P)), shl(85, mod(c1, P))), c0))
                            target := add(target, 32)
                        }
                    }
                    if lt(cursor, end) {
                        let pairs := mload(cursor)
                        let a2 := mload(and(shr(235, pairs), REGISTER))
                        let a0 := and(a2, mask)
                        let a1 := and(shr(85, a2), mask)
                        a2 := shr(170, a2)
                        let d3 := shl(1, mul(a1, a2))
                        let d4 := mul(a2, a2)
                        let c2 := add(add(shl(1, mul(a0, a2)), mul(a1, a1)), d4)
                        let c1 := add(shl(1, mul(a0, a1)), add(d3, d4))
                        let c0 := mod(add(mul(a0, a0), d3), P)
                        mstore(target, or(or(shl(170, mod(c2, P)), shl(85, mod(c1, P))), c0))
                        target := add(target, 32)
                    }
                }
                case 8 {
                    for {} lt(cursor, end) { cursor := add(cursor, 4) } {
                        let pairs := mload(cursor)
                        let a := mload(and(shr(235, pairs), REGISTER))
                        let b := mload(and(shr(219, pairs), REGISTER))
                        let c := shl(170, mod(mul(shr(170, a), b), P))
                        c := or(c, shl(85, mod(mul(and(shr(85, a), mask), b), P)))
                        mstore(target, or(c, mod(mul(and(a, mask), b), P)))
                        target := add(target, 32)
                    }
                }
                case 1 { target := shl(5, argument) }
                case 2 {
                    calldatacopy(target, add(mload(0), shl(5, argument)), shl(5, operands))
                    target := add(target, shl(5, operands))
                    end := cursor
                }
                case 3 {
                    end := add(cursor, shl(3, operands))
                    for {} lt(cursor, end) { cursor := add(cursor, 8) } {
                        mstore(target, shr(192, mload(cursor)))
                        target := add(target, 32)
                    }
                }
                case 0 {
                    first := shl(5, argument)
                    count := operands
                    break
                }
                default { revert(0, 0) }
                cursor := end
            }
        }
    }
}
