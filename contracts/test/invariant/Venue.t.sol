// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Base} from "../Base.sol";
import {Handler} from "./Handler.sol";

/// @notice Whatever anyone does in whatever order, the rules of ISettlement, IInbox and IVault
/// hold. See
/// Model for what they are.
contract VenueInvariantTest is Base {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Handler private handler;

    function setUp() external {
        handler = new Handler();
    }

    function _selectors() private view returns (bytes4[] memory selectors) {
        selectors = new bytes4[](14);
        selectors[0] = handler.mine.selector;
        selectors[1] = handler.deposit.selector;
        selectors[2] = handler.force.selector;
        selectors[3] = handler.commit.selector;
        selectors[4] = handler.challenge.selector;
        selectors[5] = handler.prove.selector;
        selectors[6] = handler.finalize.selector;
        selectors[7] = handler.revertContested.selector;
        selectors[8] = handler.revertUnproven.selector;
        selectors[9] = handler.settleReverted.selector;
        selectors[10] = handler.claim.selector;
        selectors[11] = handler.release.selector;
        selectors[12] = handler.moveBalance.selector;
        selectors[13] = handler.freeze.selector;
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), _selectors());
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_the_venue_is_what_its_rules_say() external view {
        handler.check();
    }

    /// @notice The invariant means little if the walk never gets anywhere: a random walk of 2,000
    /// steps
    /// takes every transition.
    function test_a_long_walk_takes_every_transition() external {
        bytes4[] memory selectors = _selectors();
        uint256 random = 1;
        for (uint256 k = 0; k < 2000; ++k) {
            random = uint256(keccak256(abi.encode(random)));
            uint256 place = random % (k < 1900 ? 13 : 14); // a freeze would end the venue
            bytes memory call =
                abi.encodeWithSelector(selectors[place], random >> 32, random >> 64 & 2 ** 60 - 1);
            (bool succeeded,) = address(handler).call(call);
            assertTrue(succeeded, "a handler that reverts is a step not taken");
            if (k % 10 == 0) handler.check();
        }
        string[18] memory transitions = [
            "deposit",
            "forced request",
            "commit full",
            "commit diff",
            "challenge",
            "prove full",
            "prove diff",
            "prove contested",
            "finalize full",
            "finalize diff",
            "revert contested",
            "bond lost to a challenger",
            "revert unproven",
            "settle",
            "settle contested",
            "claim",
            "withdraw balance",
            "freeze"
        ];
        for (uint256 k = 0; k < transitions.length; ++k) {
            uint256 times = handler.taken(keccak256(bytes(transitions[k])));
            assertTrue(times > 0, string.concat("never taken: ", transitions[k]));
        }
    }
}
