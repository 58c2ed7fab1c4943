// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ITrustFramework} from "./ITrustFramework.sol";

/// @title IEmergencySuspension
/// @notice The one thing that a smaller quorum can do, and at once: suspend a certified member.
/// @dev Lifting a suspension takes the whole threshold and the delay. WARNING: a dishonest emergency quorum can
/// suspend honest members, again and again; the remedy is that the council replaces those who vote so.
interface IEmergencySuspension {
    /// @notice A council member voted to suspend.
    event SuspensionVoted(
        ITrustFramework indexed framework,
        address indexed member,
        address indexed voter,
        bytes32 reason,
        uint256 votes
    );
    /// @notice A council member took its vote back.
    event SuspensionVoteWithdrawn(ITrustFramework indexed framework, address indexed member, address indexed voter);
    /// @notice The emergency quorum was reached; the framework was told in the same transaction.
    event EmergencySuspension(ITrustFramework indexed framework, address indexed member, bytes32 reason);

    /// @notice The voter's earlier vote still counts.
    error AlreadyVoted(address framework, address member, address voter);
    /// @notice There is no vote to take back.
    error NotVoted(address framework, address member, address voter);
    /// @notice The framework does not obey this council.
    error FrameworkOfAnotherCouncil(address framework, address council);

    /// @notice Votes to suspend `member` of `framework`. The vote that completes the emergency quorum suspends at once,
    /// with its reason; the reasons of the other votes are in their events. Council members only.
    /// @dev Votes expire after seven days and are used up by the suspension. If the framework refuses (unknown or already
    /// suspended member), the completing vote reverts.
    function suspend(ITrustFramework framework, address member, bytes32 reason) external;

    /// @notice Takes the caller's vote back, as long as the quorum has not been reached.
    function withdrawSuspensionVote(ITrustFramework framework, address member) external;

    /// @notice Votes that count now: by seated members, not expired, not used up.
    function suspensionVotes(ITrustFramework framework, address member) external view returns (uint256);
}
