// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CommittedBatch, Contest, ISettlement} from "../src/interfaces/ISettlement.sol";
import {Venue} from "./Venue.sol";

/// @notice Challenges, proofs, and the one clock that runs.
contract ContestTest is Venue {
    function _assertClock(uint32 number, uint256 start) private view {
        (uint32 running, uint64 from, uint64 lastBlock) = settlement.clock();
        assertEq(running, number, "contest with the clock");
        assertEq(from, start, "start of the clock");
        assertEq(lastBlock, number == 0 ? 0 : start + PROOF_TIME, "last block");
    }

    function _refused(CommittedBatch memory batch, uint256 value, bytes memory expected) private {
        vm.expectRevert(expected);
        vm.prank(ALICE);
        settlement.challenge{value: value}(batch);
    }

    // ----------------------------------------------------------------------------------- challenge

    function test_a_challenge_locks_the_bond_and_starts_the_clock() external {
        CommittedBatch memory batch = _full();
        _assertClock(0, 0);
        _challenge(ALICE, batch);
        Contest memory contest = settlement.contest(_hash(batch));
        assertEq(contest.challenger, ALICE, "challenger");
        assertEq(contest.blockNumber, _block(), "block");
        _assertClock(1, _block());
        _assertSolvent(BOND + CHALLENGE_BOND);
    }

    function test_refuses_another_value_than_the_bond() external {
        CommittedBatch memory batch = _full();
        bytes4 wrong = ISettlement.WrongValue.selector;
        _refused(
            batch,
            CHALLENGE_BOND - 1,
            abi.encodeWithSelector(wrong, CHALLENGE_BOND - 1, CHALLENGE_BOND)
        );
        _refused(
            batch,
            CHALLENGE_BOND + 1,
            abi.encodeWithSelector(wrong, CHALLENGE_BOND + 1, CHALLENGE_BOND)
        );
    }

    function test_refuses_to_contest_a_diff() external {
        CommittedBatch memory batch = _diff();
        _refused(batch, CHALLENGE_BOND, abi.encodeWithSelector(ISettlement.WrongForm.selector, 1));
    }

    function test_refuses_a_second_challenge() external {
        CommittedBatch memory batch = _full();
        _challenge(BOB, batch);
        _refused(
            batch, CHALLENGE_BOND, abi.encodeWithSelector(ISettlement.AlreadyContested.selector, 1)
        );
    }

    function test_refuses_to_contest_a_proven_batch() external {
        CommittedBatch memory batch = _full();
        _prove(batch, CAROL);
        _refused(
            batch, CHALLENGE_BOND, abi.encodeWithSelector(ISettlement.AlreadyProven.selector, 1)
        );
    }

    function test_a_contest_that_was_won_is_not_opened_again() external {
        CommittedBatch memory batch = _full();
        _challenge(BOB, batch);
        _prove(batch, CAROL);
        _refused(
            batch, CHALLENGE_BOND, abi.encodeWithSelector(ISettlement.AlreadyProven.selector, 1)
        );
    }

    function test_the_window_closes_after_its_last_block() external {
        CommittedBatch memory batch = _full();
        uint256 last = _block() + WINDOW;
        vm.roll(last + 1);
        _refused(
            batch,
            CHALLENGE_BOND,
            abi.encodeWithSelector(ISettlement.WindowClosed.selector, 1, last + 1, last)
        );
        vm.roll(last);
        _challenge(ALICE, batch);
    }

    function test_refuses_a_final_batch() external {
        CommittedBatch memory batch = _full();
        _mine(WINDOW + 1);
        _finalize(batch);
        _refused(
            batch, CHALLENGE_BOND, abi.encodeWithSelector(ISettlement.AlreadyFinal.selector, 1)
        );
        _refused(
            batches[0],
            CHALLENGE_BOND,
            abi.encodeWithSelector(ISettlement.AlreadyFinal.selector, 0)
        );
    }

    function test_refuses_a_batch_that_was_not_committed() external {
        CommittedBatch memory batch = _full();
        batch.body.sequencer = ALICE;
        _refused(
            batch,
            CHALLENGE_BOND,
            abi.encodeWithSelector(ISettlement.UnknownBatch.selector, 1, _hash(batch))
        );
    }

    // --------------------------------------------------------------------------------------- proof

    function test_a_proof_resolves_a_contest_half_paid_half_burned() external {
        CommittedBatch memory batch = _full();
        _challenge(ALICE, batch);
        uint256 burned = GRAVE.balance;
        _prove(batch, CAROL);
        assertTrue(settlement.isProven(1), "proven");
        assertEq(settlement.balances(CAROL), CHALLENGE_BOND / 2, "to the prover");
        assertEq(GRAVE.balance - burned, CHALLENGE_BOND - CHALLENGE_BOND / 2, "burned");
        assertEq(settlement.contest(_hash(batch)).challenger, address(0), "no contest");
        _assertClock(0, 0);
        _assertSolvent(BOND);
    }

    function test_a_proof_of_an_uncontested_batch_pays_nobody() external {
        CommittedBatch memory batch = _full();
        _prove(batch, CAROL);
        assertEq(settlement.balances(CAROL), 0, "nothing to win");
        _assertSolvent(BOND);
    }

    function test_proofs_come_in_any_order() external {
        CommittedBatch memory first = _diff();
        CommittedBatch memory second = _diff();
        CommittedBatch memory third = _diff();
        assertEq(settlement.oldestUnproven(), 1, "the first waits");
        _prove(third, CAROL);
        _prove(first, CAROL);
        assertEq(settlement.oldestUnproven(), 2, "the second waits");
        _prove(second, CAROL);
        assertEq(settlement.oldestUnproven(), 0, "none waits");
    }

    function test_refuses_a_proof_that_the_verifier_does_not_accept() external {
        CommittedBatch memory batch = _full();
        vm.expectRevert(abi.encodeWithSelector(ISettlement.InvalidProof.selector, 1));
        settlement.prove(batch, CAROL, "proof");
    }

    /// @notice A proof seen in the mempool is worth nothing to whoever copies it.
    function test_a_proof_is_bound_to_its_payee() external {
        CommittedBatch memory batch = _full();
        _challenge(ALICE, batch);
        _accept(batch, CAROL);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.InvalidProof.selector, 1));
        vm.prank(BOB);
        settlement.prove(batch, BOB, "proof");
        vm.prank(BOB);
        settlement.prove(batch, CAROL, "proof");
        assertEq(settlement.balances(CAROL), CHALLENGE_BOND / 2, "its author is paid");
    }

    function test_refuses_a_proof_for_nobody_twice_or_too_late() external {
        CommittedBatch memory batch = _full();
        vm.expectRevert(abi.encodeWithSelector(ISettlement.ZeroAddress.selector, "payee"));
        settlement.prove(batch, address(0), "proof");
        _prove(batch, CAROL);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.AlreadyProven.selector, 1));
        settlement.prove(batch, CAROL, "proof");
        _finalize(batch);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.AlreadyFinal.selector, 1));
        settlement.prove(batch, CAROL, "proof");
    }

    /// @notice The clock has run out, but nobody reverted the batch: it is right, so it stays.
    function test_a_late_proof_before_the_revert_still_counts() external {
        CommittedBatch memory parent = head;
        CommittedBatch memory batch = _full();
        _challenge(ALICE, batch);
        _mine(PROOF_TIME + 10);
        _prove(batch, CAROL);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.NotOldestContested.selector, 1, 0));
        settlement.revertContested(parent, batch);
    }

    // -------------------------------------------------------------------------------------- clocks

    function test_only_the_oldest_contest_has_a_running_clock() external {
        CommittedBatch memory first = _full();
        CommittedBatch memory second = _full();
        CommittedBatch memory third = _full();
        _challenge(ALICE, second);
        uint256 start = _block();
        _mine(5);
        _challenge(BOB, third);
        _assertClock(2, start);
        _mine(5);
        _challenge(CAROL, first);
        _assertClock(1, _block());
        _mine(5);
        _prove(first, CAROL);
        _assertClock(2, _block()); // whole time again
        _mine(5);
        _prove(second, CAROL);
        _assertClock(3, _block());
        _prove(third, CAROL);
        _assertClock(0, 0);
        _assertSolvent(3 * BOND);
    }

    function test_a_proof_of_a_younger_contest_does_not_touch_the_clock() external {
        CommittedBatch memory first = _full();
        CommittedBatch memory second = _full();
        _challenge(ALICE, first);
        uint256 start = _block();
        _challenge(BOB, second);
        _mine(7);
        _prove(second, CAROL);
        _assertClock(1, start);
        _mine(7);
        _prove(first, CAROL);
        _assertClock(0, 0);
    }

    /// @notice Challenging everything cannot outrun the prover: each gets its whole time in turn.
    function testFuzz_contests_queue(uint256 seed) external {
        uint256 count = bound(seed, 2, 6);
        for (uint256 k = 0; k < count; ++k) {
            _full();
        }
        uint256 order = uint256(keccak256(abi.encode(seed)));
        uint32 oldest = type(uint32).max;
        for (uint256 k = 0; k < count; ++k) {
            uint32 number = uint32(1 + (order + k) % count);
            _challenge(ALICE, batches[number]);
            if (number < oldest) oldest = number;
            (uint32 running,,) = settlement.clock();
            assertEq(running, oldest, "the oldest");
            _mine(1);
        }
        for (uint32 number = 1; number <= count; ++number) {
            (uint32 running,, uint64 lastBlock) = settlement.clock();
            assertEq(running, number, "in order");
            vm.roll(lastBlock);
            vm.expectPartialRevert(ISettlement.TooEarly.selector);
            settlement.revertContested(batches[number - 1], batches[number]);
            _prove(batches[number], CAROL);
            _assertClock(number == count ? 0 : number + 1, number == count ? 0 : _block());
        }
        assertEq(settlement.balances(CAROL), count * (CHALLENGE_BOND / 2), "the prover's half");
    }
}
