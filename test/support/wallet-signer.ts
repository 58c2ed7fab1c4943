/** A signer over a key made for one test. */
import { Wallet } from "ethers";
import type { Deployment } from "../../node/ledger/deployment.ts";
import type { Signer } from "../../node/ledger/ports.ts";
import type { Hex } from "../../node/primitives/hex.ts";
import type { TypedStruct } from "../../node/primitives/typed-data.ts";

export class WalletSigner implements Signer {
  readonly #wallet = Wallet.createRandom();

  get address(): Hex {
    return this.#wallet.address.toLowerCase();
  }

  async sign({ domain, types, message }: TypedStruct): Promise<Hex> {
    return await this.#wallet.signTypedData(domain, types, message);
  }
}

export const testDeployment: Deployment = {
  chainId: 31337,
  contracts: {
    trustCouncil: `0x${"01".repeat(20)}`,
    trustFramework: `0x${"02".repeat(20)}`,
    algorithmRegistry: `0x${"03".repeat(20)}`,
    repositoryDirectory: `0x${"04".repeat(20)}`,
    auditAnchor: `0x${"05".repeat(20)}`,
  },
};
