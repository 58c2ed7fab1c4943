import { expect } from "chai";
import { TrustView } from "../../../node/data-sharing/trust-view.ts";
import { sha256Hex } from "../../../node/primitives/hex.ts";
import type { MemberReader } from "../../../node/trust-framework/ports.ts";
import { expectCode } from "../../support/errors.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { MemoryChain } from "../../support/memory-chain.ts";

const algorithm = sha256Hex("algorithm");
const account = (name: string) => sha256Hex(name).slice(0, 42);

describe("what is kept of the chain for an outage", () => {
  /** `isListed` is false for queriers that are certified without being on the list that is read ahead. */
  function openView(isListed = true) {
    const clock = new ManualClock();
    const chain = new MemoryChain(clock);
    chain.setMember(account("repository"), "repository", "active");
    chain.setMember(account("first"), "querier", "active");
    chain.setAlgorithm(algorithm, "approved");
    const options = { repository: account("repository"), chainAgeMsMax: 600_000, refreshMs: 30_000 };
    const members: MemberReader = {
      membersOf: async (role) => (isListed ? await chain.membersOf(role) : []),
      certificationStatus: (...call) => chain.certificationStatus(...call),
    };
    const view = new TrustView(options, { chain, members, algorithms: chain, clock });
    return { chain, view };
  }

  it("has room for a certified querier, however many accounts and hashes were made up before", async () => {
    const { chain, view } = openView(false);
    await view.refresh();
    for (let made = 0; made < 1_100; made++) {
      const statement = await view.statement(account(`made up ${made}`), sha256Hex(`made up ${made}`));
      expect([statement.querier, statement.algorithm]).to.deep.equal(["none", "none"]);
    }
    await view.statement(account("first"), algorithm);
    chain.isDown = true;
    expect(await view.statement(account("first"), algorithm)).to.include({
      querier: "active",
      algorithm: "approved",
    });
    await expectCode(() => view.statement(account("made up 5"), algorithm), "chain_unavailable");
  });

  it("is bounded: of more certified queriers than it holds, the newest count", async () => {
    const { chain, view } = openView();
    for (let more = 0; more < 1_000; more++) chain.setMember(account(`member ${more}`), "querier", "active");
    await view.refresh();
    await view.statement(account("first"), algorithm);
    chain.isDown = true;
    await expectCode(() => view.statement(account("first"), algorithm), "chain_unavailable");
    expect((await view.statement(account("member 0"), algorithm)).querier).to.equal("active");
  });
});
