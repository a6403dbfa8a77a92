// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IInbox} from "../src/interfaces/IInbox.sol";
import {CommittedBatch, Genesis, ISettlement} from "../src/interfaces/ISettlement.sol";
import {IStateLeaves} from "../src/interfaces/IStateLeaves.sol";
import {Venue} from "./Venue.sol";

/// @notice The clocks of requests: what runs them out, what pauses and what restarts them.
contract FreezeTest is Venue {
    function _assertFrozen(ISettlement.FreezeCause cause) private view {
        assertTrue(settlement.frozen(), "frozen");
        assertEq(uint256(settlement.freezeCause()), uint256(cause), "cause");
    }

    function _running(uint64 index, uint256 lastBlock) private {
        vm.expectRevert(
            abi.encodeWithSelector(ISettlement.ClockRunning.selector, index, _block(), lastBlock)
        );
        settlement.freezeForRequest(index);
    }

    function _forceLiquidation() private returns (uint64 index) {
        uint256 cost = inbox.fee();
        vm.recordLogs();
        vm.prank(ALICE);
        index = inbox.forceLiquidation{value: cost}(0);
        _noteRequests();
    }

    // ---------------------------------------------------------------------------------- two clocks

    function test_a_request_not_committed_in_time_freezes() external {
        uint64 index = _forceCancel(ALICE);
        uint256 last = _block() + COMMIT_TIME;
        vm.roll(last);
        _running(index, last);
        vm.roll(last + 1);
        vm.prank(BOB);
        settlement.freezeForRequest(index);
        _assertFrozen(ISettlement.FreezeCause.NOT_COMMITTED);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.VenueFrozen.selector));
        settlement.freezeForRequest(index);
    }

    function test_a_forced_liquidation_has_less_time() external {
        uint64 other = _forceCancel(ALICE);
        uint64 index = _forceLiquidation();
        uint256 last = _block() + LIQUIDATION_TIME;
        vm.roll(last);
        _running(index, last);
        vm.roll(last + 1);
        _running(other, last - LIQUIDATION_TIME + COMMIT_TIME);
        settlement.freezeForRequest(index);
        _assertFrozen(ISettlement.FreezeCause.NOT_COMMITTED);
    }

    function test_a_committed_request_must_be_final_in_time() external {
        uint64 index = _forceCancel(ALICE);
        uint256 last = _block() + FINAL_TIME;
        _full(1);
        vm.roll(last);
        _running(index, last);
        vm.roll(last + 1);
        settlement.freezeForRequest(index);
        _assertFrozen(ISettlement.FreezeCause.NOT_FINAL);
    }

    function test_a_final_request_freezes_nothing() external {
        uint64 index = _forceCancel(ALICE);
        CommittedBatch memory batch = _full(1);
        _mine(WINDOW + 1);
        _finalize(batch);
        vm.roll(_block() + 10 * FINAL_TIME);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.AlreadyFinalRequest.selector, index, 1));
        settlement.freezeForRequest(index);
    }

    function test_a_request_that_does_not_exist_freezes_nothing() external {
        vm.expectRevert(abi.encodeWithSelector(ISettlement.NoSuchRequest.selector, 0, 0));
        settlement.freezeForRequest(0);
    }

    // ----------------------------------------------------------------------------------- the pause

    function test_a_running_contest_pauses_finality() external {
        uint64 index = _forceCancel(ALICE);
        uint256 last = _block() + FINAL_TIME;
        CommittedBatch memory batch = _full(1);
        _mine(10);
        _challenge(BOB, batch);
        _mine(30);
        _prove(batch, CAROL);
        vm.roll(last + 30);
        _running(index, last + 30);
        vm.roll(last + 31);
        settlement.freezeForRequest(index);
    }

    /// @notice An operator cannot hide behind a contest that nobody answers.
    function test_a_clock_that_ran_out_pauses_no_longer() external {
        uint64 index = _forceCancel(ALICE);
        uint256 last = _block() + FINAL_TIME;
        CommittedBatch memory batch = _full(1);
        _challenge(BOB, batch);
        vm.roll(last + PROOF_TIME);
        _running(index, last + PROOF_TIME);
        vm.roll(last + PROOF_TIME + 1);
        settlement.freezeForRequest(index);
        _assertFrozen(ISettlement.FreezeCause.NOT_FINAL);
    }

    function test_a_contest_before_the_request_does_not_pause_it() external {
        CommittedBatch memory batch = _full();
        _challenge(BOB, batch);
        _mine(40);
        uint64 index = _forceCancel(ALICE);
        uint256 last = _block() + FINAL_TIME;
        _prove(batch, CAROL);
        (,, uint64 finalBy,) = settlement.requestClocks(index);
        assertEq(finalBy, last, "nothing ran since");
        vm.roll(last + 1);
        _full(1);
        settlement.freezeForRequest(index);
    }

    function test_the_uncommitted_clock_is_not_paused() external {
        CommittedBatch memory batch = _full();
        uint64 index = _forceCancel(ALICE);
        uint256 last = _block() + COMMIT_TIME;
        _challenge(BOB, batch);
        vm.roll(last + 1);
        settlement.freezeForRequest(index);
        _assertFrozen(ISettlement.FreezeCause.NOT_COMMITTED);
    }

    function test_pauses_are_limited_in_all() external {
        uint64 index = _forceCancel(ALICE);
        uint256 last = _block() + FINAL_TIME;
        _full(1);
        for (uint256 k = 0; k < 5; ++k) {
            CommittedBatch memory batch = _full();
            _challenge(BOB, batch);
            _mine(PROOF_TIME);
            _prove(batch, CAROL);
        }
        (,, uint64 finalBy,) = settlement.requestClocks(index);
        assertEq(finalBy, last + PAUSE_MAX, "250 blocks of contests, 150 count");
    }

    // --------------------------------------------------------------------------------- the restart

    function _revertHead() private {
        CommittedBatch memory batch = head;
        _challenge(BOB, batch);
        _mine(PROOF_TIME + 1);
        settlement.revertContested(batches[_number(batch) - 1], batch);
        _resetHead();
    }

    function test_a_revert_restarts_both_clocks_once() external {
        uint64 index = _forceCancel(ALICE);
        _full(1);
        _mine(COMMIT_TIME);
        _full();
        CommittedBatch memory first = batches[1];
        vm.roll(first.body.committedBlock + WINDOW);
        _challenge(BOB, first);
        _mine(PROOF_TIME + 1);
        settlement.revertContested(batches[0], first);
        _resetHead();
        uint256 restarted = _block();
        (uint64 start, uint64 commitBy, uint64 finalBy, uint256 count) =
            settlement.requestClocks(index);
        assertEq(start, restarted, "start");
        assertEq(commitBy, restarted + COMMIT_TIME, "commit by");
        assertEq(finalBy, restarted + FINAL_TIME, "final by");
        assertEq(count, 1, "once");
        vm.roll(restarted + COMMIT_TIME);
        _running(index, restarted + COMMIT_TIME);
        vm.roll(restarted + COMMIT_TIME + 1);
        settlement.freezeForRequest(index);
    }

    function test_a_second_revert_of_the_same_request_ends_patience() external {
        uint64 index = _forceCancel(ALICE);
        _full(1);
        _revertHead();
        _full(1);
        _running(index, uint256(settlement.revertRecord(0).blockNumber) + FINAL_TIME);
        _revertHead();
        settlement.freezeForRequest(index);
        _assertFrozen(ISettlement.FreezeCause.REVERTED_TWICE);
    }

    /// @notice Two reverts of two requests, each reverted once.
    function test_reverts_of_other_requests_do_not_count() external {
        uint64 first = _forceCancel(ALICE);
        uint64 second = _forceCancel(ALICE);
        _full(1);
        _revertHead();
        _full(1);
        _full(1);
        _revertHead();
        (,,, uint256 ofFirst) = settlement.requestClocks(first);
        (,,, uint256 ofSecond) = settlement.requestClocks(second);
        assertEq(ofFirst, 1, "first");
        assertEq(ofSecond, 1, "second");
    }

    /// @notice What contests paused before a revert counts against the limit after it.
    function test_a_restart_does_not_renew_the_pause() external {
        uint64 index = _forceCancel(ALICE);
        for (uint256 k = 0; k < 2; ++k) {
            CommittedBatch memory right = _full();
            _challenge(BOB, right);
            _mine(PROOF_TIME);
            _prove(right, CAROL);
        }
        _full(1);
        _revertHead(); // a whole clock: 150 blocks in all
        uint256 restarted = _block();
        CommittedBatch memory again = _full();
        _challenge(BOB, again);
        _mine(PROOF_TIME);
        (,, uint64 finalBy, uint256 count) = settlement.requestClocks(index);
        assertEq(count, 1, "restarted");
        assertEq(finalBy, restarted + FINAL_TIME, "no pause is left");
    }

    // ------------------------------------------------------------------------------ after a freeze

    function test_what_is_committed_still_becomes_final_or_reverted() external {
        _deposit(BOB, 5e6);
        CommittedBatch memory first = _full(1);
        CommittedBatch memory second = _full();
        CommittedBatch memory diff = _diff();
        uint64 index = _forceLiquidation();
        _mine(LIQUIDATION_TIME + 1);
        settlement.freezeForRequest(index);
        assertFalse(settlement.concluded(), "three batches wait");
        _challenge(ALICE, second);
        _mine(WINDOW + 1);
        _finalize(first);
        _prove(second, CAROL);
        _finalize(second);
        vm.roll(diff.body.committedBlock + DEADLINE + 1);
        settlement.revertUnproven(second, diff);
        assertTrue(settlement.concluded(), "every batch is final or reverted");
        assertEq(settlement.available(), 5e6, "to be shared out");
    }

    function test_the_inbox_closes() external {
        uint64 index = _forceCancel(ALICE);
        _mine(COMMIT_TIME + 1);
        settlement.freezeForRequest(index);
        uint256 cost = inbox.fee();
        vm.expectRevert(abi.encodeWithSelector(IInbox.VenueFrozen.selector));
        vm.prank(ALICE);
        inbox.depositToNewAccount{value: cost}(ALICE, 1e6);
    }
}

