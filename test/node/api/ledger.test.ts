import { expect } from "chai";
import { ledgerRoutes } from "../../../node/api/ledger.ts";
import { type AuditEntry, entryLeaf } from "../../../node/ledger/audit-entry.ts";
import type { StoredBatch } from "../../../node/ledger/ports.ts";
import { batchFaults, readLeaves } from "../../../node/ledger/published-log.ts";
import { sha256Hex, toHex, zeroHash } from "../../../node/primitives/hex.ts";
import { MerkleTree } from "../../../node/primitives/merkle.ts";
import { call } from "../../support/https-call.ts";
import { startTestServer } from "../../support/test-server.ts";

describe("the routes over the log", () => {
  it("read no more of a batch than the page that is asked for", async () => {
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
    const server = await startTestServer(ledgerRoutes(audit));
    const get = (query: string) => call(server.endpoint, `GET /v1/ledger/batches/3?${query}`);
    expect((await get("limit=1")).json.leaves).to.have.length(1);
    expect((await get("offset=70000&limit=20")).status).to.equal(200);
    expect(asked).to.deep.equal([
      [3, 0, 1],
      [3, 70_000, 20],
    ]);
    expect((await get("limit=1001")).json.code).to.equal("request_invalid");
    await server.close();
  });

  it("let one address read a batch of several thousand entries, and no more than 240 pages a minute", async () => {
    const entries: AuditEntry[] = Array.from({ length: 5_500 }, (_, i) => ({
      transcript: sha256Hex(`entry ${i}`),
      repositorySignature: `0x${"61".repeat(64)}1b`,
      querierSignature: null,
    }));
    const tree = new MerkleTree();
    for (const entry of entries) tree.append(entryLeaf(entry));
    const root = toHex(tree.root());
    const terms = { sequence: 3, previousLink: zeroHash, root, entryCount: 5_500, budgets: "0x" };
    const batch: StoredBatch = { ...terms, anchored: { blockNumber: 5, link: zeroHash } };
    let pages = 0;
    const audit = {
      batches: () => [batch],
      batch: () => batch,
      entriesOfBatch: (_sequence: number, offset = 0, limit = 0) => {
        pages++;
        return entries.slice(offset, offset + limit);
      },
    };
    const server = await startTestServer(ledgerRoutes(audit));
    const read = async (offset: number) =>
      (await call(server.endpoint, `GET /v1/ledger/batches/3?offset=${offset}`)).json;
    const shown = await readLeaves(server.endpoint, read, 5_500);
    const onChain = { ...terms, party: `0x${"11".repeat(20)}` as const, blockNumber: 5, link: zeroHash };
    expect(batchFaults(shown.batch, shown.leaves, onChain)).to.deep.equal([]);
    expect(pages).to.equal(6);
    const codes = await Promise.all(Array.from({ length: 300 }, async () => (await read(5_499)).code));
    expect(codes.filter((code) => code === undefined)).to.have.length(234);
    expect(codes.filter((code) => code === "rate_limited")).to.have.length(66);
    expect(pages).to.equal(240);
    // What else the node shows is not kept from the address.
    expect((await call(server.endpoint, "GET /v1/ledger/batches")).status).to.equal(200);
    await server.close();
  });
});
