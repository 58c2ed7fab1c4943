/**
 * Routes over the anchored log. Of an entry only its leaf is shown: it holds signatures, from which the querier's account could be read,
 * so the entry itself is for its two parties. Leaves suffice to compute each root and to see that nothing was taken out.
 */
import { z } from "zod";
import { TrustedDataError } from "../errors.ts";
import { entryLeaf, hash32Schema } from "../ledger/audit-entry.ts";
import type { AuditStore, StoredBatch } from "../ledger/ports.ts";
import { publishedBatchSchema } from "../ledger/published-log.ts";
import { toHex } from "../primitives/hex.ts";
import { jsonReply, jsonResponse, type Route, route } from "./route.ts";

const batchesMax = 100;
/** A page costs about 20 ms, in which nobody else is served. */
const leavesMax = 1_000;
/** Of one client address: an auditor reads 240,000 leaves or 240 batches a minute, and takes no more than a twelfth of the node. */
const pagesPerMinute = 240;

const decimal = (max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .pipe(z.int().max(max));

/** `anchored` is null until mined. */
const batchSchema = publishedBatchSchema.meta({ id: "Batch" });

export function ledgerRoutes(audit: Pick<AuditStore, "batches" | "batch" | "entriesOfBatch">): Route[] {
  return [
    route("ledger", "GET /v1/ledger/batches", "Batches of this node's log, newest first", {
      query: z.strictObject({
        offset: decimal(999_999_999).default(0),
        limit: decimal(batchesMax).default(20),
      }),
      responses: {
        200: jsonResponse("A page of batches.", z.strictObject({ batches: batchSchema.array() })),
      },
      handle: ({ query }) => jsonReply({ batches: audit.batches(query.offset, query.limit).map(shown) }),
    }),
    route("ledger", "GET /v1/ledger/batches/:sequence", "One batch with the leaves of its tree", {
      path: z.strictObject({ sequence: decimal(999_999_999) }),
      query: z.strictObject({
        offset: decimal(999_999_999).default(0),
        limit: decimal(leavesMax).default(leavesMax),
      }),
      requestsPerMinute: pagesPerMinute,
      responses: {
        200: jsonResponse(
          "The batch; `leaves` from `offset` on (RFC 6962, SHA-256).",
          z.strictObject({ batch: batchSchema, leaves: hash32Schema.array() }),
        ),
      },
      handle: ({ path, query }) => {
        const batch = audit.batch(path.sequence);
        if (batch === undefined) throw new TrustedDataError("not_found", "The log has no such batch.");
        const entries = audit.entriesOfBatch(path.sequence, query.offset, query.limit);
        return jsonReply({ batch: shown(batch), leaves: entries.map((entry) => toHex(entryLeaf(entry))) });
      },
    }),
  ];
}

function shown({ sequence, previousLink, root, entryCount, budgets, anchored }: StoredBatch) {
  return { sequence, previousLink, root, entryCount, budgets, anchored: anchored ?? null };
}
