import { execFile } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { openChain } from "../../../../node/adapters/ethereum/chain-connection.ts";
import { EthereumLedger } from "../../../../node/adapters/ethereum/ethereum-ledger.ts";
import { codeOf } from "../../../ports/anchor-chain.ts";
import { ChainWorld, DisturbingProxy, failureOf } from "./chain-world.ts";

describe("the connection to a chain", () => {
  let world: ChainWorld;
  before(async () => {
    world = await ChainWorld.start();
  });
  after(() => world.stop());

  it("says in time, in one sentence, that nothing listens", async () => {
    const url = await closedPort();
    const ledger = new EthereumLedger(world.open({ urls: [url] }));
    const error = await failureOf(ledger.head());
    expect(error.code).to.equal("chain_unavailable");
    expect(error.message).to.equal(
      `The chain cannot be reached: ${new URL(url).host} refuses the connection. Start the chain's node or correct its address.`,
    );
  });

  it("gives up in time when an endpoint hangs, whatever is asked", async () => {
    const proxy = await DisturbingProxy.start(world.url);
    proxy.treat = () => "hang";
    try {
      for (const urls of [[proxy.url], [proxy.url, proxy.url, proxy.url]]) {
        const ledger = new EthereumLedger(world.open({ urls, timeoutMs: 300 }));
        for (const ask of [() => ledger.head(), () => ledger.latestAnchor(`0x${"11".repeat(20)}`)]) {
          const startMs = performance.now();
          expect(await codeOf(ask())).to.equal("chain_unavailable");
          // Of a busy machine too; without its own limit it would be the system's, of minutes.
          expect(performance.now() - startMs).to.be.within(250, 5_000);
        }
      }
    } finally {
      await proxy.stop();
    }
  });

  it("prints nothing and holds no process up when the chain is down", async () => {
    const program = `
      import { openChain } from "./node/adapters/ethereum/chain-connection.ts";
      const chain = openChain({ urls: ["${await closedPort()}"], deployment: ${JSON.stringify(world.deployment)}, finalityDepth: 0 });
      await chain.newestBlock().catch((error) => console.log(error.code));
    `;
    const output = await new Promise<{ failed: boolean; stdout: string; stderr: string }>((resolve) => {
      execFile(
        process.execPath,
        ["--input-type=module-typescript", "--eval", program],
        { timeout: 20_000 },
        (error, stdout, stderr) => resolve({ failed: error !== null, stdout, stderr }),
      );
    });
    expect(output).to.deep.equal({ failed: false, stdout: "chain_unavailable\n", stderr: "" });
  });

  it("goes on when a chain comes back", async () => {
    const proxy = await DisturbingProxy.start(world.url);
    try {
      const chain = world.open({ urls: [proxy.url], timeoutMs: 2_000 });
      await chain.newestBlock();
      proxy.treat = () => "hang";
      expect(await codeOf(chain.newestBlock())).to.equal("chain_unavailable");
      proxy.treat = () => "pass";
      expect((await chain.newestBlock()).number).to.be.greaterThan(0);
    } finally {
      await proxy.stop();
    }
  });

  it("refuses a chain of another id, and contracts that are not there", async () => {
    const { deployment } = world;
    const other = { ...deployment, chainId: 1 };
    const error = await failureOf(new EthereumLedger(world.open({ deployment: other })).head());
    expect(error.code).to.equal("chain_wrong_network");
    expect(error.fields).to.include({ expected: "1", found: "31337" });
    const contracts = { ...deployment.contracts, auditAnchor: `0x${"22".repeat(20)}` };
    const empty = new EthereumLedger(world.open({ deployment: { ...deployment, contracts } }));
    expect(await codeOf(empty.latestAnchor(`0x${"11".repeat(20)}`))).to.equal("chain_wrong_network");
  });

  it("takes the next endpoint when one is down, hangs, or talks nonsense", async () => {
    const proxy = await DisturbingProxy.start(world.url);
    proxy.treat = () => "hang";
    const nonsense = await serve("<html>Bad gateway</html>", 502);
    const chatter = await serve("hello", 200);
    try {
      for (const bad of [await closedPort(), proxy.url, nonsense.url, chatter.url]) {
        const chain = world.open({ urls: [bad, world.url], timeoutMs: 1_000 });
        expect((await chain.newestBlock()).number).to.be.greaterThan(0);
        expect(Number(await chain.readOne("trustCouncil", "threshold", []))).to.equal(2);
      }
    } finally {
      await Promise.all([proxy.stop(), nonsense.stop(), chatter.stop()]);
    }
  });

  it("takes the newest block that any endpoint has, so that one cannot hold it back", async () => {
    const real = await world.open().newestBlock();
    const old = { number: "0x1", hash: `0x${"33".repeat(32)}`, timestamp: "0x1" };
    const lagging = await serve((method) => (method === "eth_chainId" ? "0x7a69" : old));
    try {
      const chain = world.open({ urls: [lagging.url, world.url] });
      expect(await chain.newestBlock()).to.deep.equal(real);
      expect(Number(await chain.readOne("trustCouncil", "threshold", []))).to.equal(2);
    } finally {
      await lagging.stop();
    }
  });

  it("keeps the secrets in endpoints' addresses to itself", async () => {
    const url = (await closedPort()).replace("//", "//user:password@");
    const error = await failureOf(world.open({ urls: [`${url}/v3/secret`] }).newestBlock());
    expect(JSON.stringify([error.message, error.fields])).not.to.match(/secret|password|user/);
  });

  it("says what a contract refused, with its reasons in words", async () => {
    const chain = world.open();
    const error = await failureOf(chain.read("trustFramework", "incidentOf", [7]));
    expect(error.code).to.equal("chain_rejected");
    expect(error.message).to.equal("The contract trust framework refused: unknown incident (incident id 7).");
    expect(error.fields).to.include({ contractError: "UnknownIncident", args: '{"incidentId":"7"}' });
  });

  it("ends calls under way when it is closed, and answers none afterwards", async () => {
    const proxy = await DisturbingProxy.start(world.url);
    proxy.treat = () => "hang";
    try {
      const chain = openChain({ urls: [proxy.url], deployment: world.deployment, finalityDepth: 0 });
      const waiting = codeOf(chain.newestBlock());
      await chain.close();
      expect(await waiting).to.equal("chain_unavailable");
      expect(await codeOf(chain.newestBlock())).to.equal("chain_unavailable");
    } finally {
      await proxy.stop();
    }
  });
});

/** An address at which nothing listens. */
async function closedPort(): Promise<string> {
  const { url, stop } = await serve("", 200);
  await stop();
  return url;
}

/** A server that always says the same, or answers JSON-RPC calls by `answer`. */
async function serve(answer: string | ((method: string) => unknown), status = 200) {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (typeof answer === "string") return void response.writeHead(status).end(answer);
    const { id, method } = JSON.parse(Buffer.concat(chunks).toString()) as { id: number; method: string };
    response.end(JSON.stringify({ jsonrpc: "2.0", id, result: answer(method) }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop };
}
