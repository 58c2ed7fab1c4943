/** What anchoring a batch costs on the chain: gas of one transaction, for any number of entries, with the lines of three datasets and the one that names the process. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Wallet } from "ethers";
import { openChain } from "../../../node/adapters/ethereum/chain-connection.ts";
import { deployContracts } from "../../../node/adapters/ethereum/deploy.ts";
import { EthereumAnchorWriter } from "../../../node/adapters/ethereum/ethereum-anchor-writer.ts";
import { EthereumLedger } from "../../../node/adapters/ethereum/ethereum-ledger.ts";
import { EthereumSender } from "../../../node/adapters/ethereum/ethereum-sender.ts";
import { startLocalChain } from "../../../node/adapters/local-chain/local-chain.ts";
import { systemClock } from "../../../node/adapters/system-clock.ts";
import { encodeBudgetLines } from "../../../node/ledger/budget-line.ts";
import { sha256Hex, zeroHash } from "../../../node/primitives/hex.ts";

export async function benchAnchor(): Promise<Record<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), "itd-benchmark-"));
  const wallet = new Wallet(Wallet.createRandom().privateKey);
  const address = wallet.address.toLowerCase();
  const accounts = [{ address, balanceWei: 10n ** 21n }];
  const local = await startLocalChain({ folder, accounts, clock: systemClock });
  const council = { threshold: 2, emergencyQuorum: 2, minDelaySeconds: 1, requiredApprovals: 2 };
  const members = [address, `0x${"77".repeat(20)}`];
  const deployment = await deployContracts(local.url, local.chainId, wallet, { members, ...council });
  const chain = openChain({ urls: [local.url], deployment, finalityDepth: 0, pollMs: 20 });
  try {
    const ledger = new EthereumLedger(chain);
    const writer = new EthereumAnchorWriter({
      ledger,
      sender: new EthereumSender({}, { chain, key: wallet }),
    });
    let link = zeroHash;
    let gas = 0;
    for (const sequence of [1, 2]) {
      const datasets = ["wages", "visits", "trips"].map((name) => {
        return { dataset: sha256Hex(name), spent: 5_000_000n, reserved: 1_000_000n };
      });
      const budgets = encodeBudgetLines([
        ...datasets,
        { dataset: sha256Hex("life"), spent: 0n, reserved: 0n },
      ]);
      const terms = {
        sequence,
        previousLink: link,
        root: sha256Hex(`root ${sequence}`),
        entryCount: 100_000,
        budgets,
      };
      const anchored = await writer.anchor(terms);
      link = anchored.link;
      const { result } = await chain.ask("eth_getBlockByNumber", [
        `0x${anchored.blockNumber.toString(16)}`,
        false,
      ]);
      gas = Number((result as { gasUsed: string }).gasUsed);
    }
    return { gasOfBatchOf100000: gas };
  } finally {
    await chain.close();
    await local.close();
    rmSync(folder, { recursive: true });
  }
}
