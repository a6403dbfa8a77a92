// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IInbox} from "../src/interfaces/IInbox.sol";
import {CommittedBatch} from "../src/interfaces/ISettlement.sol";
import {IVault, Payment} from "../src/interfaces/IVault.sol";
import {Venue} from "./Venue.sol";
import {ISender, OddToken} from "./tokens/OddToken.sol";

/// @notice Deposits, and deposits once more while its tokens are pulled.
contract NestingDepositor is ISender {
    IInbox private immutable inbox;
    bool private nested;

    constructor(IInbox inbox_) payable {
        inbox = inbox_;
    }

    function deposit(uint64 amount) public {
        inbox.depositToNewAccount{value: inbox.fee()}(address(this), amount);
    }

    function tokensToSend(uint256 amount) external {
        if (nested) return;
        nested = true;
        deposit(uint64(amount));
    }
}

/// @notice Claims of final batches, the daily limit, and tokens that misbehave.
contract VaultTest is Venue {
    uint64 private constant PAID = 100e6;

    bytes32 private bodyHash;
    bytes32 private root;
    Payment[] private payments;
    bytes32[] private leaves;

    /// @dev A final batch 1 that pays these amounts to ALICE, BOB, CAROL in turn.
    function _final(uint64[] memory amounts) private {
        _pay(amounts);
        _mine(WINDOW + 1);
        _finalize(head);
    }

    function _pay(uint64[] memory amounts) private {
        address[3] memory people = [ALICE, BOB, CAROL];
        uint64 total = 0;
        for (uint256 k = 0; k < amounts.length; ++k) {
            payments.push(Payment(uint32(k + 1), people[k % 3], amounts[k]));
            total += amounts[k];
        }
        token.mint(ALICE, total);
        _deposit(ALICE, total);
        Draft memory draft;
        draft.requests = 1;
        draft.payments = payments;
        CommittedBatch memory batch = _commit(draft);
        (bodyHash,) = settlement.hashOf(batch);
        root = batch.withdrawalsRoot;
        bytes32 venue =
            keccak256(abi.encodePacked("novate withdrawal", uint256(31_337), address(settlement)));
        for (uint256 k = 0; k < amounts.length; ++k) {
            Payment memory one = payments[k];
            leaves.push(
                keccak256(
                    abi.encodePacked(
                        venue, one.account, one.recipient, one.amount, uint32(1), uint32(k)
                    )
                )
            );
        }
    }

    function _three(uint64 amount) private pure returns (uint64[] memory amounts) {
        amounts = new uint64[](3);
        (amounts[0], amounts[1], amounts[2]) = (amount, amount, amount);
    }

    /// @dev The siblings of one leaf, bottom up; a tree written for this test alone.
    function _path(uint256 index) private view returns (bytes32[] memory path) {
        bytes32[] memory level = leaves;
        path = new bytes32[](16);
        uint256 height = 0;
        while (level.length > 1) {
            path[height++] = (index ^ 1) < level.length ? level[index ^ 1] : bytes32(0);
            bytes32[] memory above = new bytes32[]((level.length + 1) / 2);
            for (uint256 k = 0; k < above.length; ++k) {
                bytes32 right = 2 * k + 1 < level.length ? level[2 * k + 1] : bytes32(0);
                above[k] = keccak256(abi.encodePacked(level[2 * k], right));
            }
            level = above;
            index >>= 1;
        }
        assembly {
            mstore(path, height)
        }
    }

    function _claim(uint32 index) private {
        vault.claim(1, bodyHash, root, payments[index], index, _path(index));
    }

    function _refusedClaim(uint32 index, Payment memory payment, bytes memory expected) private {
        bytes32[] memory path = _path(index);
        vm.expectRevert(expected);
        vault.claim(1, bodyHash, root, payment, index, path);
    }

    function _assertConserved() private view {
        assertEq(vault.holdings(), token.balanceOf(address(vault)), "holdings are tokens");
        assertEq(vault.received() - vault.sent(), vault.holdings(), "received less sent");
    }

    // ------------------------------------------------------------------------------------ deposits

    function test_only_the_inbox_brings_deposits() external {
        vm.expectRevert(abi.encodeWithSelector(IVault.NotInbox.selector, ALICE));
        vm.prank(ALICE);
        vault.receiveDeposit(ALICE, 1);
    }

    function test_refuses_a_token_that_keeps_a_fee() external {
        token.setHabit(OddToken.Habit.FEE);
        uint256 cost = inbox.fee();
        vm.expectRevert(
            abi.encodeWithSelector(IVault.WrongAmountReceived.selector, PAID - 1, PAID)
        );
        vm.prank(ALICE);
        inbox.depositToNewAccount{value: cost}(ALICE, PAID);
    }

    function test_a_nested_deposit_makes_the_outer_one_revert() external {
        token.setHabit(OddToken.Habit.ASKING);
        NestingDepositor depositor = new NestingDepositor{value: 1 ether}(inbox);
        token.mint(address(depositor), 2 * PAID);
        vm.prank(address(depositor));
        token.approve(address(vault), 2 * PAID);
        vm.expectRevert(
            abi.encodeWithSelector(IVault.WrongAmountReceived.selector, 2 * PAID, PAID)
        );
        depositor.deposit(PAID);
        assertEq(vault.received(), 0, "received");
        _assertConserved();
    }

    function test_refuses_a_token_that_says_no() external {
        uint256 cost = inbox.fee();
        bytes memory failed = abi.encodeWithSelector(
            IVault.TransferFailed.selector, address(token), address(vault), PAID
        );
        OddToken.Habit[2] memory habits = [OddToken.Habit.FALSE, OddToken.Habit.TWO];
        for (uint256 k = 0; k < 2; ++k) {
            token.setHabit(habits[k]);
            vm.expectRevert(failed);
            vm.prank(ALICE);
            inbox.depositToNewAccount{value: cost}(ALICE, PAID);
        }
        vm.prank(ALICE);
        token.approve(address(vault), PAID - 1);
        token.setHabit(OddToken.Habit.NONE);
        vm.expectRevert(failed);
        vm.prank(ALICE);
        inbox.depositToNewAccount{value: cost}(ALICE, PAID);
    }

    function test_takes_a_token_that_says_nothing() external {
        token.setHabit(OddToken.Habit.SILENT);
        _deposit(ALICE, PAID);
        assertEq(vault.received(), PAID, "received");
        _assertConserved();
    }

    // -------------------------------------------------------------------------------------- claims

    function test_a_claim_pays_its_recipient_whoever_calls() external {
        _final(_three(PAID));
        uint256 before = token.balanceOf(BOB);
        vm.prank(CAROL);
        _claim(1);
        assertEq(token.balanceOf(BOB) - before, PAID, "paid");
        assertTrue(vault.isClaimed(1, 1), "claimed");
        assertFalse(vault.isClaimed(1, 0), "others not");
        assertEq(vault.claimed(), PAID, "sum of claims");
        assertEq(vault.holdings(), 2 * PAID, "left");
        _assertConserved();
    }

    function test_nobody_is_paid_twice() external {
        _final(_three(PAID));
        _claim(1);
        _refusedClaim(1, payments[1], abi.encodeWithSelector(IVault.AlreadyClaimed.selector, 1, 1));
    }

    function test_a_batch_that_is_not_final_pays_nothing() external {
        _pay(_three(PAID));
        bytes32 hash = keccak256(abi.encode(bodyHash, root));
        _refusedClaim(0, payments[0], abi.encodeWithSelector(IVault.NotFinal.selector, 1, hash));
    }

    function test_a_reverted_batch_pays_nothing() external {
        _pay(_three(PAID));
        bytes32 hash = keccak256(abi.encode(bodyHash, root));
        CommittedBatch memory bad = head;
        _challenge(ALICE, bad);
        _mine(PROOF_TIME + 1);
        settlement.revertContested(batches[0], bad);
        _resetHead();
        _full(1);
        _mine(WINDOW + 1);
        _finalize(head);
        _refusedClaim(0, payments[0], abi.encodeWithSelector(IVault.NotFinal.selector, 1, hash));
    }

    function test_refuses_another_root_under_a_final_number() external {
        _final(_three(PAID));
        bytes32[] memory none = new bytes32[](0);
        bytes32 hash = keccak256(abi.encode(bodyHash, leaves[0]));
        vm.expectRevert(abi.encodeWithSelector(IVault.NotFinal.selector, 1, hash));
        vault.claim(1, bodyHash, leaves[0], payments[0], 0, none);
    }

    function test_refuses_another_payment() external {
        _final(_three(PAID));
        bytes memory wrong = abi.encodeWithSelector(IVault.WrongPath.selector, 1, 0);
        Payment memory payment = payments[0];
        payment.amount += 1;
        _refusedClaim(0, payment, wrong);
        payment = payments[0];
        payment.recipient = CAROL;
        _refusedClaim(0, payment, wrong);
        payment = payments[0];
        payment.account += 1;
        _refusedClaim(0, payment, wrong);
    }

    function test_refuses_another_place() external {
        _final(_three(PAID));
        bytes32[] memory path = _path(0);
        vm.expectRevert(abi.encodeWithSelector(IVault.WrongPath.selector, 1, 1));
        vault.claim(1, bodyHash, root, payments[0], 1, path);
        vm.expectRevert(abi.encodeWithSelector(IVault.WrongPath.selector, 1, 4));
        vault.claim(1, bodyHash, root, payments[0], 4, path); // 0 under a path of two
        vm.expectRevert(abi.encodeWithSelector(IVault.WrongPath.selector, 1, 0));
        vault.claim(1, bodyHash, root, payments[0], 0, new bytes32[](0));
    }

    function test_a_claim_that_cannot_be_sent_stays_claimable() external {
        _final(_three(PAID));
        token.setBlocked(BOB, true);
        _refusedClaim(
            1,
            payments[1],
            abi.encodeWithSelector(IVault.TransferFailed.selector, address(token), BOB, PAID)
        );
        token.setBlocked(BOB, false);
        _claim(1);
        assertTrue(vault.isClaimed(1, 1), "later");
    }

    function testFuzz_every_payment_of_a_tree_is_claimable_once(uint256 count) external {
        count = bound(count, 1, 20);
        uint64[] memory amounts = new uint64[](count);
        for (uint256 k = 0; k < count; ++k) {
            amounts[k] = uint64(1 + k);
        }
        _final(amounts);
        for (uint32 k = 0; k < count; ++k) {
            _claim(k);
            _refusedClaim(
                k, payments[k], abi.encodeWithSelector(IVault.AlreadyClaimed.selector, 1, k)
            );
        }
        assertEq(vault.claimed(), count * (count + 1) / 2, "all of them");
        assertEq(vault.holdings(), 0, "nothing is left");
        _assertConserved();
    }

    // ----------------------------------------------------------------------------- the daily limit

    function test_what_exceeds_the_limit_waits_and_is_paid_in_order() external {
        uint64 amount = uint64(OUTFLOW) * 3 / 4;
        _final(_three(amount));
        uint256 alice = token.balanceOf(ALICE);
        uint256 bob = token.balanceOf(BOB);
        uint256 carol = token.balanceOf(CAROL);
        _claim(0);
        assertEq(token.balanceOf(ALICE) - alice, amount, "whole");
        _claim(1);
        assertEq(token.balanceOf(BOB) - bob, OUTFLOW - amount, "a part");
        _claim(2);
        assertEq(token.balanceOf(CAROL), carol, "waits behind");
        (uint64 head_, uint64 tail) = vault.queue();
        assertEq(tail - head_, 2, "two wait");
        vm.expectPartialRevert(IVault.AllowanceUsedUp.selector);
        vault.release(10);

        vm.warp(_time() + 12 hours); // half of the limit: all of BOB's
        assertEq(vault.release(10), 1, "one finished");
        assertEq(token.balanceOf(BOB) - bob, amount, "BOB whole");
        assertEq(token.balanceOf(CAROL), carol, "not yet");
        vm.warp(_time() + 6 hours);
        assertEq(vault.release(10), 0, "none finished");
        assertEq(token.balanceOf(CAROL) - carol, OUTFLOW / 4, "a part");
        vm.warp(_time() + 2 days);
        assertEq(vault.release(1), 1, "the last");
        assertEq(token.balanceOf(CAROL) - carol, amount, "CAROL whole");
        assertEq(vault.claimed(), vault.sent(), "all that was claimed is sent");
        _assertConserved();
        vm.expectRevert(abi.encodeWithSelector(IVault.QueueEmpty.selector));
        vault.release(1);
    }

    function test_the_allowance_refills_to_one_day() external {
        _final(_three(uint64(OUTFLOW)));
        assertEq(vault.allowance(), OUTFLOW, "a day at first");
        vm.warp(_time() + 30 days);
        assertEq(vault.allowance(), OUTFLOW, "never more");
        _claim(0);
        assertEq(vault.allowance(), 0, "used up");
        vm.warp(_time() + 1);
        assertEq(vault.allowance(), OUTFLOW / 86_400, "a second");
    }

    /// @notice Nobody waits behind a recipient that cannot be paid.
    function test_an_unpayable_recipient_is_set_aside() external {
        uint64 amount = uint64(OUTFLOW);
        _final(_three(amount));
        _claim(0);
        _claim(1);
        _claim(2);
        token.setBlocked(BOB, true);
        uint256 carol = token.balanceOf(CAROL);
        vm.warp(_time() + 1 days);
        assertEq(vault.release(10), 2, "both left the queue");
        assertEq(token.balanceOf(CAROL) - carol, amount, "CAROL is paid");
        assertEq(vault.setAside(BOB), amount, "BOB is set aside");
        _assertConserved();

        vm.expectRevert(abi.encodeWithSelector(IVault.NothingToCollect.selector, ALICE));
        vm.prank(ALICE);
        vault.collect();
        vm.expectPartialRevert(IVault.AllowanceUsedUp.selector);
        vm.prank(BOB);
        vault.collect();
        vm.warp(_time() + 6 hours);
        vm.expectRevert(
            abi.encodeWithSelector(
                IVault.TransferFailed.selector, address(token), BOB, OUTFLOW / 4
            )
        );
        vm.prank(BOB);
        vault.collect();
        token.setBlocked(BOB, false);
        uint256 bob = token.balanceOf(BOB);
        vm.prank(BOB);
        vault.collect();
        assertEq(token.balanceOf(BOB) - bob, OUTFLOW / 4, "as the allowance permits");
        assertEq(vault.setAside(BOB), amount - OUTFLOW / 4, "the rest later");
        _assertConserved();
    }

    function test_a_part_that_cannot_be_sent_is_set_aside_whole() external {
        uint64 amount = uint64(OUTFLOW);
        _final(_three(amount));
        _claim(0);
        _claim(1);
        token.setBlocked(BOB, true);
        vm.warp(_time() + 6 hours);
        uint256 allowance = vault.allowance();
        assertEq(vault.release(10), 1, "left the queue");
        assertEq(vault.setAside(BOB), amount, "all of it");
        assertEq(vault.allowance(), allowance, "no allowance was used");
        _assertConserved();
    }

    /// @notice Whatever is claimed when, no day sees more than the limit twice over, and all is
    /// paid.
    function testFuzz_the_limit_delays_and_loses_nothing(uint256 seed) external {
        uint256 count = bound(seed, 1, 8);
        uint64[] memory amounts = new uint64[](count);
        uint256 total = 0;
        for (uint256 k = 0; k < count; ++k) {
            amounts[k] = uint64(bound(uint256(keccak256(abi.encode(seed, k))), 1, OUTFLOW));
            total += amounts[k];
        }
        _final(amounts);
        uint256 start = _time();
        uint256 before = _wealth();
        for (uint32 k = 0; k < count; ++k) {
            _claim(k);
            vm.warp(_time() + (uint256(keccak256(abi.encode(k, seed))) % 8 hours));
            assertLe(_wealth() - before, OUTFLOW + (_time() - start) * OUTFLOW / 1 days, "outflow");
        }
        for (uint256 day = 0; day < 10; ++day) {
            vm.warp(_time() + 1 days);
            (uint64 head_, uint64 tail) = vault.queue();
            if (head_ == tail) break;
            vault.release(100);
        }
        assertEq(_wealth() - before, total, "all is paid");
        _assertConserved();
    }

    function _wealth() private view returns (uint256) {
        return token.balanceOf(ALICE) + token.balanceOf(BOB) + token.balanceOf(CAROL);
    }
}
