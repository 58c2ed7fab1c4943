// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ICouncilMembers} from "./ICouncilMembers.sol";
import {IEmergencySuspension} from "./IEmergencySuspension.sol";

/// @title ITrustCouncil
/// @notice The distributed trust authority: what a threshold of members approves happens after a delay, and nothing
/// else happens, but for the emergency suspension.
/// @dev Proposal ids are the operation ids of OpenZeppelin's TimelockController, which this contract is.
/// WARNING: a threshold of dishonest members can do anything after the delay; the delay is the public's time to see it.
interface ITrustCouncil is ICouncilMembers, IEmergencySuspension {
    /// @notice Pending: too few approvals by seated members. Waiting: enough, the delay runs. Ready: anyone may execute.
    enum ProposalState {
        None,
        Pending,
        Waiting,
        Ready,
        Executed,
        Expired
    }

    /// @notice All that a member needs to see before approving. `readyAt` and `expiresAt` are seconds; `readyAt` is zero
    /// until scheduled and stays after execution. `approvers` are seated members only.
    struct ProposalView {
        bytes32 id;
        address proposer;
        string description;
        address[] targets;
        uint256[] values;
        bytes[] payloads;
        bytes32 salt;
        address[] approvers;
        ProposalState state;
        uint48 createdAt;
        uint48 readyAt;
        uint48 expiresAt;
    }

    /// @notice A proposal was made; its actions are in the storage of the contract ({proposalOf}).
    event ProposalCreated(bytes32 indexed id, address indexed proposer, string description);
    /// @notice A member approved; `approvals` counts those of seated members.
    event ProposalApproved(bytes32 indexed id, address indexed member, uint256 approvals);
    /// @notice A member took its approval back.
    event ProposalApprovalWithdrawn(bytes32 indexed id, address indexed member, uint256 approvals);
    /// @notice The threshold was reached; the delay runs until `readyAt`.
    event ProposalScheduled(bytes32 indexed id, uint256 readyAt);
    /// @notice All actions of the proposal were carried out.
    event ProposalExecuted(bytes32 indexed id);

    /// @notice The same actions with the same salt and description were proposed before, whatever became of them.
    error ProposalExists(bytes32 id);
    /// @notice The proposal is not in a state that allows this.
    error UnexpectedProposalState(bytes32 id, ProposalState state);
    /// @notice The member approved already.
    error AlreadyApproved(bytes32 id, address member);
    /// @notice The member has no approval to take back.
    error NotApproved(bytes32 id, address member);
    /// @notice A proposal carries 1 to 16 actions, and as many targets as values and payloads.
    error InvalidActions(uint256 targets, uint256 values, uint256 payloads);
    /// @notice A text or payload is longer than what members can be expected to read.
    error TooLong(uint256 length, uint256 max);
    /// @notice The council may change its members, numbers and delay, but not its own machinery.
    error ForbiddenSelfCall(uint256 index, bytes4 selector);
    /// @notice The delay must stay within its bounds, so that it protects and can still be changed.
    error InvalidDelay(uint256 delaySeconds, uint256 minSeconds, uint256 maxSeconds);

    /// @notice Proposes actions and approves them in the proposer's name. Members only.
    /// @param salt Any value; a different one lets the same actions be proposed again.
    /// @param description Part of the id, so nobody can put the same actions under another text.
    function propose(
        address[] calldata targets,
        uint256[] calldata values,
        bytes[] calldata payloads,
        bytes32 salt,
        string calldata description
    ) external returns (bytes32 id);

    /// @notice Approves. When the approvals of seated members reach the threshold, the delay starts; if they had fallen
    /// below it meanwhile, it starts anew. Members only.
    function approve(bytes32 id) external;

    /// @notice Takes an approval back; below the threshold a proposal cannot be executed. Members only.
    function withdrawApproval(bytes32 id) external;

    /// @notice Carries a ready proposal out. Anyone. All actions succeed or none does.
    /// @dev Ether sent along stays with the council unless the actions spend it.
    function execute(bytes32 id) external payable;

    /// @notice Number of proposals ever made.
    function proposalCount() external view returns (uint256);

    /// @notice Id of the proposal at `index`, in order of creation.
    function proposalAt(uint256 index) external view returns (bytes32 id);

    /// @notice The whole proposal. All fields are empty and the state is None for an unknown id.
    function proposalOf(bytes32 id) external view returns (ProposalView memory);

    /// @notice Where the proposal stands now. Falls back to Pending when approvals no longer suffice.
    function stateOf(bytes32 id) external view returns (ProposalState);

    /// @notice Approvals by members seated now, given in their present term.
    function approvalCount(bytes32 id) external view returns (uint256);

    /// @notice Whether `member` is seated and approved in its present term.
    function hasApproved(bytes32 id, address member) external view returns (bool);

    /// @notice The id that {propose} would give.
    function hashProposal(
        address[] calldata targets,
        uint256[] calldata values,
        bytes[] calldata payloads,
        bytes32 salt,
        string calldata description
    ) external view returns (bytes32);
}
