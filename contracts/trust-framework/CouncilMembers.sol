// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";
import {ICouncilMembers} from "./ICouncilMembers.sol";

/// @title CouncilMembers
/// @notice See {ICouncilMembers}.
/// @dev A member's term is a number that no earlier seat had, so that what somebody approved before leaving does not
/// revive when it is seated again.
abstract contract CouncilMembers is ICouncilMembers {
    using EnumerableSet for EnumerableSet.AddressSet;

    /// @notice Bounds each loop over members: 32 cold reads stay below 100,000 gas.
    uint256 public constant MAX_MEMBERS = 32;

    /// @inheritdoc ICouncilMembers
    uint256 public threshold;
    /// @inheritdoc ICouncilMembers
    uint256 public emergencyQuorum;

    EnumerableSet.AddressSet private _members;
    mapping(address member => uint256 term) private _termOf;
    uint256 private _lastTerm;

    /// @dev For changes which only an executed proposal may make.
    modifier onlySelf() {
        if (msg.sender != address(this)) revert OnlyCouncilItself(msg.sender);
        _;
    }

    /// @dev For what each member does in its own name.
    modifier onlyMember() {
        if (!isMember(msg.sender)) revert NotMember(msg.sender);
        _;
    }

    /// @dev Refuses duplicates and every setting in which one key would suffice.
    constructor(address[] memory initialMembers, uint256 initialThreshold, uint256 initialQuorum) {
        for (uint256 i = 0; i < initialMembers.length; ++i) _seat(initialMembers[i]);
        threshold = initialThreshold;
        emergencyQuorum = initialQuorum;
        _requireInvariants();
        emit ThresholdChanged(0, initialThreshold);
        emit EmergencyQuorumChanged(0, initialQuorum);
    }

    /// @inheritdoc ICouncilMembers
    function addMember(address member) external onlySelf {
        _seat(member);
    }

    /// @inheritdoc ICouncilMembers
    function removeMember(address member) external onlySelf {
        _unseat(member);
        _requireInvariants();
    }

    /// @inheritdoc ICouncilMembers
    function replaceMember(address oldMember, address newMember) external onlySelf {
        _unseat(oldMember);
        _seat(newMember);
    }

    /// @inheritdoc ICouncilMembers
    function setThreshold(uint256 newThreshold) external onlySelf {
        emit ThresholdChanged(threshold, newThreshold);
        threshold = newThreshold;
        _requireInvariants();
    }

    /// @inheritdoc ICouncilMembers
    function setEmergencyQuorum(uint256 newQuorum) external onlySelf {
        emit EmergencyQuorumChanged(emergencyQuorum, newQuorum);
        emergencyQuorum = newQuorum;
        _requireInvariants();
    }

    /// @inheritdoc ICouncilMembers
    function isMember(address account) public view returns (bool) {
        return _members.contains(account);
    }

    /// @inheritdoc ICouncilMembers
    function memberCount() public view returns (uint256) {
        return _members.length();
    }

    /// @inheritdoc ICouncilMembers
    function members() public view returns (address[] memory) {
        return _members.values();
    }

    /// @dev The number of the term that `account` is serving, zero if it holds no seat.
    function _currentTerm(address account) internal view returns (uint256) {
        return isMember(account) ? _termOf[account] : 0;
    }

    /// @dev Seats `member` under a fresh term.
    function _seat(address member) private {
        if (member == address(0) || member == address(this)) revert InvalidMember(member);
        if (memberCount() == MAX_MEMBERS) revert TooManyMembers(MAX_MEMBERS + 1, MAX_MEMBERS);
        if (!_members.add(member)) revert AlreadyMember(member);
        _termOf[member] = ++_lastTerm;
        emit MemberAdded(member);
    }

    /// @dev Unseats `member`; the caller restores the invariants.
    function _unseat(address member) private {
        if (!_members.remove(member)) revert NotMember(member);
        emit MemberRemoved(member);
    }

    /// @dev 1 < threshold <= members and 1 < emergencyQuorum <= threshold.
    function _requireInvariants() private view {
        if (threshold < 2 || threshold > memberCount()) revert InvalidThreshold(threshold, memberCount());
        if (emergencyQuorum < 2 || emergencyQuorum > threshold) {
            revert InvalidEmergencyQuorum(emergencyQuorum, threshold);
        }
    }
}
