/** Receipts on their way: waiting until they are anchored, and writing them where they were asked for. */
import { isAbsolute, join, parse, relative } from "node:path";
import { completeReceipt, type Ended } from "../data-sharing/querier.ts";
import { type Receipt, receiptText } from "../data-sharing/receipt.ts";
import { TrustedDataError } from "../errors.ts";
import type { Invocation } from "./command.ts";
import type { Client } from "./context.ts";
import { slug } from "./names.ts";

export interface SavedReceipt {
  file: string;
  publisher: string;
  repository: string;
  /** Anchored within the time that was given. */
  isComplete: boolean;
  receipt: Receipt;
}

export interface ReceiptOptions {
  file: string | undefined;
  waitSeconds: number;
}

const pollMs = 300;

/** Waits for all side by side, then writes all; what is not anchored in time is written as pending. */
export async function saveReceipts(
  ended: readonly Ended[],
  { file, waitSeconds }: ReceiptOptions,
  client: Client,
  { terminal, note }: Pick<Invocation, "terminal" | "note">,
): Promise<SavedReceipt[]> {
  const deadlineMs = client.clock.nowMs() + waitSeconds * 1000;
  if (ended.length > 0 && waitSeconds > 0)
    note(`Waiting for the log to be anchored (at most ${waitSeconds} s) ...`);
  const completed = await Promise.all(ended.map((one) => completeBy(deadlineMs, one, client)));
  const files = receiptFiles(ended, file, client);
  const saved: SavedReceipt[] = [];
  for (const [i, { offer, receipt: pending }] of ended.entries()) {
    const receipt = completed[i] ?? pending;
    await terminal.writeFile(files[i]!, receiptText(receipt));
    saved.push({
      file: files[i]!,
      publisher: offer.publisher,
      repository: offer.repository,
      isComplete: completed[i] !== undefined,
      receipt,
    });
  }
  return saved;
}

/** `FILE` for the first and `FILE` with the publisher's name for the others; without one, names of their own in the receipts' folder. */
export function receiptFiles(
  ended: readonly Pick<Ended, "offer" | "transcript">[],
  file: string | undefined,
  { receiptsFolder, clock }: Pick<Client, "receiptsFolder" | "clock">,
): string[] {
  const taken = new Set<string>();
  const day = new Date(clock.nowMs()).toISOString().slice(0, 10);
  return ended.map(({ offer, transcript }, i) => {
    const { question } = transcript.request;
    if (file === undefined) {
      const name = `${day}-${offer.manifest.name}-${slug(offer.publisher)}-${question.slice(2, 10)}.json`;
      return shortPath(join(receiptsFolder, name));
    }
    const { dir, name, ext } = parse(file);
    const candidates = [
      ...(i === 0 ? [file] : []),
      join(dir, `${name}-${slug(offer.publisher)}${ext}`),
      join(dir, `${name}-${slug(offer.publisher)}-${offer.manifest.name}${ext}`),
      join(dir, `${name}-${question.slice(2, 18)}${ext}`),
    ];
    const chosen = candidates.find((candidate) => !taken.has(candidate))!;
    taken.add(chosen);
    return chosen;
  });
}

/** As somebody would type it here. */
function shortPath(path: string): string {
  const inside = relative(process.cwd(), path);
  return inside.startsWith("..") || isAbsolute(inside) ? path : inside;
}

/** Undefined when time is up. A repository that is down meanwhile may come back in time. */
async function completeBy(
  deadlineMs: number,
  { receipt, offer }: Ended,
  client: Client,
): Promise<Receipt | undefined> {
  for (;;) {
    try {
      const completed = await completeReceipt(receipt, offer, client.peers);
      if (completed !== undefined) return completed;
    } catch (error) {
      if (!(error instanceof TrustedDataError)) throw error;
    }
    if (client.clock.nowMs() + pollMs > deadlineMs) return undefined;
    await client.clock.sleep(pollMs);
  }
}
