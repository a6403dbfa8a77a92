// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CommittedBatch, ISettlement} from "../src/interfaces/ISettlement.sol";
import {Carrier, Opening, Polynomial, Statement} from "../src/interfaces/IVerifier.sol";
import {Venue} from "./Venue.sol";

/// @notice Two accepted proofs that cannot both be right stop the venue.
contract AlarmTest is Venue {
    CommittedBatch private batch;

    function setUp() public override {
        super.setUp();
        batch = _full();
    }

    /// @dev The batch's header with the last byte of a field changed.
    function _other(uint256 lastByte) private view returns (bytes memory header) {
        header = batch.body.header;
        header[lastByte] = bytes1(uint8(header[lastByte]) ^ 0x40);
    }

    function _acceptOther(bytes memory header, Opening memory opening) private {
        verifier.accept(keccak256(abi.encode(Statement(header, opening, BOB))));
    }

    function _alarm(bytes memory header, Opening memory opening) private {
        vm.prank(ALICE);
        settlement.alarm(batch, header, opening, BOB, "proof");
    }

    function _refused(bytes memory header, Opening memory opening) private {
        _acceptOther(header, opening);
        uint32 number = _number(batch);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.NoContradiction.selector, number));
        _alarm(header, opening);
    }

    function test_another_settlement_root_freezes() external {
        _prove(batch, CAROL);
        bytes memory header = _other(162);
        _acceptOther(header, batch.body.opening);
        _alarm(header, batch.body.opening);
        assertEq(
            uint256(settlement.freezeCause()), uint256(ISettlement.FreezeCause.ALARM), "cause"
        );
    }

    function test_of_a_full_batch_another_root_freezes_too() external {
        _prove(batch, CAROL);
        bytes memory header = _other(194);
        _acceptOther(header, batch.body.opening);
        _alarm(header, batch.body.opening);
        assertTrue(settlement.frozen(), "frozen");
    }

    /// @notice `diff` data do not say the slots: two lists of transactions may leave different
    /// ones.
    function test_of_a_diff_batch_another_root_alone_is_no_contradiction() external {
        batch = _diff();
        _prove(batch, CAROL);
        _refused(_other(194), batch.body.opening);
        bytes memory header = _other(162);
        _acceptOther(header, batch.body.opening);
        _alarm(header, batch.body.opening);
        assertTrue(settlement.frozen(), "the settlement root is determined");
    }

    /// @notice z and y follow from D and the header: another point is the same data.
    function test_the_point_does_not_matter() external {
        _prove(batch, CAROL);
        Opening memory opening = batch.body.opening;
        opening.point += 1;
        opening.polynomials[0].value += 1;
        bytes memory header = _other(162);
        _acceptOther(header, opening);
        _alarm(header, opening);
        assertTrue(settlement.frozen(), "frozen");
    }

    function test_the_same_roots_are_no_contradiction() external {
        _prove(batch, CAROL);
        Opening memory opening = batch.body.opening;
        opening.point += 1;
        _refused(batch.body.header, opening);
    }

    /// @notice From another state, at another time or under other parameters the state after
    /// differs.
    function test_another_beginning_is_no_contradiction() external {
        _prove(batch, CAROL);
        uint8[8] memory lastBytes = [2, 6, 10, 14, 26, 66, 98, 130];
        for (uint256 k = 0; k < 8; ++k) {
            bytes memory header = _other(162);
            header[lastBytes[k]] = bytes1(uint8(header[lastBytes[k]]) ^ 0x01);
            _refused(header, batch.body.opening);
        }
    }

    function test_other_data_are_no_contradiction() external {
        _prove(batch, CAROL);
        bytes memory header = _other(162);
        Opening memory opening = batch.body.opening;
        opening.dataDigest = bytes32(uint256(8));
        _refused(header, opening);
        opening = batch.body.opening;
        opening.dataPolynomials = 2;
        _refused(header, opening);
        opening.dataPolynomials = 1;
        opening.polynomials[0].length += 1;
        _refused(header, opening);
        opening.polynomials[0].length -= 1;
        opening.polynomials[0].carrier = Carrier.BLOB;
        _refused(header, opening);
        opening.polynomials[0].carrier = Carrier.CALLDATA;
        Polynomial[] memory less = new Polynomial[](1);
        less[0] = opening.polynomials[0];
        opening.polynomials = less;
        _refused(header, opening);
    }

    function test_refuses_an_unproven_batch() external {
        bytes memory header = _other(162);
        _acceptOther(header, batch.body.opening);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.NotProven.selector, 1));
        _alarm(header, batch.body.opening);
    }

    function test_refuses_a_second_proof_that_is_none() external {
        _prove(batch, CAROL);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.InvalidProof.selector, 1));
        _alarm(_other(162), batch.body.opening);
    }

    function test_refuses_a_batch_that_is_not_there() external {
        _prove(batch, CAROL);
        bytes memory header = _other(162);
        Opening memory opening = batch.body.opening;
        _acceptOther(header, opening);
        batch.body.paymentsCount = 9;
        vm.expectRevert(abi.encodeWithSelector(ISettlement.UnknownBatch.selector, 1, _hash(batch)));
        _alarm(header, opening);
    }

    /// @notice A final batch may be shown wrong too.
    function test_a_final_batch_raises_the_alarm() external {
        _prove(batch, CAROL);
        _finalize(batch);
        bytes memory header = _other(162);
        _acceptOther(header, batch.body.opening);
        _alarm(header, batch.body.opening);
        assertTrue(settlement.frozen(), "frozen");
    }
}
