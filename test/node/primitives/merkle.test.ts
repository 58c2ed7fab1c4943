import { expect } from "chai";
import fc from "fast-check";
import { leafHash, MerkleTree, rootFromInclusionProof } from "../../../node/primitives/merkle.ts";

// The leaves and roots of the reference implementation of RFC 6962 (certificate-transparency, merkle_tree_test).
const leaves = [
  "",
  "00",
  "10",
  "2021",
  "3031",
  "40414243",
  "5051525354555657",
  "606162636465666768696a6b6c6d6e6f",
];
const roots = [
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

function treeOf(count: number): MerkleTree {
  const tree = new MerkleTree();
  for (let i = 0; i < count; i++) tree.append(leafHash(Buffer.from(`leaf ${i}`)));
  return tree;
}

describe("the Merkle tree of RFC 6962", () => {
  it("has the published roots", () => {
    const tree = new MerkleTree();
    expect(hex(tree.root())).to.equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    leaves.forEach((leaf, i) => {
      tree.append(leafHash(Buffer.from(leaf, "hex")));
      expect(hex(tree.root())).to.equal(roots[i]);
    });
  });

  it("proves the inclusion of every leaf of every small tree", () => {
    for (let size = 1; size <= 65; size++) {
      const tree = treeOf(size);
      for (let index = 0; index < size; index++) {
        const root = rootFromInclusionProof(
          leafHash(Buffer.from(`leaf ${index}`)),
          index,
          size,
          tree.inclusionProof(index),
        );
        expect(root && hex(root), `leaf ${index} of ${size}`).to.equal(hex(tree.root()));
      }
    }
  });

  it("leads to another root, or none, for a wrong leaf, a wrong place or a changed path", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 200 }),
        fc.nat(),
        fc.nat(),
        fc.nat(255),
        (size, seed, place, flip) => {
          const tree = treeOf(size);
          const index = seed % size;
          const leaf = leafHash(Buffer.from(`leaf ${index}`));
          const path = tree.inclusionProof(index);
          const root = hex(tree.root());
          const differs = (found: Uint8Array | undefined) => expect(found && hex(found)).to.not.equal(root);
          differs(rootFromInclusionProof(leafHash(Buffer.from("other")), index, size, path));
          differs(rootFromInclusionProof(leaf, (index + 1 + (place % (size - 1))) % size, size, path));
          differs(rootFromInclusionProof(leaf, index, size, path.slice(1)));
          differs(rootFromInclusionProof(leaf, index, size, [...path, leaf]));
          const changed = path.map((hash) => Uint8Array.from(hash));
          changed[place % changed.length]![flip % 32]! ^= 1 << (flip % 8);
          differs(rootFromInclusionProof(leaf, index, size, changed));
        },
      ),
    );
  });

  it("does not let an inner node pass for a leaf", () => {
    const tree = treeOf(2);
    const inner = Buffer.concat([leafHash(Buffer.from("leaf 0")), leafHash(Buffer.from("leaf 1"))]);
    expect(hex(leafHash(inner))).to.not.equal(hex(tree.root()));
  });
});
