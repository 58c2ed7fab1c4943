// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @title BlockHistory
/// @notice What "at block N" means everywhere in this house: the state after the last transaction of block N.
/// @dev Several changes inside one block leave one checkpoint, the last; the values in between are in the events only.
/// An answer about a mined block never changes again, which is why the current block is refused: a later transaction
/// of the same block could still change it. On nodes where `eth_call` runs with the number of the newest block, that
/// block can be asked about from the next block on.
library BlockHistory {
    /// @notice The block asked about has not been mined, so its state is not decided yet.
    error BlockNotYetMined(uint48 blockNumber, uint256 currentBlock);

    /// @dev The key under which a change made now is recorded.
    function current() internal view returns (uint48) {
        return SafeCast.toUint48(block.number);
    }

    /// @dev Reverts unless the state of `blockNumber` is final.
    /// WARNING: final for the EVM; reorganisations of the chain below are not seen from here.
    function requireMined(uint48 blockNumber) internal view {
        if (blockNumber >= block.number) revert BlockNotYetMined(blockNumber, block.number);
    }
}
