import { expect } from "chai";
import { dataSharingRoutes, type RepositoryApi } from "../../../node/api/data-sharing.ts";
import { Metrics } from "../../../node/api/metrics.ts";
import { zeroHash } from "../../../node/primitives/hex.ts";
import { call } from "../../support/https-call.ts";
import { startTestServer } from "../../support/test-server.ts";

describe("the routes of a repository", () => {
  it("let one address look at 600 entries a minute, whose proofs may take a tree", async () => {
    let looks = 0;
    const api: RepositoryApi = {
      repository: { transcriptOf: () => zeroHash } as unknown as RepositoryApi["repository"],
      endpoint: () => "",
      notReady: () => undefined,
      entryStatus: () => {
        looks++;
        return { querierSignature: null, anchor: null };
      },
      catalogue: async () => Promise.reject(new Error("not asked for")),
      budget: async () => undefined,
      metrics: new Metrics(() => undefined),
    };
    const server = await startTestServer(dataSharingRoutes(api));
    const questions = `/v1/data-sharing/questions/${zeroHash}`;
    const statuses: number[] = [];
    for (let round = 0; round < 13; round++) {
      const asked = Array.from({ length: 50 }, () => call(server.endpoint, `GET ${questions}/entry`));
      statuses.push(...(await Promise.all(asked)).map(({ status }) => status));
    }
    expect(statuses.filter((status) => status === 200)).to.have.length(600);
    expect(statuses.filter((status) => status === 429)).to.have.length(50);
    expect(looks).to.equal(600);
    const budget = await call(server.endpoint, `GET /v1/data-sharing/datasets/${zeroHash}/budget`);
    expect(budget.json.code).to.equal("dataset_unknown");
    await server.close();
  });
});