/// @notice A market that stands still locks its traders in: after a week anyone may end the venue.
contract HaltTest is Venue {
    uint256[] private elements;
    bytes32[] private path;
    bytes32[4] private sections;
    uint256 private haltedSince;

    function setUp() public override {
        _build(1_700_000_000 - 10 - 7 days);
        super.setUp();
    }

    /// @dev A market leaf halted since a time, as market 1 of 2, and a settlement root over it.
    function _build(uint256 since) private {
        haltedSince = since;
        delete elements;
        for (uint256 k = 0; k < 22; ++k) {
            elements.push(k == 16 ? since : k + 1);
        }
        path = new bytes32[](1);
        path[0] = bytes32(uint256(5));
        sections = [bytes32(uint256(1)), 0, bytes32(uint256(3)), bytes32(uint256(4))];
    }

    function _genesis() internal view override returns (Genesis memory genesis) {
        genesis = super._genesis();
        // any deployment of the leaf verifier computes the same
        IStateLeaves leaves = IStateLeaves(factory.predict(1));
        (genesis.settlementRoot,) = leaves.rootOfMarket(elements, 1, 1, path, sections);
    }

    function test_a_market_halted_for_a_week_freezes() external {
        vm.prank(BOB);
        settlement.freezeForHalt(batches[0], 1, elements, path, sections);
        assertEq(
            uint256(settlement.freezeCause()),
            uint256(ISettlement.FreezeCause.MARKET_HALTED),
            "cause"
        );
    }

    function test_refuses_another_leaf_place_or_root() external {
        bytes4 wrong = ISettlement.WrongMarket.selector;
        vm.expectRevert(abi.encodeWithSelector(wrong, 0));
        settlement.freezeForHalt(batches[0], 0, elements, path, sections);
        elements[16] -= 5;
        vm.expectRevert(abi.encodeWithSelector(wrong, 1));
        settlement.freezeForHalt(batches[0], 1, elements, path, sections);
    }

    function test_refuses_a_node_as_a_leaf() external {
        path.push(bytes32(uint256(6)));
        vm.expectRevert(); // StateLeaves.WrongDepth
        settlement.freezeForHalt(batches[0], 1, elements, path, sections);
        uint256[] memory few = new uint256[](16);
        vm.expectRevert(abi.encodeWithSelector(IStateLeaves.LeafTooShort.selector, 16, 17));
        settlement.freezeForHalt(batches[0], 1, few, path, sections);
    }

    /// @notice By the state of a batch that is not final, or no longer the last, nothing is frozen.
    function test_refuses_all_but_the_last_final_state() external {
        CommittedBatch memory batch = _full();
        bytes4 unknown = ISettlement.UnknownBatch.selector;
        vm.expectRevert(abi.encodeWithSelector(unknown, 0, _hash(batch)));
        settlement.freezeForHalt(batch, 1, elements, path, sections);
        _mine(WINDOW + 1);
        _finalize(batch);
        vm.expectRevert(abi.encodeWithSelector(unknown, 1, _hash(batches[0])));
        settlement.freezeForHalt(batches[0], 1, elements, path, sections);
    }

    function _assertTooShort(uint256 since) private {
        _build(since);
        super.setUp();
        uint256 time = _field(batches[0].body.header, 7, 4);
        vm.expectRevert(
            abi.encodeWithSelector(ISettlement.HaltTooShort.selector, since, time, 7 days)
        );
        settlement.freezeForHalt(batches[0], 1, elements, path, sections);
    }

    function test_refuses_a_halt_one_second_too_short() external {
        _assertTooShort(1_700_000_000 - 9 - 7 days);
    }

    function test_refuses_a_market_that_is_open() external {
        _assertTooShort(0);
    }

    /// @notice A listed market is halted until its first prices: that locks nobody in.
    function test_refuses_a_market_that_never_opened() external {
        _assertTooShort(1);
    }
}
