/** Whether a log entry stands in the batch that an anchor describes; that the chain has the batch is another question. */
import { type AuditEntry, entryLeaf } from "../ledger/audit-entry.ts";
import { fromHex, toHex } from "../primitives/hex.ts";
import { rootFromInclusionProof } from "../primitives/merkle.ts";
import type { ReceiptAnchor } from "./receipt.ts";

export function isInBatch(entry: AuditEntry, { index, entryCount, path, root }: ReceiptAnchor): boolean {
  const found = rootFromInclusionProof(entryLeaf(entry), index, entryCount, path.map(fromHex));
  return found !== undefined && toHex(found) === root;
}
