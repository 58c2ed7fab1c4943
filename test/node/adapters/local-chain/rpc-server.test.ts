import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { serveRpc } from "../../../../node/adapters/local-chain/rpc-server.ts";

describe("the JSON-RPC server of the local chain", () => {
  let url: string;
  let close: () => Promise<void>;
  let slow: Promise<void> | undefined;

  beforeEach(async () => {
    slow = undefined;
    ({ url, close } = await serveRpc(0, async (method, params) => {
      if (method === "slow") await slow;
      if (method === "fail") throw new TypeError("it failed");
      return { method, params };
    }));
  });

  afterEach(() => close());

  async function post(body: string, headers: Record<string, string> = {}): Promise<[number, unknown]> {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body,
    });
    const text = await response.text();
    return [response.status, text === "" ? undefined : JSON.parse(text)];
  }

  /** The code of the only error answered. */
  async function errorOf(body: string): Promise<number> {
    const [, answer] = await post(body);
    return (answer as { error: { code: number } }).error.code;
  }

  it("answers a call with its id, and a batch in its order", async () => {
    expect(await post('{"jsonrpc":"2.0","id":"x","method":"m","params":[1]}')).to.deep.equal([
      200,
      { jsonrpc: "2.0", id: "x", result: { method: "m", params: [1] } },
    ]);
    const [, batch] = await post('[{"id":1,"method":"a"},{"id":2,"method":"fail"},5,{"method":"silent"}]');
    const answers = batch as { id: unknown; error?: { code: number } }[];
    expect(answers.map(({ id, error }) => [id, error?.code])).to.deep.equal([
      [1, undefined],
      [2, -32603],
      [null, -32600],
    ]);
  });

  it("answers nothing to a notification", async () => {
    expect(await post('{"jsonrpc":"2.0","method":"m"}')).to.deep.equal([204, undefined]);
  });

  it("says what is wrong with a body", async () => {
    expect(await errorOf("{")).to.equal(-32700);
    expect(await errorOf('{"id":1,"id":2,"method":"m"}')).to.equal(-32700);
    expect(await errorOf("[]")).to.equal(-32600);
    expect(await errorOf(JSON.stringify(Array(257).fill({ id: 1, method: "m" })))).to.equal(-32600);
    expect(await errorOf('{"id":1}')).to.equal(-32600);
    expect(await errorOf('{"id":1,"method":"m","params":{"a":1}}')).to.equal(-32602);
  });

  it("takes bodies up to 1 MiB and no larger, declared or not", async () => {
    const call = (length: number) => JSON.stringify({ id: 1, method: "m", params: ["a".repeat(length)] });
    expect((await post(call(2 ** 20 - 100)))[0]).to.equal(200);
    expect((await post(call(2 ** 20)))[0]).to.equal(413);
    const chunked = request(url, { method: "POST", headers: { "content-type": "application/json" } });
    chunked.on("error", () => {});
    for (let n = 0; n < 20; n++) chunked.write("a".repeat(64 * 1024));
    const [response] = await once(chunked, "response");
    expect(response.statusCode).to.equal(413);
    chunked.destroy();
  });

  it("refuses web pages: other content types, other host names, other verbs", async () => {
    const body = '{"id":1,"method":"m"}';
    expect((await post(body, { "content-type": "text/plain" }))[0]).to.equal(415);
    expect((await fetch(url)).status).to.equal(405);
    const rebound = request(url, {
      method: "POST",
      headers: { host: "evil.example", "content-type": "application/json" },
    });
    rebound.end(body);
    const [response] = await once(rebound, "response");
    expect(response.statusCode).to.equal(403);
    response.resume();
  });

  it("lets go of connections that send nothing", async function () {
    this.timeout(15_000);
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.write("POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n");
    socket.on("error", () => {});
    socket.resume();
    await once(socket, "close");
  });

  it("finishes what it was asked before it closes", async () => {
    let finish = () => {};
    slow = new Promise((resolve) => {
      finish = resolve;
    });
    const answer = post('{"id":1,"method":"slow"}');
    await sleep(50);
    const closed = close();
    finish();
    expect((await answer)[0]).to.equal(200);
    await closed;
    expect(await post("{}").catch(() => "closed")).to.equal("closed");
  });

  it("does not wait, when it closes, for a client that went while its call ran", async () => {
    let finish = () => {};
    slow = new Promise((resolve) => {
      finish = resolve;
    });
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    const body = '{"id":1,"method":"slow"}';
    const head = "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n";
    socket.write(`${head}Content-Length: ${body.length}\r\n\r\n${body}`);
    await sleep(50);
    socket.destroy();
    await sleep(50);
    finish();
    await sleep(50);
    const startedMs = performance.now();
    await close();
    // It gives up on answers that nobody takes after two seconds.
    expect(performance.now() - startedMs).to.be.lessThan(1_500);
  });
});
