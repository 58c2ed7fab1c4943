// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import {BlockHistory} from "../ledger/BlockHistory.sol";
import {CouncilGoverned} from "./CouncilGoverned.sol";
import {IFrameworks} from "./IFrameworks.sol";

/// @title Frameworks
/// @notice See {IFrameworks}.
abstract contract Frameworks is CouncilGoverned, IFrameworks {
    using Checkpoints for Checkpoints.Trace208;

    /// @notice eIDAS knows 3 levels of assurance, NIST SP 800-63 3, ISO/IEC 29115 4.
    uint256 public constant MAX_LEVELS = 8;
    /// @notice The length that browsers and servers agree on is 2,048; documents need far less.
    uint256 public constant MAX_URI_BYTES = 512;

    bytes32[] private _frameworkIds;
    mapping(bytes32 frameworkId => Framework) private _frameworks;
    mapping(bytes32 from => mapping(bytes32 to => Checkpoints.Trace208)) private _gradeCaps;

    /// @inheritdoc IFrameworks
    function registerFramework(bytes32 frameworkId, Framework calldata framework) external onlyCouncil {
        if (_exists(frameworkId)) revert FrameworkExists(frameworkId);
        uint256 levels = framework.levels.length;
        if (frameworkId == 0 || levels == 0 || levels > MAX_LEVELS) revert InvalidFramework(frameworkId);
        _requireRules(frameworkId, framework.rulesHash, framework.rulesUri);
        _frameworks[frameworkId] = framework;
        _frameworkIds.push(frameworkId);
        emit FrameworkRegistered(
            frameworkId,
            framework.rulesHash,
            framework.rulesUri,
            framework.jurisdiction,
            framework.levels
        );
    }

    /// @inheritdoc IFrameworks
    function changeRules(
        bytes32 frameworkId,
        bytes32 rulesHash,
        string calldata rulesUri
    ) external onlyCouncil {
        _requireFramework(frameworkId);
        _requireRules(frameworkId, rulesHash, rulesUri);
        Framework storage framework = _frameworks[frameworkId];
        emit RulesChanged(frameworkId, framework.rulesHash, rulesHash, rulesUri);
        framework.rulesHash = rulesHash;
        framework.rulesUri = rulesUri;
    }

    /// @inheritdoc IFrameworks
    function recognise(bytes32 from, bytes32 to, uint8 gradeCap) external onlyCouncil {
        _requireFramework(from);
        _requireGrade(to, gradeCap);
        if (from == to || gradeCap == 0) revert InvalidRecognition(from, to, gradeCap);
        _gradeCaps[from][to].push(BlockHistory.current(), gradeCap);
        emit Recognised(from, to, gradeCap);
    }

    /// @inheritdoc IFrameworks
    function withdrawRecognition(bytes32 from, bytes32 to) external onlyCouncil {
        if (_gradeCaps[from][to].latest() == 0) revert NotRecognised(from, to);
        _gradeCaps[from][to].push(BlockHistory.current(), 0);
        emit RecognitionWithdrawn(from, to);
    }

    /// @inheritdoc IFrameworks
    function gradeCapOf(bytes32 from, bytes32 to) external view returns (uint8) {
        if (from == to) return type(uint8).max;
        return uint8(_gradeCaps[from][to].latest());
    }

    /// @inheritdoc IFrameworks
    function gradeCapAt(bytes32 from, bytes32 to, uint48 blockNumber) external view returns (uint8) {
        BlockHistory.requireMined(blockNumber);
        if (from == to) return type(uint8).max;
        return uint8(_gradeCaps[from][to].upperLookupRecent(blockNumber));
    }

    /// @inheritdoc IFrameworks
    function frameworkOf(bytes32 frameworkId) external view returns (Framework memory) {
        return _frameworks[frameworkId];
    }

    /// @inheritdoc IFrameworks
    function frameworkCount() external view returns (uint256) {
        return _frameworkIds.length;
    }

    /// @inheritdoc IFrameworks
    function frameworkAt(uint256 index) external view returns (bytes32) {
        return _frameworkIds[index];
    }

    /// @dev The framework exists and has this grade; grade 0 is "none" and always allowed.
    function _requireGrade(bytes32 frameworkId, uint8 grade) internal view {
        _requireFramework(frameworkId);
        if (grade > _frameworks[frameworkId].levels.length) revert InvalidFramework(frameworkId);
    }

    /// @dev The framework exists.
    function _requireFramework(bytes32 frameworkId) private view {
        if (!_exists(frameworkId)) revert UnknownFramework(frameworkId);
    }

    /// @dev A registered framework has at least one level.
    function _exists(bytes32 frameworkId) private view returns (bool) {
        return _frameworks[frameworkId].levels.length != 0;
    }

    /// @dev A rules document is named by its hash; the address may be empty.
    function _requireRules(bytes32 frameworkId, bytes32 rulesHash, string calldata rulesUri) private pure {
        if (rulesHash == 0 || bytes(rulesUri).length > MAX_URI_BYTES) revert InvalidFramework(frameworkId);
    }
}
