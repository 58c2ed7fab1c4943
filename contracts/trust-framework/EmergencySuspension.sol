// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {CouncilMembers} from "./CouncilMembers.sol";
import {IEmergencySuspension} from "./IEmergencySuspension.sol";
import {ITrustFramework} from "./ITrustFramework.sol";

/// @title EmergencySuspension
/// @notice See {IEmergencySuspension}.
abstract contract EmergencySuspension is CouncilMembers, IEmergencySuspension {
    /// @notice An emergency is settled within a week or it takes the ordinary path; stale votes must not add up.
    uint256 public constant VOTE_LIFETIME_SECONDS = 7 days;

    struct Vote {
        uint256 term;
        uint256 votedAt;
    }

    mapping(ITrustFramework framework => mapping(address member => mapping(address voter => Vote))) private _votes;

    /// @inheritdoc IEmergencySuspension
    function suspend(ITrustFramework framework, address member, bytes32 reason) external onlyMember {
        address governor = framework.council();
        if (governor != address(this)) revert FrameworkOfAnotherCouncil(address(framework), governor);
        if (_voteCounts(framework, member, msg.sender)) {
            revert AlreadyVoted(address(framework), member, msg.sender);
        }
        _votes[framework][member][msg.sender] = Vote(_currentTerm(msg.sender), block.timestamp);
        uint256 votes = suspensionVotes(framework, member);
        emit SuspensionVoted(framework, member, msg.sender, reason, votes);
        if (votes < emergencyQuorum) return;
        _useUpVotes(framework, member);
        emit EmergencySuspension(framework, member, reason);
        framework.suspend(member, reason);
    }

    /// @inheritdoc IEmergencySuspension
    function withdrawSuspensionVote(ITrustFramework framework, address member) external onlyMember {
        if (!_voteCounts(framework, member, msg.sender)) {
            revert NotVoted(address(framework), member, msg.sender);
        }
        delete _votes[framework][member][msg.sender];
        emit SuspensionVoteWithdrawn(framework, member, msg.sender);
    }

    /// @inheritdoc IEmergencySuspension
    function suspensionVotes(ITrustFramework framework, address member) public view returns (uint256 votes) {
        address[] memory seated = members();
        for (uint256 i = 0; i < seated.length; ++i) {
            if (_voteCounts(framework, member, seated[i])) ++votes;
        }
    }

    /// @dev A vote counts in the term in which it was given, for its lifetime.
    function _voteCounts(ITrustFramework framework, address member, address voter) private view returns (bool) {
        Vote storage vote = _votes[framework][member][voter];
        return
            vote.term != 0 &&
            vote.term == _currentTerm(voter) &&
            block.timestamp < vote.votedAt + VOTE_LIFETIME_SECONDS;
    }

    /// @dev Suspending again after a reinstatement takes fresh votes.
    function _useUpVotes(ITrustFramework framework, address member) private {
        address[] memory seated = members();
        for (uint256 i = 0; i < seated.length; ++i) delete _votes[framework][member][seated[i]];
    }
}
