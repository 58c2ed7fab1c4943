// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AuditAnchor} from "../../../contracts/ledger/AuditAnchor.sol";
import {IAuditAnchor} from "../../../contracts/ledger/IAuditAnchor.sol";
import {vm} from "../support/Vm.sol";

/// @notice Three parties anchor, rightly and wrongly, in any order. Beside the contract stands the simplest model of an
/// append-only log: an array of links to which the handler only ever pushes.
contract AnchoringParties {
    uint256 public constant PARTIES = 3;
    AuditAnchor public immutable anchor = new AuditAnchor();
    /// @notice Calls whose outcome was not the model's; must stay zero.
    uint256 public surprises;

    mapping(uint256 party => bytes32[]) private _links;

    function partyAt(uint256 index) public pure returns (address) {
        return address(uint160(0xA11CE + index));
    }

    function links(uint256 party) external view returns (bytes32[] memory) {
        return _links[party];
    }

    /// @notice The next batch, as it should be.
    function append(uint8 party, bytes32 root, uint64 count, uint8 lines, uint8 blocks) external {
        uint256 p = party % PARTIES;
        vm.roll(block.number + blocks % 3);
        _try(p, uint64(_links[p].length + 1), _last(p), root, count, new bytes(uint256(lines % 4) * 48));
    }

    /// @notice A sequence near the right one, with one of the links that exist (of any party), or none.
    function guess(uint8 party, uint8 sequence, uint8 otherParty, uint8 link, bytes32 root) external {
        uint256 p = party % PARTIES;
        bytes32[] storage candidates = _links[otherParty % PARTIES];
        uint256 i = link % (candidates.length + 1);
        bytes32 previous = i == candidates.length ? bytes32(0) : candidates[i];
        _try(p, uint64(sequence % (_links[p].length + 3)), previous, root, 1, "");
    }

    /// @notice Anything.
    function garble(uint8 party, uint64 sequence, bytes32 previous, bytes32 root, bytes calldata budgets) external {
        _try(party % PARTIES, sequence, previous, root, 1, budgets);
    }

    function _try(
        uint256 p,
        uint64 sequence,
        bytes32 previous,
        bytes32 root,
        uint64 count,
        bytes memory budgets
    ) private {
        bool right = sequence == _links[p].length + 1 && previous == _last(p) && budgets.length % 48 == 0;
        bytes32 expected = keccak256(
            abi.encode(partyAt(p), sequence, previous, root, count, keccak256(budgets), uint64(block.number))
        );
        vm.prank(partyAt(p));
        try anchor.anchor(sequence, previous, root, count, budgets) returns (bytes32 link) {
            if (!right || link != expected) ++surprises;
            _links[p].push(link);
        } catch {
            if (right) ++surprises;
        }
    }

    function _last(uint256 p) private view returns (bytes32) {
        uint256 length = _links[p].length;
        return length == 0 ? bytes32(0) : _links[p][length - 1];
    }
}

/// @notice Anchors are append-only.
contract AuditAnchorTest {
    AnchoringParties private _parties;
    AuditAnchor private _anchor;

    function setUp() external {
        _parties = new AnchoringParties();
        _anchor = _parties.anchor();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_parties);
    }

    /// @dev Sequence +1 on the matching link is taken, everything else is refused.
    function invariant_acceptsExactlyTheNextLink() external view {
        assert(_parties.surprises() == 0);
    }

    /// @dev Every link ever anchored still stands, nothing stands beyond the last, and the search finds the last.
    function invariant_neverChangesALink() external view {
        for (uint256 p = 0; p < _parties.PARTIES(); ++p) {
            address party = _parties.partyAt(p);
            bytes32[] memory links = _parties.links(p);
            for (uint64 i = 0; i < links.length; ++i) assert(_anchor.linkOf(party, i + 1) == links[i]);
            assert(_anchor.linkOf(party, 0) == 0);
            assert(_anchor.linkOf(party, uint64(links.length) + 1) == 0);
            assert(_anchor.latestSequence(party) == links.length);
        }
    }

    function testFuzz_refusesAFirstBatchThatIsNotTheFirst(uint64 sequence, bytes32 previous) external {
        vm.assume(sequence != 1 || previous != 0);
        try _anchor.anchor(sequence, previous, "root", 1, "") {
            assert(false);
        } catch {}
        assert(_anchor.latestSequence(address(this)) == 0);
    }

    function testFuzz_verifiesWhatWasAnchoredAndNothingElse(
        bytes32 root,
        uint64 count,
        uint8 lines,
        uint64 number,
        uint8 field,
        uint64 change
    ) external {
        vm.assume(change != 0 && number > 0);
        vm.roll(number);
        bytes memory budgets = new bytes(uint256(lines % 8) * 48);
        _anchor.anchor(1, 0, root, count, budgets);
        assert(_anchor.verify(address(this), 1, 0, root, count, budgets, number));

        uint256 f = field % 7;
        address party = f == 0 ? address(uint160(address(this)) ^ change) : address(this);
        uint64 sequence = f == 1 ? 1 ^ change : 1;
        bytes32 previous = f == 2 ? bytes32(uint256(change)) : bytes32(0);
        if (f == 3) root ^= bytes32(uint256(change));
        if (f == 4) count ^= change;
        if (f == 5) budgets = bytes.concat(budgets, bytes8(change));
        if (f == 6) number ^= change;
        assert(!_anchor.verify(party, sequence, previous, root, count, budgets, number));
    }

    function testFuzz_takesWholeBudgetLinesOnly(uint16 length) external {
        bool right = length % 48 == 0 && length <= _anchor.MAX_BUDGETS_BYTES();
        if (!right) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    IAuditAnchor.InvalidBudgetsLength.selector,
                    uint256(length),
                    _anchor.MAX_BUDGETS_BYTES()
                )
            );
        }
        _anchor.anchor(1, 0, "root", 1, new bytes(length));
    }
}
