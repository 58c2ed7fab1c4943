// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title ICouncilMembers
/// @notice Who sits in the council, and how many of them it takes. Everything here changes only by the council itself,
/// through a proposal that reached the threshold and waited out the delay.
/// @dev Invariants: 1 < threshold <= members <= 32, and 1 < emergencyQuorum <= threshold. So no single key suffices
/// for anything. WARNING: that members are different people in different organisations is not seen from here.
interface ICouncilMembers {
    /// @notice A member took its seat. Its term is new: nothing it approved in an earlier term counts.
    event MemberAdded(address indexed member);
    /// @notice A member left. Its approvals and votes no longer count.
    event MemberRemoved(address indexed member);
    /// @notice The number of approvals needed changed.
    event ThresholdChanged(uint256 oldThreshold, uint256 newThreshold);
    /// @notice The number of members who can suspend at once changed.
    event EmergencyQuorumChanged(uint256 oldQuorum, uint256 newQuorum);

    /// @notice Only the council itself, by an executed proposal, may do this.
    error OnlyCouncilItself(address caller);
    /// @notice The caller holds no seat.
    error NotMember(address account);
    /// @notice The account already holds a seat.
    error AlreadyMember(address account);
    /// @notice The zero address and the council itself cannot hold a seat.
    error InvalidMember(address account);
    /// @notice There is no seat left.
    error TooManyMembers(uint256 count, uint256 max);
    /// @notice The threshold must be above 1 and at most the number of members.
    error InvalidThreshold(uint256 threshold, uint256 memberCount);
    /// @notice The emergency quorum must be above 1 and at most the threshold.
    error InvalidEmergencyQuorum(uint256 quorum, uint256 threshold);

    /// @notice Seats a new member. Council only.
    function addMember(address member) external;

    /// @notice Unseats a member. Council only. Refused if fewer than `threshold` would remain: lower it first, in the
    /// same proposal.
    function removeMember(address member) external;

    /// @notice Unseats one member and seats another. Council only.
    /// @dev Approvals of the old member are not passed on to the new one.
    function replaceMember(address oldMember, address newMember) external;

    /// @notice Changes the number of approvals needed. Council only. Open proposals are measured by the new number.
    function setThreshold(uint256 newThreshold) external;

    /// @notice Changes the number of members who can suspend at once. Council only.
    function setEmergencyQuorum(uint256 newQuorum) external;

    /// @notice Approvals needed, by members seated at the moment of counting.
    function threshold() external view returns (uint256);

    /// @notice Votes needed to suspend a certified member at once.
    function emergencyQuorum() external view returns (uint256);

    /// @notice Whether `account` holds a seat now.
    function isMember(address account) external view returns (bool);

    /// @notice Number of seats taken.
    function memberCount() external view returns (uint256);

    /// @notice All members. The order may change when a member leaves.
    function members() external view returns (address[] memory);
}
