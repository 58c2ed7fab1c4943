/** What one receipt costs its verifier, and one question its repository's process apart from the engine: CPU, all signatures included. */
import { completeReceipt } from "../../../node/data-sharing/querier.ts";
import { receiptText } from "../../../node/data-sharing/receipt.ts";
import { verifyReceipt } from "../../../node/data-sharing/verify-receipt.ts";
import { RepositoryWorld } from "../../support/repository-world.ts";
import { testDeployment } from "../../support/wallet-signer.ts";
import { cpuMsOf } from "../cpu.ts";

const receiptCount = 50;

export async function benchReceipt(): Promise<Record<string, number>> {
  const world = await RepositoryWorld.ready();
  try {
    const modules = {
      deployment: testDeployment,
      chain: world.chain,
      members: world.chain,
      algorithms: world.chain,
    };
    const ask = async () => (await world.querier().ask(world.question, world.offer)).receipt;
    const pending = await ask();
    await world.anchoring.tick();
    const text = receiptText((await completeReceipt(pending, world.offer, world.peers()))!);
    const first = await cpuMsOf(async () => await verifyReceipt(text, modules));
    const verifying = await cpuMsOf(async () => {
      for (let i = 0; i < receiptCount; i++) await verifyReceipt(text, modules);
    });
    const asking = await cpuMsOf(async () => {
      for (let i = 0; i < receiptCount; i++) await ask();
    });
    return {
      verifyReceiptFirstCpuMs: first,
      verifyReceiptCpuMs: verifying / receiptCount,
      questionBothSidesCpuMs: asking / receiptCount,
    };
  } finally {
    world.dispose();
  }
}
