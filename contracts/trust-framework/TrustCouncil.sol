// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {CouncilMembers} from "./CouncilMembers.sol";
import {EmergencySuspension} from "./EmergencySuspension.sol";
import {ITrustCouncil} from "./ITrustCouncil.sol";

/// @dev A list with one entry, for the constructor of the timelock.
function listOf(address account) pure returns (address[] memory list) {
    list = new address[](1);
    list[0] = account;
}

/// @title TrustCouncil
/// @notice See {ITrustCouncil}.
/// @dev The timelock's only proposer, canceller and administrator is the contract itself, and it may call itself only
/// for the functions of {_isSelfCallAllowed}; so roles can never be given to a key. Executors are open, but
/// {executeBatch} asks again for enough approvals by members seated at that moment.
/// Re-entrancy: an executed call that enters {execute} with the same id makes the outer call revert (TimelockController's
/// check after the calls), any other entry finds consistent state.
contract TrustCouncil is TimelockController, EmergencySuspension, ITrustCouncil {
    /// @notice A delay of zero would not be one.
    uint256 public constant MIN_DELAY_SECONDS = 1;
    /// @notice A longer delay would make the council unable to act, including to shorten it.
    uint256 public constant MAX_DELAY_SECONDS = 30 days;
    /// @notice Time to collect approvals.
    uint256 public constant APPROVAL_PERIOD_SECONDS = 14 days;
    /// @notice Time to execute once ready, so that a forgotten decision cannot surprise anybody later.
    uint256 public constant EXECUTION_PERIOD_SECONDS = 14 days;
    /// @notice More actions than this nobody reads.
    uint256 public constant MAX_ACTIONS = 16;
    /// @notice A page or two of text.
    uint256 public constant MAX_DESCRIPTION_BYTES = 4096;
    /// @notice Enough for any call of this house; keeps a proposal within a block.
    uint256 public constant MAX_PAYLOAD_BYTES = 8192;

    struct Proposal {
        address proposer;
        uint48 createdAt;
        uint48 expiresAt;
        uint48 readyAt;
        bytes32 salt;
        bytes32 operationSalt;
        string description;
        address[] targets;
        uint256[] values;
        bytes[] payloads;
    }

    bytes32[] private _ids;
    mapping(bytes32 id => Proposal) private _proposals;
    mapping(bytes32 id => mapping(address member => uint256 term)) private _approvedInTerm;

    /// @param initialMembers At least two, none twice.
    /// @param initialThreshold Approvals needed: above 1, at most the number of members.
    /// @param initialQuorum Votes that suspend at once: above 1, at most the threshold.
    /// @param minDelaySeconds Time between approval and execution.
    constructor(
        address[] memory initialMembers,
        uint256 initialThreshold,
        uint256 initialQuorum,
        uint256 minDelaySeconds
    )
        TimelockController(minDelaySeconds, listOf(address(this)), listOf(address(0)), address(0))
        CouncilMembers(initialMembers, initialThreshold, initialQuorum)
    {
        _requireDelay(minDelaySeconds);
    }

    /// @inheritdoc ITrustCouncil
    function propose(
        address[] calldata targets,
        uint256[] calldata values,
        bytes[] calldata payloads,
        bytes32 salt,
        string calldata description
    ) external onlyMember returns (bytes32 id) {
        _requireActions(targets, values, payloads);
        if (bytes(description).length > MAX_DESCRIPTION_BYTES) {
            revert TooLong(bytes(description).length, MAX_DESCRIPTION_BYTES);
        }
        id = hashProposal(targets, values, payloads, salt, description);
        Proposal storage proposal = _proposals[id];
        if (proposal.createdAt != 0) revert ProposalExists(id);
        proposal.proposer = msg.sender;
        proposal.createdAt = uint48(block.timestamp);
        proposal.expiresAt = uint48(block.timestamp + APPROVAL_PERIOD_SECONDS);
        proposal.salt = salt;
        proposal.operationSalt = _operationSalt(salt, description);
        proposal.description = description;
        proposal.targets = targets;
        proposal.values = values;
        for (uint256 i = 0; i < payloads.length; ++i) proposal.payloads.push(payloads[i]);
        _ids.push(id);
        emit ProposalCreated(id, msg.sender, description);
        _approve(id, proposal);
    }

    /// @inheritdoc ITrustCouncil
    function approve(bytes32 id) external onlyMember {
        _requireOpen(id);
        _approve(id, _proposals[id]);
    }

    /// @inheritdoc ITrustCouncil
    function withdrawApproval(bytes32 id) external onlyMember {
        _requireOpen(id);
        if (!hasApproved(id, msg.sender)) revert NotApproved(id, msg.sender);
        delete _approvedInTerm[id][msg.sender];
        emit ProposalApprovalWithdrawn(id, msg.sender, approvalCount(id));
    }

    /// @inheritdoc ITrustCouncil
    function execute(bytes32 id) external payable {
        Proposal storage p = _proposals[id];
        this.executeBatch{value: msg.value}(p.targets, p.values, p.payloads, bytes32(0), p.operationSalt);
    }

    /// @notice Carries a ready proposal out, given its actions ({execute} takes them from storage). Anyone.
    /// @dev Every execution passes here: operations are only ever scheduled as batches.
    function executeBatch(
        address[] calldata targets,
        uint256[] calldata values,
        bytes[] calldata payloads,
        bytes32 predecessor,
        bytes32 operationSalt
    ) public payable override {
        bytes32 id = hashOperationBatch(targets, values, payloads, predecessor, operationSalt);
        ProposalState state = stateOf(id);
        if (state != ProposalState.Ready) revert UnexpectedProposalState(id, state);
        super.executeBatch(targets, values, payloads, predecessor, operationSalt);
        emit ProposalExecuted(id);
    }

    /// @notice Changes the delay of proposals scheduled from now on. Council only, within bounds.
    function updateDelay(uint256 newDelay) public override {
        _requireDelay(newDelay);
        super.updateDelay(newDelay);
    }

    /// @inheritdoc ITrustCouncil
    function proposalCount() external view returns (uint256) {
        return _ids.length;
    }

    /// @inheritdoc ITrustCouncil
    function proposalAt(uint256 index) external view returns (bytes32 id) {
        return _ids[index];
    }

    /// @inheritdoc ITrustCouncil
    function proposalOf(bytes32 id) external view returns (ProposalView memory view_) {
        Proposal storage p = _proposals[id];
        if (p.createdAt == 0) return view_;
        view_.id = id;
        view_.proposer = p.proposer;
        view_.description = p.description;
        view_.targets = p.targets;
        view_.values = p.values;
        view_.payloads = p.payloads;
        view_.salt = p.salt;
        view_.approvers = _approvers(id);
        view_.state = stateOf(id);
        view_.createdAt = p.createdAt;
        view_.readyAt = p.readyAt;
        view_.expiresAt = p.expiresAt;
    }

    /// @inheritdoc ITrustCouncil
    function stateOf(bytes32 id) public view returns (ProposalState) {
        Proposal storage proposal = _proposals[id];
        if (proposal.createdAt == 0) return ProposalState.None;
        OperationState operation = getOperationState(id);
        if (operation == OperationState.Done) return ProposalState.Executed;
        if (block.timestamp >= proposal.expiresAt) return ProposalState.Expired;
        if (operation == OperationState.Unset || approvalCount(id) < threshold) return ProposalState.Pending;
        return operation == OperationState.Ready ? ProposalState.Ready : ProposalState.Waiting;
    }

    /// @inheritdoc ITrustCouncil
    function approvalCount(bytes32 id) public view returns (uint256) {
        return _approvers(id).length;
    }

    /// @inheritdoc ITrustCouncil
    function hasApproved(bytes32 id, address member) public view returns (bool) {
        uint256 term = _currentTerm(member);
        return term != 0 && _approvedInTerm[id][member] == term;
    }

    /// @inheritdoc ITrustCouncil
    function hashProposal(
        address[] calldata targets,
        uint256[] calldata values,
        bytes[] calldata payloads,
        bytes32 salt,
        string calldata description
    ) public pure returns (bytes32) {
        return hashOperationBatch(targets, values, payloads, bytes32(0), _operationSalt(salt, description));
    }

    /// @dev Records the caller's approval and starts the delay when it completes the threshold.
    function _approve(bytes32 id, Proposal storage proposal) private {
        if (hasApproved(id, msg.sender)) revert AlreadyApproved(id, msg.sender);
        bool hadEnough = approvalCount(id) >= threshold;
        _approvedInTerm[id][msg.sender] = _currentTerm(msg.sender);
        uint256 approvals = approvalCount(id);
        emit ProposalApproved(id, msg.sender, approvals);
        if (approvals < threshold || (hadEnough && isOperationPending(id))) return;
        _startDelay(id, proposal);
    }

    /// @dev Calls itself, as the timelock's one proposer and canceller.
    function _startDelay(bytes32 id, Proposal storage p) private {
        if (isOperationPending(id)) this.cancel(id);
        uint256 delay = getMinDelay();
        p.readyAt = uint48(block.timestamp + delay);
        p.expiresAt = uint48(block.timestamp + delay + EXECUTION_PERIOD_SECONDS);
        this.scheduleBatch(p.targets, p.values, p.payloads, bytes32(0), p.operationSalt, delay);
        emit ProposalScheduled(id, p.readyAt);
    }

    /// @dev Seated members whose approval was given in their present term.
    function _approvers(bytes32 id) private view returns (address[] memory approvers) {
        approvers = members();
        uint256 count = 0;
        for (uint256 i = 0; i < approvers.length; ++i) {
            if (hasApproved(id, approvers[i])) approvers[count++] = approvers[i];
        }
        assembly ("memory-safe") {
            mstore(approvers, count) // shortens the list in place; count <= length
        }
    }

    /// @dev Pending, Waiting and Ready proposals can still be approved or lose approvals.
    function _requireOpen(bytes32 id) private view {
        ProposalState state = stateOf(id);
        if (state == ProposalState.None || state == ProposalState.Executed || state == ProposalState.Expired) {
            revert UnexpectedProposalState(id, state);
        }
    }

    /// @dev Bounds, and no way for the council to reach its own roles and schedule.
    function _requireActions(
        address[] calldata targets,
        uint256[] calldata values,
        bytes[] calldata payloads
    ) private view {
        uint256 count = targets.length;
        if (count == 0 || count > MAX_ACTIONS || count != values.length || count != payloads.length) {
            revert InvalidActions(count, values.length, payloads.length);
        }
        for (uint256 i = 0; i < count; ++i) {
            if (payloads[i].length > MAX_PAYLOAD_BYTES) revert TooLong(payloads[i].length, MAX_PAYLOAD_BYTES);
            if (targets[i] == address(this) && !_isSelfCallAllowed(bytes4(payloads[i]))) {
                revert ForbiddenSelfCall(i, bytes4(payloads[i]));
            }
        }
    }

    /// @dev Everything the council may change about itself.
    function _isSelfCallAllowed(bytes4 selector) private pure returns (bool) {
        return
            selector == this.addMember.selector ||
            selector == this.removeMember.selector ||
            selector == this.replaceMember.selector ||
            selector == this.setThreshold.selector ||
            selector == this.setEmergencyQuorum.selector ||
            selector == this.updateDelay.selector;
    }

    /// @dev The description becomes part of the operation's id.
    function _operationSalt(bytes32 salt, string calldata description) private pure returns (bytes32) {
        return keccak256(abi.encode(salt, keccak256(bytes(description))));
    }

    /// @dev See {MIN_DELAY_SECONDS} and {MAX_DELAY_SECONDS}.
    function _requireDelay(uint256 delay) private pure {
        if (delay < MIN_DELAY_SECONDS || delay > MAX_DELAY_SECONDS) {
            revert InvalidDelay(delay, MIN_DELAY_SECONDS, MAX_DELAY_SECONDS);
        }
    }
}
