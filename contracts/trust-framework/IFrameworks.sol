// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title IFrameworks
/// @notice Legal trust frameworks: rules documents with levels of assurance, and which of them honours which other.
/// @dev WARNING: the chain holds hashes and addresses of documents; whether a document is good law is for its readers.
interface IFrameworks {
    /// @notice `levels` are the names of the levels of assurance, lowest first; grade n is `levels[n - 1]`.
    struct Framework {
        bytes32 rulesHash;
        string rulesUri;
        bytes32 jurisdiction;
        bytes32[] levels;
    }

    /// @notice A framework was registered.
    event FrameworkRegistered(
        bytes32 indexed frameworkId,
        bytes32 rulesHash,
        string rulesUri,
        bytes32 indexed jurisdiction,
        bytes32[] levels
    );
    /// @notice The rules document of a framework was replaced.
    event RulesChanged(bytes32 indexed frameworkId, bytes32 oldRulesHash, bytes32 rulesHash, string rulesUri);
    /// @notice Grades issued under `from` now count under `to`, up to `gradeCap`.
    event Recognised(bytes32 indexed from, bytes32 indexed to, uint8 gradeCap);
    /// @notice Grades issued under `from` no longer count under `to`.
    event RecognitionWithdrawn(bytes32 indexed from, bytes32 indexed to);

    /// @notice There is no framework of this id.
    error UnknownFramework(bytes32 frameworkId);
    /// @notice The id is taken.
    error FrameworkExists(bytes32 frameworkId);
    /// @notice An id and a rules hash are not zero; there are 1 to 8 levels; the URI is not too long.
    error InvalidFramework(bytes32 frameworkId);
    /// @notice A cap is a grade of the recognising framework; a framework does not recognise itself.
    error InvalidRecognition(bytes32 from, bytes32 to, uint8 gradeCap);
    /// @notice There is no such recognition to withdraw.
    error NotRecognised(bytes32 from, bytes32 to);

    /// @notice Registers a framework. Council only. Jurisdiction and levels are fixed from then on.
    function registerFramework(bytes32 frameworkId, Framework calldata framework) external;

    /// @notice Replaces the rules document. Council only.
    /// @dev WARNING: certifications stay valid; whether the new rules ask for new ones is the council's decision.
    function changeRules(bytes32 frameworkId, bytes32 rulesHash, string calldata rulesUri) external;

    /// @notice Lets grades issued under `from` count under `to`, up to `gradeCap`. Council only. One way, not transitive.
    /// A second call replaces the cap.
    function recognise(bytes32 from, bytes32 to, uint8 gradeCap) external;

    /// @notice Ends the recognition. Council only.
    function withdrawRecognition(bytes32 from, bytes32 to) external;

    /// @notice The highest grade issued under `from` that counts under `to`: 0 if none, 255 (no cap) if they are the same.
    function gradeCapOf(bytes32 from, bytes32 to) external view returns (uint8);

    /// @notice {gradeCapOf} at the end of a mined block.
    function gradeCapAt(bytes32 from, bytes32 to, uint48 blockNumber) external view returns (uint8);

    /// @notice The framework, all empty if there is none of this id.
    function frameworkOf(bytes32 frameworkId) external view returns (Framework memory);

    /// @notice Number of frameworks.
    function frameworkCount() external view returns (uint256);

    /// @notice Id of the framework at `index`, in order of registration.
    function frameworkAt(uint256 index) external view returns (bytes32);
}
