// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IInbox} from "../src/interfaces/IInbox.sol";
import {IKeyRegistry} from "../src/interfaces/IKeyRegistry.sol";
import {IParameterRegistry} from "../src/interfaces/IParameterRegistry.sol";
import {
    CommittedBatch,
    Genesis,
    ISettlement,
    SettlementConfig
} from "../src/interfaces/ISettlement.sol";
import {IVault, Payment} from "../src/interfaces/IVault.sol";
import {Statement} from "../src/interfaces/IVerifier.sol";
import {Base, Vm} from "./Base.sol";
import {ChosenVerifier} from "./ChosenVerifier.sol";
import {MockToken} from "./tokens/MockToken.sol";
import {OddToken} from "./tokens/OddToken.sol";

/// @notice Deploys by CREATE from nonce 1 on, so that addresses are known before.
contract Factory {
    error CreateFailed(uint256 place);

    uint256 public created;

    function create(bytes memory code) external returns (address made) {
        assembly {
            made := create(0, add(code, 0x20), mload(code))
        }
        if (made == address(0)) {
            assembly {
                returndatacopy(0, 0, returndatasize())
                revert(0, returndatasize())
            }
        }
        ++created;
    }

    /// @notice Address of the contract created with a nonce below 128.
    function predict(uint256 nonce) external view returns (address) {
        bytes memory list = abi.encodePacked(hex"d694", address(this), uint8(nonce));
        return address(uint160(uint256(keccak256(list))));
    }
}

