// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AlgorithmRegistry} from "../../../contracts/data-sharing/AlgorithmRegistry.sol";
import {TrustCouncil} from "../../../contracts/trust-framework/TrustCouncil.sol";
import {TrustFramework} from "../../../contracts/trust-framework/TrustFramework.sol";
import {LoneMember} from "../support/LoneMember.sol";

/// @notice No single council member, and nobody outside, changes anything.
contract TrustCouncilTest {
    LoneMember private _lone;
    bytes32 private _before;

    function setUp() external {
        address[] memory members = new address[](5);
        for (uint160 i = 0; i < 5; ++i) members[i] = address(0x1000 + i);
        TrustCouncil council = new TrustCouncil(members, 3, 2, 1 hours);
        TrustFramework framework = new TrustFramework(address(council));
        AlgorithmRegistry registry = new AlgorithmRegistry(framework, address(council), 2);
        _lone = new LoneMember(council, framework, registry);
        _before = _lone.fingerprint();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_lone);
    }

    /// @dev Members, threshold, quorum, delay, roles, frameworks, recognition, certifications, suspensions, incidents and
    /// algorithms stay as they were.
    function invariant_noSingleMemberChangesAnything() external view {
        assert(_lone.fingerprint() == _before);
    }
}
