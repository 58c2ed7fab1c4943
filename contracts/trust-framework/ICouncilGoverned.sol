// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title ICouncilGoverned
/// @notice A contract that obeys one council, for ever; there is no other key.
interface ICouncilGoverned {
    /// @notice Only the council may do this.
    error OnlyCouncil(address caller);
    /// @notice A council is a contract; a plain key would act alone.
    error CouncilWithoutCode(address council);

    /// @notice The council that governs this contract; it never changes.
    /// @dev WARNING: that it is a TrustCouncil, with a threshold and a delay, is for the reader to check.
    function council() external view returns (address);
}