/// @notice A whole venue with short clocks, and a sequencer whose batches say what a test wants:
/// the contracts do not know the law, so roots are made up here.
abstract contract Venue is Base {
    /// @notice What a batch is to be; zero means the usual.
    struct Draft {
        bool isDiff;
        bool resetSlots;
        /// Requests to take from the queue.
        uint256 requests;
        Payment[] payments;
    }

    uint32 internal constant WINDOW = 100;
    uint32 internal constant PROOF_TIME = 50;
    uint32 internal constant DEADLINE = 200;
    uint32 internal constant COMMIT_TIME = 300;
    uint32 internal constant LIQUIDATION_TIME = 20;
    uint32 internal constant FINAL_TIME = 700;
    uint32 internal constant PAUSE_MAX = 150;
    uint128 internal constant BOND = 1 ether;
    uint128 internal constant CHALLENGE_BOND = 2 ether + 1;
    uint256 internal constant BASE_FEE = 0.001 ether;
    uint128 internal constant OUTFLOW = 1_000_000e6;
    bytes32 internal constant GENESIS_SETTLEMENT_ROOT = bytes32(uint256(0x11));
    bytes32 internal constant GENESIS_ROOT = bytes32(uint256(0x22));

    address internal constant SEQUENCER = address(0x5e9);
    address internal constant GOVERNOR = address(0x906);
    address internal constant ALICE = address(0xa11ce);
    address internal constant BOB = address(0xb0b);
    address internal constant CAROL = address(0xca201);
    address internal constant GRAVE = 0x000000000000000000000000000000000000dEaD;

    Factory internal factory;
    OddToken internal token;
    ChosenVerifier internal verifier;
    IParameterRegistry internal parameters;
    IVault internal vault;
    IInbox internal inbox;
    IKeyRegistry internal keys;
    ISettlement internal settlement;

    /// @notice The last committed batch as the fixture knows it, and every one by number.
    CommittedBatch internal head;
    mapping(uint32 number => CommittedBatch) internal batches;
    /// @notice Bytes of every request, as the inbox's events told them.
    bytes[] internal requests;
    /// @notice Makes each root another.
    uint256 private rootSeed = 0x100;

    function setUp() public virtual {
        vm.warp(1_700_000_000);
        vm.roll(1_000_000);
        _deploy(_config(), _genesisParameters());
        vm.deal(SEQUENCER, 1000 ether);
        vm.prank(SEQUENCER);
        settlement.addBalance{value: 100 ether}();
        _fund(ALICE);
        _fund(BOB);
        _fund(CAROL);
    }

    // ---------------------------------------------------------------------------------- deployment

    function _config() internal pure virtual returns (SettlementConfig memory config) {
        config.lagMax = 1 days;
        config.haltMax = 7 days;
        config.challengeWindow = WINDOW;
        config.proofTime = PROOF_TIME;
        config.proofDeadline = DEADLINE;
        config.requestCommitTime = COMMIT_TIME;
        config.liquidationCommitTime = LIQUIDATION_TIME;
        config.requestFinalTime = FINAL_TIME;
        config.pauseMax = PAUSE_MAX;
        config.pendingMax = 600;
        config.requestsMax = 4;
        config.marketDepth = 1;
        config.sequencerBond = BOND;
        config.challengeBond = CHALLENGE_BOND;
        config.provingCost = 1 ether;
    }

    /// @dev Bytes of parameters with three oracle keys; 0 stands for the settlement contract's
    /// address.
    function _genesisParameters() internal pure returns (bytes memory) {
        return _parameters(3, 125_000);
    }

    /// @dev Deploys everything in the order that a deployment uses, from predicted addresses.
    function _deploy(SettlementConfig memory config, bytes memory genesisParameters) internal {
        factory = new Factory();
        token = new OddToken();
        verifier = new ChosenVerifier();
        address leaves = _create("LeafVerifier", "");
        address settlement_ = factory.predict(6);
        address[] memory sequencers = new address[](1);
        sequencers[0] = SEQUENCER;
        _name(genesisParameters, settlement_);
        parameters = IParameterRegistry(
            _create(
                "ParameterRegistry",
                abi.encode(GOVERNOR, settlement_, uint64(30 days), sequencers, genesisParameters)
            )
        );
        address inbox_ = factory.predict(4);
        vault = IVault(_create("Vault", abi.encode(token, inbox_, settlement_, OUTFLOW)));
        inbox = IInbox(
            _create(
                "Inbox",
                abi.encode(
                    vault, settlement_, factory.predict(5), 64, config.requestsMax, BASE_FEE
                )
            )
        );
        keys = IKeyRegistry(_create("KeyRegistry", abi.encode(inbox)));
        config.inbox = address(inbox);
        config.parameters = address(parameters);
        config.verifier = address(verifier);
        config.leaves = leaves;
        vm.recordLogs();
        settlement = ISettlement(_create("Settlement", abi.encode(config, _genesis())));
        assertEq(address(settlement), settlement_, "predicted address");
        head = _lastBatch(vm.getRecordedLogs());
        batches[0] = head;
    }

    function _genesis() internal view virtual returns (Genesis memory) {
        return Genesis({
            preset: "minimal",
            treasury: address(0x7ea),
            time: uint32(_time() - 10),
            settlementRoot: GENESIS_SETTLEMENT_ROOT,
            root: GENESIS_ROOT
        });
    }

    function _create(string memory name, bytes memory arguments) internal returns (address) {
        bytes memory code = vm.getCode(string.concat(name, ".sol:", name));
        return factory.create(bytes.concat(code, arguments));
    }

    /// @dev Parameters of one market with two scenarios; keys ascend from 1.
    function _parameters(uint8 oracleKeys, uint32 optionFeeCap)
        internal
        pure
        returns (bytes memory)
    {
        bytes memory keyBytes;
        for (uint8 k = 1; k <= oracleKeys; ++k) {
            keyBytes = bytes.concat(keyBytes, _key(k));
        }
        return _parametersOf(keyBytes, optionFeeCap);
    }

    /// @dev An oracle key: its first element, then zeros.
    function _key(uint8 element) internal pure returns (bytes memory) {
        return abi.encodePacked(element, new bytes(39));
    }

    function _parametersOf(bytes memory keyBytes, uint32 optionFeeCap)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(
            uint64(31_337),
            address(0),
            _market(),
            uint8(keyBytes.length / 40),
            keyBytes,
            hex"0180000000800001f4",
            optionFeeCap,
            hex"0007a12000004e2000002710000186a00000000300000e10000013880003f480"
        );
    }

    /// @dev The list of one market: symbol "BTC", two scenarios.
    function _market() private pure returns (bytes memory) {
        return abi.encodePacked(
            hex"0001", // one market
            hex"03425443", // symbol
            uint8(2), // price_decimals
            _words(14),
            hex"02", // scenarios
            hex"7ffe2b4080000f4240", // −120,000 ppm, direction 0, undamped
            hex"8001d4c081000f4240", // +120,000 ppm, direction +1
            _words(8),
            uint64(2e15),
            _words(3)
        );
    }

    function _words(uint32 count) private pure returns (bytes memory words) {
        for (uint32 k = 1; k <= count; ++k) {
            words = abi.encodePacked(words, k);
        }
    }

    /// @dev Writes the settlement contract's address into parameters.
    function _name(bytes memory parameters_, address settlement_) internal pure {
        for (uint256 k = 0; k < 20; ++k) {
            parameters_[8 + k] = bytes20(settlement_)[k];
        }
    }

    // -------------------------------------------------------------------------------------- people

    function _fund(address who) internal {
        vm.deal(who, 1000 ether);
        token.mint(who, 100_000_000e6);
        vm.prank(who);
        token.approve(address(vault), type(uint256).max);
    }

    function _deposit(address who, uint64 amount) internal returns (uint32 account, uint64 index) {
        uint256 cost = inbox.fee();
        vm.recordLogs();
        vm.prank(who);
        (account, index) = inbox.depositToNewAccount{value: cost}(who, amount);
        _noteRequests();
    }

    function _forceCancel(address who) internal returns (uint64 index) {
        uint256 cost = inbox.fee();
        vm.recordLogs();
        vm.prank(who);
        index = inbox.forceCancel{value: cost}(0);
        _noteRequests();
    }

    /// @dev Keeps the bytes of the requests queued since logs are recorded.
    function _noteRequests() internal {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 k = 0; k < logs.length; ++k) {
            if (logs[k].topics[0] != IInbox.RequestQueued.selector) continue;
            (bytes memory request,) = abi.decode(logs[k].data, (bytes, bytes32));
            requests.push(request);
        }
    }

    // ------------------------------------------------------------------------------------- batches

    /// @dev Commits a batch on top of the head, at the present time.
    function _commit(Draft memory draft) internal returns (CommittedBatch memory batch) {
        bytes memory header = _header(draft);
        bytes memory contractData = _contractData(draft);
        vm.recordLogs();
        vm.prank(SEQUENCER, SEQUENCER);
        settlement.commitCalldata(head, header, bytes32(uint256(7)), "data", contractData);
        batch = _lastBatch(vm.getRecordedLogs());
        head = batch;
        batches[settlement.committed()] = batch;
    }

    function _full() internal returns (CommittedBatch memory) {
        Draft memory draft;
        draft.resetSlots = _isDiff(head);
        return _commit(draft);
    }

    function _full(uint256 requests_) internal returns (CommittedBatch memory) {
        Draft memory draft;
        draft.resetSlots = _isDiff(head);
        draft.requests = requests_;
        return _commit(draft);
    }

    function _diff() internal returns (CommittedBatch memory) {
        return _diff(0);
    }

    function _diff(uint256 requests_) internal returns (CommittedBatch memory) {
        Draft memory draft;
        draft.isDiff = true;
        draft.requests = requests_;
        return _commit(draft);
    }

    /// @dev The header that follows the head.
    function _header(Draft memory draft) internal returns (bytes memory) {
        bytes memory before = head.body.header;
        uint64 inboxBefore = uint64(_field(before, 27, 8));
        uint32 epoch = uint32(_field(before, 15, 4)) + (draft.resetSlots ? 1 : 0);
        bytes memory start = abi.encodePacked(
            uint8(1),
            uint8(draft.isDiff ? 1 : 0),
            uint8(draft.resetSlots ? 1 : 0),
            settlement.committed() + 1,
            uint32(_time()),
            settlement.fork(),
            epoch
        );
        rootSeed += 2;
        return abi.encodePacked(
            start,
            inboxBefore,
            uint64(inboxBefore + draft.requests),
            parameters.current(),
            _field(before, 131, 32),
            _field(before, 163, 32),
            rootSeed,
            rootSeed + 1
        );
    }

    /// @dev Requests from the head's cursor on, each a no-op, and the payments.
    function _contractData(Draft memory draft) internal view returns (bytes memory data) {
        uint256 cursor = _field(head.body.header, 27, 8);
        data = abi.encodePacked(uint16(draft.requests));
        for (uint256 k = 0; k < draft.requests; ++k) {
            data = abi.encodePacked(data, uint8(4), requests[cursor + k]);
        }
        data = abi.encodePacked(data, uint32(draft.payments.length));
        for (uint256 k = 0; k < draft.payments.length; ++k) {
            Payment memory payment = draft.payments[k];
            data = abi.encodePacked(data, payment.account, payment.recipient, payment.amount);
        }
    }

    /// @dev A big-endian field of bytes.
    function _field(bytes memory data, uint256 offset, uint256 width)
        internal
        pure
        returns (uint256)
    {
        uint256 word;
        assembly {
            word := mload(add(add(data, 0x20), offset))
        }
        return word >> (256 - 8 * width);
    }

    function _number(CommittedBatch memory batch) internal pure returns (uint32) {
        return uint32(_field(batch.body.header, 3, 4));
    }

    function _isDiff(CommittedBatch memory batch) internal pure returns (bool) {
        return batch.body.header[1] == 0x01;
    }

    /// @dev The batch of the last commit in these logs.
    function _lastBatch(Vm.Log[] memory logs) internal pure returns (CommittedBatch memory batch) {
        for (uint256 k = 0; k < logs.length; ++k) {
            if (logs[k].topics[0] != ISettlement.BatchCommitted.selector) continue;
            batch = abi.decode(logs[k].data, (CommittedBatch));
        }
    }

    function _hash(CommittedBatch memory batch) internal view returns (bytes32 hash) {
        (, hash) = settlement.hashOf(batch);
    }

    function _challenge(address who, CommittedBatch memory batch) internal {
        vm.prank(who);
        settlement.challenge{value: CHALLENGE_BOND}(batch);
    }

    /// @dev Lets the verifier accept a batch for a payee.
    function _accept(CommittedBatch memory batch, address payee) internal {
        Statement memory statement = Statement(batch.body.header, batch.body.opening, payee);
        verifier.accept(keccak256(abi.encode(statement)));
    }

    function _prove(CommittedBatch memory batch, address payee) internal {
        _accept(batch, payee);
        settlement.prove(batch, payee, "proof");
    }

    function _finalize(CommittedBatch memory batch) internal {
        CommittedBatch[] memory one = new CommittedBatch[](1);
        one[0] = batch;
        settlement.finalize(one);
    }

    /// @dev Goes back to the batch before, as the head to build on.
    function _resetHead() internal {
        head = batches[settlement.committed()];
    }

    /// @dev The present block. The compiler takes `block.number` for a constant of a transaction
    /// and reads it again where a value from before `vm.roll` is meant; an answer of a call it
    /// keeps.
    function _block() internal view returns (uint256) {
        return vm.getBlockNumber();
    }

    /// @dev The present time, likewise.
    function _time() internal view returns (uint256) {
        return vm.getBlockTimestamp();
    }

    /// @dev Mines blocks, twelve seconds each.
    function _mine(uint256 blocks) internal {
        vm.roll(_block() + blocks);
        vm.warp(_time() + 12 * blocks);
    }

    /// @dev The contract's ether is what it owes: balances of those named, and bonds.
    function _assertSolvent(uint256 bonds) internal view {
        uint256 owed = settlement.balances(SEQUENCER) + settlement.balances(ALICE)
            + settlement.balances(BOB) + settlement.balances(CAROL);
        assertEq(address(settlement).balance, owed + bonds, "ether of the settlement contract");
    }
}
