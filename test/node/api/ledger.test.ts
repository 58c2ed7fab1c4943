import { expect } from "chai";
import { ledgerRoutes } from "../../../node/api/ledger.ts";
import type { AuditEntry } from "../../../node/ledger/audit-entry.ts";
import type { StoredBatch } from "../../../node/ledger/ports.ts";
import { sha256Hex, zeroHash } from "../../../node/primitives/hex.ts";
import { call } from "../../support/https-call.ts";
import { startTestServer } from "../../support/test-server.ts";

describe("the routes over the log", () => {
  it("read no more of a batch than the page that is asked for, and count as costly", async () => {
    const asked: unknown[] = [];
    const entry: AuditEntry = {
      transcript: sha256Hex("a"),
      repositorySignature: `0x${"61".repeat(64)}1b`,
      querierSignature: null,
    };
    const batch: StoredBatch = {
      ...{ sequence: 3, previousLink: zeroHash, root: zeroHash, entryCount: 100_000, budgets: "0x" },
      anchored: undefined,
    };
    const audit = {
      batches: () => [batch],
      batch: () => batch,
      entriesOfBatch: (...page: unknown[]) => {
        asked.push(page);
        return [entry];
      },
    };
    const server = await startTestServer(ledgerRoutes(audit), { questionsPerMinute: 2 });
    const get = (query: string) => call(server.endpoint, `GET /v1/ledger/batches/3?${query}`);
    expect((await get("limit=1")).json.leaves).to.have.length(1);
    expect((await get("offset=70000&limit=20")).status).to.equal(200);
    expect(asked).to.deep.equal([
      [3, 0, 1],
      [3, 70_000, 20],
    ]);
    expect((await get("limit=1")).json.code).to.equal("rate_limited");
    await server.close();
  });
});
