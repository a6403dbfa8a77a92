// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CommittedBatch, ISettlement, RevertRecord} from "../src/interfaces/ISettlement.sol";
import {Venue} from "./Venue.sol";

/// @notice Reverts by an unanswered challenge and by a missed deadline, and what comes back after.
contract RevertTest is Venue {
    function _revertContested(CommittedBatch memory batch) private {
        settlement.revertContested(batches[_number(batch) - 1], batch);
        _resetHead();
    }

    function _revertUnproven(CommittedBatch memory batch) private {
        settlement.revertUnproven(batches[_number(batch) - 1], batch);
        _resetHead();
    }

    // ----------------------------------------------------------------------------------- contested

    function test_an_unanswered_challenge_reverts_batch_and_successors() external {
        _deposit(ALICE, 1e6);
        _deposit(BOB, 1e6);
        _full(1);
        CommittedBatch memory bad = _full(1);
        _full();
        _challenge(ALICE, bad);
        uint256 burned = GRAVE.balance;
        _mine(PROOF_TIME + 1);
        vm.prank(CAROL);
        _revertContested(bad);
        assertEq(settlement.committed(), 1, "committed");
        assertEq(settlement.fork(), 1, "fork");
        assertEq(settlement.committedCursor(), 1, "the second request is back in the queue");
        assertEq(settlement.balances(ALICE), CHALLENGE_BOND + BOND / 2, "challenger");
        assertEq(GRAVE.balance - burned, BOND - BOND / 2, "burned");
        assertEq(settlement.batchHash(2), 0, "the bad one is gone");
        _assertSolvent(2 * BOND); // of batches 1 and 3
        (uint32 running,,) = settlement.clock();
        assertEq(running, 0, "no clock");
        RevertRecord memory record = settlement.revertRecord(0);
        assertEq(record.firstRequest, 1, "from the second request");
        assertEq(record.endRequest, 2, "to the last committed");
        assertEq(record.blockNumber, _block(), "now");
    }

    function test_refuses_before_the_clock_has_run_out() external {
        CommittedBatch memory bad = _full();
        _challenge(ALICE, bad);
        _mine(PROOF_TIME);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.TooEarly.selector, _block(), _block()));
        settlement.revertContested(batches[0], bad);
    }

    function test_refuses_all_but_the_oldest_contest() external {
        CommittedBatch memory first = _full();
        CommittedBatch memory second = _full();
        _challenge(ALICE, second);
        _challenge(BOB, first);
        _mine(2 * PROOF_TIME);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.NotOldestContested.selector, 2, 1));
        settlement.revertContested(first, second);
        _revertContested(first);
        assertEq(settlement.committed(), 0, "both");
    }

    function test_refuses_an_uncontested_batch() external {
        CommittedBatch memory batch = _full();
        _mine(PROOF_TIME + 1);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.NotOldestContested.selector, 1, 0));
        settlement.revertContested(batches[0], batch);
    }

    function test_refuses_another_parent() external {
        _full();
        CommittedBatch memory bad = _full();
        _challenge(ALICE, bad);
        _mine(PROOF_TIME + 1);
        vm.expectRevert(
            abi.encodeWithSelector(ISettlement.UnknownBatch.selector, 1, settlement.batchHash(0))
        );
        settlement.revertContested(batches[0], bad);
    }

    function test_a_reverted_batch_is_no_batch() external {
        CommittedBatch memory bad = _full();
        CommittedBatch memory successor = _full();
        _challenge(ALICE, bad);
        _mine(PROOF_TIME + 1);
        _revertContested(bad);
        bytes memory unknown =
            abi.encodeWithSelector(ISettlement.UnknownBatch.selector, 1, _hash(bad));
        vm.expectRevert(unknown);
        settlement.revertContested(batches[0], bad);
        vm.expectRevert(unknown);
        settlement.prove(bad, CAROL, "proof");
        unknown = abi.encodeWithSelector(ISettlement.UnknownBatch.selector, 2, _hash(successor));
        vm.prank(ALICE);
        vm.expectRevert(unknown);
        settlement.challenge{value: CHALLENGE_BOND}(successor);
        CommittedBatch[] memory list = new CommittedBatch[](1);
        list[0] = successor;
        vm.expectRevert(unknown);
        settlement.finalize(list);
    }

    function test_the_next_batches_carry_the_new_fork() external {
        CommittedBatch memory bad = _full();
        _challenge(ALICE, bad);
        Draft memory draft;
        bytes memory old = _header(draft);
        _mine(PROOF_TIME + 1);
        _revertContested(bad);
        bytes memory header = _header(draft);
        assertEq(_field(header, 11, 4), 1, "fork");
        header[14] = 0x00; // of before the revert
        bytes memory contractData = _contractData(draft);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.WrongHeader.selector, "fork", 0, 1));
        vm.prank(SEQUENCER, SEQUENCER);
        settlement.commitCalldata(head, header, bytes32(0), "data", contractData);
        assertEq(_field(old, 11, 4), 0, "the old one had fork 0");
        _full();
        assertEq(settlement.committed(), 1, "number 1 again");
    }

    /// @notice What was proven or contested under a number says nothing of its next batch.
    function test_numbers_start_clean_after_a_revert() external {
        CommittedBatch memory bad = _full();
        CommittedBatch memory proven = _full();
        CommittedBatch memory contested = _full();
        _diff();
        _prove(proven, CAROL);
        _challenge(BOB, contested);
        _challenge(ALICE, bad);
        _mine(PROOF_TIME + 1);
        _revertContested(bad);
        assertEq(settlement.oldestUnproven(), 0, "no diff waits");
        _full();
        CommittedBatch memory second = _full();
        CommittedBatch memory third = _full();
        _full();
        assertFalse(settlement.isProven(2), "not proven");
        assertEq(settlement.oldestUnproven(), 0, "full");
        _mine(WINDOW + 1);
        _finalize(batches[1]);
        _finalize(second);
        _finalize(third);
        assertEq(settlement.finalized(), 3, "not contested");
    }

    // ------------------------------------------------------------------------- bonds of successors

    function test_successors_get_their_bonds_back_once() external {
        CommittedBatch memory bad = _full();
        CommittedBatch memory plain = _full();
        CommittedBatch memory contested = _full();
        _challenge(BOB, contested);
        _challenge(ALICE, bad);
        _mine(PROOF_TIME + 1);
        _revertContested(bad);
        _assertSolvent(2 * BOND + CHALLENGE_BOND);
        uint256 before = settlement.balances(SEQUENCER);
        settlement.settleReverted(plain);
        settlement.settleReverted(contested);
        assertEq(settlement.balances(SEQUENCER) - before, 2 * BOND, "sequencer");
        assertEq(settlement.balances(BOB), CHALLENGE_BOND, "challenger of the successor");
        _assertSolvent(0);
        bytes4 selector = ISettlement.NotReverted.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, 2, _hash(plain)));
        settlement.settleReverted(plain);
        vm.expectRevert(abi.encodeWithSelector(selector, 3, _hash(contested)));
        settlement.settleReverted(contested);
        vm.expectRevert(abi.encodeWithSelector(selector, 1, _hash(bad)));
        settlement.settleReverted(bad);
    }

    function test_bonds_come_back_after_the_number_was_used_again() external {
        CommittedBatch memory bad = _full();
        CommittedBatch memory successor = _full();
        _challenge(BOB, successor);
        _challenge(ALICE, bad);
        _mine(PROOF_TIME + 1);
        _revertContested(bad);
        _full();
        _full();
        uint256 before = settlement.balances(SEQUENCER);
        settlement.settleReverted(successor);
        assertEq(settlement.balances(SEQUENCER) - before, BOND, "sequencer");
        assertEq(settlement.balances(BOB), CHALLENGE_BOND, "challenger");
        _assertSolvent(2 * BOND);
        vm.expectRevert(
            abi.encodeWithSelector(ISettlement.NotReverted.selector, 2, _hash(successor))
        );
        settlement.settleReverted(successor);
    }

    function test_refuses_to_settle_what_is_not_reverted() external {
        CommittedBatch memory batch = _full();
        vm.expectRevert(abi.encodeWithSelector(ISettlement.NotReverted.selector, 1, _hash(batch)));
        settlement.settleReverted(batch);
        vm.expectRevert(
            abi.encodeWithSelector(ISettlement.NotReverted.selector, 0, _hash(batches[0]))
        );
        settlement.settleReverted(batches[0]);
        batch.body.sequencer = ALICE;
        vm.expectRevert(abi.encodeWithSelector(ISettlement.NotReverted.selector, 1, _hash(batch)));
        settlement.settleReverted(batch);
    }

    // ------------------------------------------------------------------------------------ unproven

    function test_a_missed_deadline_reverts_and_burns_the_bond() external {
        CommittedBatch memory first = _diff();
        CommittedBatch memory second = _diff();
        uint256 burned = GRAVE.balance;
        _mine(DEADLINE + 1);
        vm.prank(CAROL);
        _revertUnproven(first);
        assertEq(settlement.committed(), 0, "both");
        assertEq(settlement.fork(), 1, "fork");
        assertEq(GRAVE.balance - burned, BOND, "burned whole");
        assertEq(settlement.balances(CAROL), 0, "no reward to collect for one's own delay");
        settlement.settleReverted(second);
        _assertSolvent(0);
    }

    function test_refuses_before_the_deadline() external {
        CommittedBatch memory batch = _diff();
        _mine(DEADLINE);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.TooEarly.selector, _block(), _block()));
        settlement.revertUnproven(batches[0], batch);
    }

    /// @notice Reverting one by one from the youngest would burn every bond.
    function test_the_oldest_unproven_goes_first() external {
        CommittedBatch memory first = _diff();
        CommittedBatch memory second = _diff();
        _mine(DEADLINE + 1);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.NotOldestUnproven.selector, 2, 1));
        settlement.revertUnproven(first, second);
        _prove(first, CAROL);
        _revertUnproven(second);
        assertEq(settlement.committed(), 1, "the proven one stays");
    }

    function test_a_full_batch_has_no_deadline() external {
        CommittedBatch memory batch = _full();
        _mine(DEADLINE + 1);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.NotOldestUnproven.selector, 1, 0));
        settlement.revertUnproven(batches[0], batch);
    }

    function test_a_proven_diff_has_no_deadline() external {
        CommittedBatch memory batch = _diff();
        _prove(batch, CAROL);
        _mine(DEADLINE + 1);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.NotOldestUnproven.selector, 1, 0));
        settlement.revertUnproven(batches[0], batch);
    }

    /// @notice A contest of an older batch outlives the revert of a younger one, clock and all.
    function test_an_older_contest_is_not_touched() external {
        CommittedBatch memory full = _full();
        CommittedBatch memory diff = _diff();
        _mine(WINDOW);
        _challenge(ALICE, full);
        vm.roll(diff.body.committedBlock + DEADLINE + 1);
        (uint32 running, uint64 start,) = settlement.clock();
        _revertUnproven(diff);
        (uint32 after_, uint64 startAfter,) = settlement.clock();
        assertEq(after_, running, "the same");
        assertEq(startAfter, start, "since the same block");
        assertEq(settlement.committed(), 1, "only the diff");
        _revertContested(full);
        assertEq(settlement.fork(), 2, "two reverts");
        assertEq(settlement.committed(), 0, "none");
    }

    /// @notice Reverts without requests leave nothing to remember.
    function test_a_revert_without_requests_is_not_recorded() external {
        CommittedBatch memory batch = _diff();
        _mine(DEADLINE + 1);
        _revertUnproven(batch);
        assertEq(settlement.revertRecords(), 0, "none");
    }

    /// @notice Whatever is committed, contested, proven and reverted, ether adds up.
    function testFuzz_ether_is_conserved(uint256 seed) external {
        for (uint256 step = 0; step < 12; ++step) {
            uint256 draw = uint256(keccak256(abi.encode(seed, step)));
            if (draw & 1 == 0) _full();
            else _diff();
            CommittedBatch memory batch = head;
            if (draw >> 1 & 3 == 0 && !_isDiff(batch)) _challenge(ALICE, batch);
            if (draw >> 3 & 3 == 0) _prove(batch, CAROL);
            _mine(draw >> 5 & 63);
        }
        _mine(DEADLINE + PROOF_TIME + 1);
        (uint32 contested,,) = settlement.clock();
        uint32 unproven = settlement.oldestUnproven();
        uint32 count = settlement.committed();
        uint256 reverted = 0;
        if (contested != 0 && (unproven == 0 || contested < unproven)) {
            _revertContested(batches[contested]);
            reverted = contested;
        } else if (unproven != 0) {
            _revertUnproven(batches[unproven]);
            reverted = unproven;
        }
        for (uint32 number = uint32(reverted) + 1; reverted != 0 && number <= count; ++number) {
            settlement.settleReverted(batches[number]);
        }
        uint32 left = settlement.committed();
        (contested,,) = settlement.clock();
        uint256 contests = 0;
        for (uint32 number = 1; number <= left; ++number) {
            if (settlement.contest(_hash(batches[number])).challenger != address(0)) ++contests;
        }
        _assertSolvent(left * BOND + contests * CHALLENGE_BOND);
        assertEq(settlement.fork(), reverted == 0 ? 0 : 1, "fork");
    }
}
