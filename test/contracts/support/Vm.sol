// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Vm
/// @notice The cheat codes of Hardhat's Solidity tests that are used here.
interface Vm {
    /// @notice The next call comes from `sender`.
    function prank(address sender) external;

    /// @notice Sets `block.timestamp`.
    function warp(uint256 timestamp) external;

    /// @notice Sets `block.number`.
    function roll(uint256 blockNumber) external;

    /// @notice The account of a private key.
    function addr(uint256 privateKey) external pure returns (address);

    /// @notice Signs a digest.
    function sign(uint256 privateKey, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);

    /// @notice Gives up a fuzz run whose inputs do not fit.
    function assume(bool condition) external pure;

    /// @notice The next call must revert with exactly these bytes.
    function expectRevert(bytes calldata revertData) external;
}

/// @dev keccak256("hevm cheat code"), the address at which the runner listens.
Vm constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);
