// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AlgorithmRegistry} from "../../../contracts/data-sharing/AlgorithmRegistry.sol";
import {TrustFramework} from "../../../contracts/trust-framework/TrustFramework.sol";
import {VettingModel} from "../support/VettingModel.sol";
import {VettingWorld} from "../support/VettingWorld.sol";

/// @notice An algorithm runs only with living approvals of enough certified vetters of two other control groups, and the
/// contracts remember truly when it did.
contract AlgorithmRegistryTest {
    VettingWorld private _world;
    AlgorithmRegistry private _registry;
    TrustFramework private _framework;

    function setUp() external {
        _world = new VettingWorld();
        _world.open();
        _registry = _world.registry();
        _framework = _world.framework();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_world);
    }

    /// @dev Every step succeeds exactly when the model says so, and the answers about now are the model's.
    function invariant_answersAsTheModelDoes() external {
        _world.settle();
        assert(_world.surprises() == 0);
        for (uint256 a = 0; a < 2; ++a) {
            assert(uint8(_registry.statusOf(_world.hashOf(a))) == uint8(_world.modelStatus(a)));
        }
        for (uint256 v = 0; v < 5; ++v) {
            address vetter = _world.vetterAt(v);
            assert(uint8(_framework.statusOf(vetter, "vetter")) == uint8(_world.modelMember(v)));
        }
    }

    /// @dev Looks at the last blocks after every step, and at all of them now and then.
    function invariant_remembersEveryBlock() external {
        _world.settle();
        uint256 count = _world.momentCount();
        uint256 from = count % 16 == 0 || count < 4 ? 0 : count - 4;
        for (uint256 i = from; i < count; ++i) {
            VettingWorld.Moment memory moment = _world.momentAt(i);
            if (moment.blockNumber < block.number) _compare(moment);
        }
    }

    function _compare(VettingWorld.Moment memory m) private view {
        for (uint256 a = 0; a < m.statuses.length; ++a) {
            AlgorithmRegistry.Status status = _registry.statusAt(_world.hashOf(a), m.blockNumber, m.timestamp);
            assert(uint8(status) == uint8(m.statuses[a]));
        }
        for (uint256 v = 0; v < m.members.length; ++v) {
            address vetter = _world.vetterAt(v);
            TrustFramework.Status status = _framework.statusAt(vetter, "vetter", m.blockNumber, m.timestamp);
            assert(uint8(status) == uint8(m.members[v]));
            assert(uint256(_framework.controlGroupAt(vetter, m.blockNumber)) == m.groups[v]);
            bool active = m.members[v] == VettingModel.Member.Active;
            for (uint256 c = 0; c < 2; ++c) {
                bool covered = _framework.isCertifiedForClassAt(
                    vetter,
                    "vetter",
                    _world.classAt(c),
                    m.blockNumber,
                    m.timestamp
                );
                assert(covered == (active && m.classes[v] & (1 << c) != 0));
            }
        }
    }
}
