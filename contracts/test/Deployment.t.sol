// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IInbox} from "../src/interfaces/IInbox.sol";
import {IKeyRegistry} from "../src/interfaces/IKeyRegistry.sol";
import {IParameterRegistry} from "../src/interfaces/IParameterRegistry.sol";
import {Genesis, ISettlement, SettlementConfig} from "../src/interfaces/ISettlement.sol";
import {IVault} from "../src/interfaces/IVault.sol";
import {IVerifier, Statement} from "../src/interfaces/IVerifier.sol";
import {Venue} from "./Venue.sol";

/// @notice What a deployment may not be, and that it is what it says.
contract DeploymentTest is Venue {
    function _settlement(
        SettlementConfig memory config,
        Genesis memory genesis,
        bytes memory expected
    ) private {
        bytes memory code = vm.getCode("Settlement.sol:Settlement");
        bytes memory all = bytes.concat(code, abi.encode(config, genesis));
        vm.expectRevert(expected);
        factory.create(all);
    }

    function _wrongConfig(
        SettlementConfig memory config,
        string memory field,
        uint256 value,
        uint256 low,
        uint256 high
    ) private {
        _settlement(
            config,
            _genesis(),
            abi.encodeWithSelector(ISettlement.OutOfRange.selector, field, value, low, high)
        );
    }

    function test_the_configuration_is_readable() external view {
        SettlementConfig memory expected = _config();
        expected.inbox = address(inbox);
        expected.parameters = address(parameters);
        expected.verifier = address(verifier);
        expected.leaves = factory.predict(1);
        assertEq(abi.encode(settlement.config()), abi.encode(expected), "config");
        assertEq(vault.token(), address(token), "token");
        assertEq(parameters.governor(), GOVERNOR, "governor");
        assertEq(parameters.timelock(), 30 days, "time lock");
        assertTrue(parameters.isSequencer(SEQUENCER), "sequencer");
    }

    function test_settlement_refuses_missing_addresses() external {
        string[4] memory fields = ["inbox", "parameters", "verifier", "leaves"];
        for (uint256 k = 0; k < 4; ++k) {
            SettlementConfig memory config = settlement.config();
            if (k == 0) config.inbox = address(0);
            if (k == 1) config.parameters = address(0);
            if (k == 2) config.verifier = address(0);
            if (k == 3) config.leaves = address(0);
            _settlement(
                config,
                _genesis(),
                abi.encodeWithSelector(ISettlement.ZeroAddress.selector, fields[k])
            );
        }
        Genesis memory genesis = _genesis();
        genesis.treasury = address(0);
        _settlement(
            settlement.config(),
            genesis,
            abi.encodeWithSelector(ISettlement.ZeroAddress.selector, "treasury")
        );
    }

    function test_settlement_refuses_clocks_without_room() external {
        uint256 max = type(uint32).max;
        SettlementConfig memory config = settlement.config();
        config.lagMax = 1 days - 1;
        _wrongConfig(config, "lagMax", 1 days - 1, 1 days, max);
        config = settlement.config();
        config.haltMax = 0;
        _wrongConfig(config, "haltMax", 0, 1, max);
        config = settlement.config();
        config.challengeWindow = 0;
        _wrongConfig(config, "challengeWindow", 0, 1, max);
        config = settlement.config();
        config.proofTime = 0;
        _wrongConfig(config, "proofTime", 0, 1, max);
        config = settlement.config();
        config.proofDeadline = 0;
        _wrongConfig(config, "proofDeadline", 0, 1, max);
        config = settlement.config();
        config.liquidationCommitTime = COMMIT_TIME + 1;
        _wrongConfig(config, "liquidationCommitTime", COMMIT_TIME + 1, 1, COMMIT_TIME);
        config = settlement.config();
        config.requestFinalTime = COMMIT_TIME + WINDOW;
        _wrongConfig(
            config, "requestFinalTime", COMMIT_TIME + WINDOW, COMMIT_TIME + WINDOW + 1, max
        );
    }

    function test_settlement_refuses_counts_and_bonds_out_of_range() external {
        SettlementConfig memory config = settlement.config();
        config.pendingMax = 2 ** 16 + 1;
        _wrongConfig(config, "pendingMax", 2 ** 16 + 1, 1, 2 ** 16);
        config = settlement.config();
        config.requestsMax = 0;
        _wrongConfig(config, "requestsMax", 0, 1, type(uint16).max);
        config = settlement.config();
        config.marketDepth = 9;
        _wrongConfig(config, "marketDepth", 9, 0, 8);
        config = settlement.config();
        config.sequencerBond = 1;
        _wrongConfig(config, "sequencerBond", 1, 2, type(uint128).max);
        config = settlement.config();
        config.challengeBond = 2 ether - 1; // less than two proofs
        _wrongConfig(config, "challengeBond", 2 ether - 1, 2 ether, type(uint128).max);
    }

    function _refused(string memory name, bytes memory arguments, bytes memory expected) private {
        bytes memory code = vm.getCode(string.concat(name, ".sol:", name));
        bytes memory all = bytes.concat(code, arguments);
        vm.expectRevert(expected);
        factory.create(all);
    }

    function test_vault_refuses_missing_addresses_and_no_outflow() external {
        address some = address(1);
        bytes4 zero = IVault.ZeroAddress.selector;
        _refused(
            "Vault",
            abi.encode(address(0), some, some, OUTFLOW),
            abi.encodeWithSelector(zero, "token")
        );
        _refused(
            "Vault",
            abi.encode(some, address(0), some, OUTFLOW),
            abi.encodeWithSelector(zero, "inbox")
        );
        _refused(
            "Vault",
            abi.encode(some, some, address(0), OUTFLOW),
            abi.encodeWithSelector(zero, "settlement")
        );
        _refused(
            "Vault",
            abi.encode(some, some, some, uint128(0)),
            abi.encodeWithSelector(
                IVault.OutOfRange.selector, "outflowLimit", 0, 1, type(uint128).max
            )
        );
    }

    function test_inbox_refuses_missing_addresses_and_sizes() external {
        address some = address(1);
        bytes4 zero = IInbox.ZeroAddress.selector;
        bytes4 range = IInbox.OutOfRange.selector;
        _refused(
            "Inbox",
            abi.encode(address(0), some, some, 64, 4, 1),
            abi.encodeWithSelector(zero, "vault")
        );
        _refused(
            "Inbox",
            abi.encode(some, address(0), some, 64, 4, 1),
            abi.encodeWithSelector(zero, "settlement")
        );
        _refused(
            "Inbox",
            abi.encode(some, some, address(0), 64, 4, 1),
            abi.encodeWithSelector(zero, "keyRegistry")
        );
        _refused(
            "Inbox",
            abi.encode(some, some, some, 2 ** 24 + 1, 4, 1),
            abi.encodeWithSelector(range, "accountsMax", 2 ** 24 + 1, 2, 2 ** 24)
        );
        _refused(
            "Inbox",
            abi.encode(some, some, some, 64, 0, 1),
            abi.encodeWithSelector(range, "requestsMax", 0, 1, type(uint16).max)
        );
        _refused(
            "Inbox",
            abi.encode(some, some, some, 64, 4, 2 ** 128),
            abi.encodeWithSelector(range, "baseFee", 2 ** 128, 0, type(uint128).max)
        );
    }

    function test_registries_refuse_missing_addresses_and_a_short_time_lock() external {
        _refused(
            "KeyRegistry",
            abi.encode(address(0)),
            abi.encodeWithSelector(IKeyRegistry.ZeroAddress.selector, "inbox")
        );
        bytes4 zero = IParameterRegistry.ZeroAddress.selector;
        address[] memory none = new address[](0);
        address[] memory nobody = new address[](1);
        bytes memory genesis = _genesisParameters();
        _name(genesis, address(1));
        uint64 lock = 30 days;
        _refused(
            "ParameterRegistry",
            abi.encode(address(0), address(1), lock, none, genesis),
            abi.encodeWithSelector(zero, "governor")
        );
        _refused(
            "ParameterRegistry",
            abi.encode(address(1), address(0), lock, none, genesis),
            abi.encodeWithSelector(zero, "settlement")
        );
        _refused(
            "ParameterRegistry",
            abi.encode(address(1), address(1), lock, nobody, genesis),
            abi.encodeWithSelector(zero, "sequencer")
        );
        _refused(
            "ParameterRegistry",
            abi.encode(address(1), address(1), lock - 1, none, genesis),
            abi.encodeWithSelector(IParameterRegistry.TimelockTooShort.selector, lock - 1, lock)
        );
        _refused(
            "ParameterRegistry",
            abi.encode(address(1), address(2), lock, none, genesis),
            abi.encodeWithSelector(IParameterRegistry.WrongVenue.selector, 31_337, address(1))
        );
    }

    // --------------------------------------------------------------------------------- plain ether

    function test_balances_are_added_and_withdrawn() external {
        vm.startPrank(ALICE);
        settlement.addBalance{value: 3 ether}();
        settlement.withdrawBalance(1 ether);
        assertEq(settlement.balances(ALICE), 2 ether, "left");
        vm.expectRevert(
            abi.encodeWithSelector(
                ISettlement.BalanceTooSmall.selector, ALICE, 2 ether, 2 ether + 1
            )
        );
        settlement.withdrawBalance(2 ether + 1);
        vm.stopPrank();
    }

    function test_a_receiver_that_refuses_keeps_its_balance() external {
        address stone = address(new Stone());
        vm.deal(stone, 1 ether);
        vm.startPrank(stone);
        settlement.addBalance{value: 1 ether}();
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SendFailed.selector, stone, 1 ether));
        settlement.withdrawBalance(1 ether);
        vm.stopPrank();
        assertEq(settlement.balances(stone), 1 ether, "kept");
    }

    /// @notice Taking ether out again and again from inside one withdrawal ends at the balance.
    function test_entering_again_takes_nothing_more() external {
        Greedy greedy = new Greedy(settlement);
        greedy.run{value: 2 ether}();
        assertEq(address(greedy).balance, 2 ether, "its own");
        assertEq(settlement.balances(SEQUENCER), 100 ether, "others' stay");
        _assertSolvent(0);
    }

    function test_the_contract_takes_no_plain_ether() external {
        vm.prank(ALICE);
        (bool accepted,) = address(settlement).call{value: 1}("");
        assertFalse(accepted, "no balance would know it");
    }

    // -------------------------------------------------------------------------- rejecting verifier

    function test_the_rejecting_verifier_rejects_everything() external {
        IVerifier rejecting =
            IVerifier(factory.create(vm.getCode("RejectingVerifier.sol:RejectingVerifier")));
        Statement memory statement;
        vm.expectRevert(abi.encodeWithSignature("EveryProofIsRejected()"));
        rejecting.verify(statement, "");
        statement = Statement(head.body.header, head.body.opening, ALICE);
        vm.expectRevert(abi.encodeWithSignature("EveryProofIsRejected()"));
        rejecting.verify(statement, "proof");
    }
}

/// @notice Accepts no ether from calls.
contract Stone {}

/// @notice Withdraws again while it is being paid.
contract Greedy {
    ISettlement private immutable settlement;
    uint256 private depth;

    constructor(ISettlement settlement_) {
        settlement = settlement_;
    }

    function run() external payable {
        settlement.addBalance{value: msg.value}();
        settlement.withdrawBalance(1 ether);
    }

    receive() external payable {
        if (++depth == 3) return;
        try settlement.withdrawBalance(1 ether) {} catch {}
    }
}
