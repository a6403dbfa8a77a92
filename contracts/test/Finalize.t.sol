// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CommittedBatch, ISettlement} from "../src/interfaces/ISettlement.sol";
import {Payment} from "../src/interfaces/IVault.sol";
import {Venue} from "./Venue.sol";

contract FinalizeTest is Venue {
    function _refused(CommittedBatch memory batch, bytes memory expected) private {
        CommittedBatch[] memory one = new CommittedBatch[](1);
        one[0] = batch;
        vm.expectRevert(expected);
        settlement.finalize(one);
    }

    function test_a_full_batch_is_final_after_its_window() external {
        CommittedBatch memory batch = _full();
        _mine(WINDOW);
        assertFalse(settlement.isFinalizable(batch), "last block of the window");
        _refused(batch, abi.encodeWithSelector(ISettlement.NotFinalizable.selector, 1));
        _mine(1);
        assertTrue(settlement.isFinalizable(batch), "after it");
        vm.prank(BOB);
        _finalize(batch);
        assertEq(settlement.finalized(), 1, "final");
        assertTrue(settlement.isFinal(1, _hash(batch)), "by hash");
        assertFalse(settlement.isFinal(1, bytes32(uint256(1))), "no other");
        assertEq(settlement.balances(SEQUENCER), 100 ether, "the bond is back");
        _assertSolvent(0);
    }

    function test_a_proven_batch_is_final_at_once() external {
        CommittedBatch memory full = _full();
        CommittedBatch memory diff = _diff();
        _prove(full, CAROL);
        _prove(diff, CAROL);
        _finalize(full);
        _finalize(diff);
        assertEq(settlement.finalized(), 2, "both");
    }

    function test_a_diff_is_final_by_proof_only() external {
        CommittedBatch memory batch = _diff();
        _mine(WINDOW + 1);
        _refused(batch, abi.encodeWithSelector(ISettlement.NotFinalizable.selector, 1));
        _mine(10 * DEADLINE);
        _refused(batch, abi.encodeWithSelector(ISettlement.NotFinalizable.selector, 1));
        _prove(batch, CAROL);
        _finalize(batch);
    }

    function test_a_contested_batch_is_final_by_proof_only() external {
        CommittedBatch memory batch = _full();
        _challenge(ALICE, batch);
        _mine(WINDOW + 1);
        _refused(batch, abi.encodeWithSelector(ISettlement.NotFinalizable.selector, 1));
        _prove(batch, CAROL);
        _finalize(batch);
        assertEq(settlement.finalized(), 1, "final");
    }

    function test_finality_is_in_order() external {
        CommittedBatch memory first = _diff();
        Draft memory draft;
        draft.resetSlots = true;
        CommittedBatch memory second = _commit(draft);
        _mine(WINDOW + 1);
        _refused(second, abi.encodeWithSelector(ISettlement.NotNext.selector, 2, 1));
        assertFalse(settlement.isFinalizable(second), "not next");
        _prove(second, CAROL);
        _refused(second, abi.encodeWithSelector(ISettlement.NotNext.selector, 2, 1));
        _prove(first, CAROL);
        CommittedBatch[] memory both = new CommittedBatch[](2);
        (both[0], both[1]) = (first, second);
        settlement.finalize(both);
        assertEq(settlement.finalized(), 2, "both in one call");
    }

    function test_refuses_final_and_unknown_batches() external {
        CommittedBatch memory batch = _full();
        _mine(WINDOW + 1);
        _finalize(batch);
        _refused(batch, abi.encodeWithSelector(ISettlement.AlreadyFinal.selector, 1));
        batch.withdrawalsRoot = bytes32(uint256(1));
        _refused(batch, abi.encodeWithSelector(ISettlement.UnknownBatch.selector, 1, _hash(batch)));
    }

    function test_moves_cursor_and_sums() external {
        _deposit(ALICE, 10e6);
        _deposit(BOB, 5e6);
        Draft memory draft;
        draft.requests = 1;
        draft.payments = new Payment[](1);
        draft.payments[0] = Payment(1, ALICE, 3e6);
        CommittedBatch memory batch = _commit(draft);
        assertEq(settlement.available(), 0, "nothing final");
        _mine(WINDOW + 1);
        _finalize(batch);
        assertEq(settlement.finalCursor(), 1, "cursor");
        assertEq(settlement.finalPayments(), 3e6, "payments");
        assertEq(settlement.available(), 7e6, "processed deposits less payments");
    }

    /// @notice Finality moves by one at a time, and only to what was committed under the number.
    function testFuzz_only_the_next_one(uint256 seed) external {
        uint256 count = bound(seed, 2, 8);
        for (uint256 k = 0; k < count; ++k) {
            _full();
        }
        _mine(WINDOW + 1);
        uint32 chosen = uint32(bound(seed >> 8, 1, count));
        for (uint32 next = 1; next <= count; ++next) {
            if (chosen > next) {
                _refused(
                    batches[chosen],
                    abi.encodeWithSelector(ISettlement.NotNext.selector, chosen, next)
                );
            } else if (chosen < next) {
                _refused(
                    batches[chosen],
                    abi.encodeWithSelector(ISettlement.AlreadyFinal.selector, chosen)
                );
            }
            _finalize(batches[next]);
            assertEq(settlement.finalized(), next, "one more");
        }
    }
}
