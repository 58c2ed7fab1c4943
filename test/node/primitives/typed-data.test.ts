import { expect } from "chai";
import { transcriptStruct } from "../../../node/ledger/audit-entry.ts";
import { isCanonicalSignature, signerOf } from "../../../node/primitives/typed-data.ts";
import { testDeployment, WalletSigner } from "../../support/wallet-signer.ts";

const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const hash = `0x${"ab".repeat(32)}`;

describe("typed signatures", () => {
  it("name their signer", async () => {
    const signer = new WalletSigner();
    const struct = transcriptStruct(testDeployment, hash);
    expect(signerOf(struct, await signer.sign(struct))).to.equal(signer.address);
  });

  it("do not hold for another chain, other contracts or another message", async () => {
    const signer = new WalletSigner();
    const signature = await signer.sign(transcriptStruct(testDeployment, hash));
    const otherChain = { ...testDeployment, chainId: 1 };
    const contracts = { ...testDeployment.contracts, auditAnchor: `0x${"09".repeat(20)}` };
    const others = [
      transcriptStruct(otherChain, hash),
      transcriptStruct({ ...testDeployment, contracts }, hash),
      transcriptStruct(testDeployment, `0x${"ac".repeat(32)}`),
    ];
    for (const other of others) expect(signerOf(other, signature)).to.not.equal(signer.address);
  });

  it("have one encoding: the mirrored signature of the same signer is refused", async () => {
    const signer = new WalletSigner();
    const struct = transcriptStruct(testDeployment, hash);
    const signature = await signer.sign(struct);
    const mirroredS = order - BigInt(`0x${signature.slice(66, 130)}`);
    const mirroredV = signature.endsWith("1b") ? "1c" : "1b";
    const mirrored = `${signature.slice(0, 66)}${mirroredS.toString(16).padStart(64, "0")}${mirroredV}`;
    for (const wrong of [
      mirrored,
      signature.toUpperCase().replace("0X", "0x"),
      signature.slice(0, -2),
      `${signature}00`,
      `${signature.slice(0, -2)}01`,
    ]) {
      expect(isCanonicalSignature(wrong), wrong).to.equal(false);
      expect(signerOf(struct, wrong)).to.equal(undefined);
    }
  });
});
