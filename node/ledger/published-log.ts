/**
 * Another party's log as it publishes it, held to the chain: the root is computed again from the leaves (RFC 6962), and all that the batch
 * says is compared with what stands on the chain. Not shown: that an entry was never logged at all; for that there is the promise in a receipt.
 */
import { z } from "zod";
import { TrustedDataError } from "../errors.ts";
import { fromHex, type Hex, toHex } from "../primitives/hex.ts";
import { MerkleTree } from "../primitives/merkle.ts";
import { hash32Schema } from "./audit-entry.ts";
import type { AnchoredBatch } from "./ports.ts";

export const publishedBatchSchema = z.strictObject({
  sequence: z.int().positive(),
  previousLink: hash32Schema,
  root: hash32Schema,
  entryCount: z.int().nonnegative(),
  budgets: z.string(),
  anchored: z.strictObject({ blockNumber: z.int(), link: hash32Schema }).nullable(),
});

export type PublishedBatch = z.infer<typeof publishedBatchSchema>;

export const publishedBatchesSchema = z.strictObject({ batches: publishedBatchSchema.array().max(100) });

export const publishedLeavesSchema = z.strictObject({
  batch: publishedBatchSchema,
  leaves: hash32Schema.array().max(5_000),
});

/** What is wrong with a batch; empty if it is the one on the chain and its leaves make its root. */
export function batchFaults(batch: PublishedBatch, leaves: readonly Hex[], onChain: AnchoredBatch): string[] {
  const faults: string[] = [];
  for (const field of ["sequence", "previousLink", "root", "entryCount", "budgets"] as const)
    if (batch[field] !== onChain[field]) faults.push(`${field} differs from the chain's`);
  if (batch.anchored !== null && batch.anchored.link !== onChain.link)
    faults.push("link differs from the chain's");
  if (leaves.length !== onChain.entryCount)
    faults.push(`${leaves.length} leaves are shown, ${onChain.entryCount} are anchored`);
  else if (rootOf(leaves) !== onChain.root) faults.push("the leaves do not make the anchored root");
  return faults;
}

/** All leaves of one batch, page by page. @throws TrustedDataError `peer_answer_invalid`. */
export async function readLeaves(
  endpoint: string,
  readPage: (offset: number) => Promise<unknown>,
  entriesMax: number,
): Promise<z.infer<typeof publishedLeavesSchema>> {
  const leaves: Hex[] = [];
  for (;;) {
    const page = publishedLeavesSchema.safeParse(await readPage(leaves.length));
    if (!page.success) {
      throw new TrustedDataError(
        "peer_answer_invalid",
        `${endpoint} does not show its log as agreed (${page.error.issues[0]!.path.join(".")}).`,
        { endpoint },
      );
    }
    leaves.push(...page.data.leaves);
    const isWhole = leaves.length >= page.data.batch.entryCount || page.data.leaves.length === 0;
    if (isWhole || leaves.length > entriesMax) return { batch: page.data.batch, leaves };
  }
}

function rootOf(leaves: readonly Hex[]): Hex {
  const tree = new MerkleTree();
  for (const leaf of leaves) tree.append(fromHex(leaf));
  return toHex(tree.root());
}
