import { expect } from "chai";
import { completeReceipt } from "../../node/data-sharing/querier.ts";
import { receiptText } from "../../node/data-sharing/receipt.ts";
import { verifyReceipt } from "../../node/data-sharing/verify-receipt.ts";
import { until } from "../support/https-call.ts";
import { type Network, startNetwork } from "../support/network.ts";
import { algorithm, research } from "../support/repository-world.ts";

describe("a network of daemons", function () {
  this.timeout(120_000);
  let network: Network;
  before(async () => {
    network = await startNetwork();
  });
  after(() => network?.close());

  it("finds data, answers a vetted question, anchors it and gives a receipt that verifies", async () => {
    await network.startDirectory();
    await network.startRepository();
    await network.publishAlgorithm(algorithm);
    const { querier } = network.querier();
    const [offer] = await until(async () => {
      const { offers } = await network.discover("wages");
      return offers.length === 1 && offers;
    }, "the dataset is found");
    const ended = await querier.ask(
      { algorithm, parameters: { minimum_age: 16 }, purpose: research },
      offer!,
    );
    expect(ended.reason).to.equal(null);
    expect(ended.answer).to.not.equal(null);
    const receipt = await until(
      () => completeReceipt(ended.receipt, offer!, network.peers),
      "the entry is anchored",
    );
    const verdict = await verifyReceipt(receiptText(receipt), {
      deployment: network.deployment,
      chain: network.ledger,
      members: network.members,
      algorithms: network.algorithms,
    });
    expect(verdict.checks.filter(({ passed }) => !passed)).to.deep.equal([]);
  });
});
