import { setTimeout as delay } from "node:timers/promises";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { expect } from "chai";
import { z } from "zod";
import { isLoopback } from "../../../node/api/client-address.ts";
import { Metrics } from "../../../node/api/metrics.ts";
import { operationsRoutes } from "../../../node/api/operations.ts";
import type { SendingLimits } from "../../../node/api/reply-sender.ts";
import { jsonResponse, type Route, route } from "../../../node/api/route.ts";
import { call, until } from "../../support/https-call.ts";
import { startTestServer, type TestServer } from "../../support/test-server.ts";

/** More than the buffers of both ends take. */
const largeBytes = 32 * 1024 * 1024;
const roomy: SendingLimits = { idleMsMax: 60_000, replyMsMax: 60_000, heldBytesMax: 2 ** 40 };

const routes: Route[] = [
  route("operations", "GET /large", "large", {
    responses: { 200: jsonResponse("ok", z.unknown()) },
    handle: () => ({ status: 200, mediaType: "text/plain", body: "x".repeat(largeBytes) }),
  }),
  route("operations", "GET /small", "small", {
    responses: { 200: jsonResponse("ok", z.unknown()) },
    handle: () => ({ status: 200, mediaType: "text/plain", body: "é".repeat(50_000) }),
  }),
];

describe("a client that does not read", function () {
  this.timeout(60_000);
  let server: TestServer;
  const sockets: TLSSocket[] = [];
  const start = async (sending?: Partial<SendingLimits>) => {
    const options = sending === undefined ? {} : { sending: { ...roomy, ...sending } };
    server = await startTestServer(routes, options);
  };
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await server.close();
  });

  /** A connection that asks and takes nothing. */
  async function stall(path = "/large", times = 1): Promise<TLSSocket> {
    const socket = connectTls({ port: server.port, host: "127.0.0.1", rejectUnauthorized: false });
    sockets.push(socket);
    socket.on("error", () => undefined);
    await new Promise((resolve) => socket.once("secureConnect", resolve));
    socket.pause();
    socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`.repeat(times));
    return socket;
  }

  /** Reads to the end, as what the server has sent comes before its hanging up. */
  async function drained(socket: TLSSocket): Promise<number> {
    let bytes = 0;
    socket.on("data", (part: Buffer) => {
      bytes += part.length;
    });
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.resume();
    await closed;
    return bytes;
  }

  it("loses its connection after 10 to 12 seconds", async () => {
    await start();
    const stalled = await Promise.all([stall(), stall()]);
    await delay(9_000);
    expect(await server.connectionCount()).to.equal(2);
    await delay(3_500);
    expect(await server.connectionCount()).to.equal(0);
    for (const socket of stalled) expect(await drained(socket)).to.be.lessThan(largeBytes);
  });

  it("loses it also when it asks for many small replies at once", async () => {
    await start({ idleMsMax: 1_000 });
    await stall("/small", 400);
    await until(async () => (await server.connectionCount()) === 0, "it is closed", 5_000);
  });

  it("keeps it while it reads, however slowly, until the reply is overdue", async () => {
    await start({ idleMsMax: 3_500, replyMsMax: 5_000 });
    const socket = await stall();
    const startedMs = performance.now();
    const reading = setInterval(() => {
      for (let part = 0; part < 20; part++) socket.read();
    }, 100);
    await until(async () => (await server.connectionCount()) === 0, "it is closed", 10_000);
    clearInterval(reading);
    expect(performance.now() - startedMs).to.be.within(4_500, 8_000);
  });

  it("cannot make the node hold more than its limit: those that stand still for longest go first", async () => {
    await start({ heldBytesMax: 3 * largeBytes });
    for (let count = 0; count < 6; count++) {
      await stall();
      await delay(150);
    }
    expect(await server.connectionCount()).to.equal(3);
    const answer = await call(server.endpoint, "GET /large");
    expect(answer.text.length).to.equal(largeBytes);
    expect(await server.connectionCount()).to.be.within(2, 3);
  });

  it("does not keep others from whole replies", async () => {
    await start({ idleMsMax: 2_000 });
    await Promise.all(Array.from({ length: 10 }, () => stall()));
    const [large, small] = await Promise.all([
      call(server.endpoint, "GET /large"),
      call(server.endpoint, "GET /small"),
    ]);
    expect([large.text.length, small.text]).to.deep.equal([largeBytes, "é".repeat(50_000)]);
    expect(small.headers["content-length"]).to.equal("100000");
  });
});

describe("the address of a client", () => {
  const open = (port: number) =>
    new Promise<TLSSocket | undefined>((resolve) => {
      const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false });
      socket.once("secureConnect", () => resolve(socket));
      socket.once("error", () => resolve(undefined));
      socket.once("close", () => resolve(undefined));
    });

  it("holds so many connections and no more, and another when one is closed", async () => {
    const server = await startTestServer(routes, { connectionsPerAddressMax: 3 });
    const sockets = await Promise.all([open(server.port), open(server.port), open(server.port)]);
    expect(sockets).to.not.include(undefined);
    expect(await open(server.port)).to.equal(undefined);
    sockets[0]!.destroy();
    const again = await until(async () => (await open(server.port)) ?? false, "there is room again");
    for (const socket of [...sockets, again]) socket!.destroy();
    await server.close();
  });

  it("decides whether it sees metrics", async () => {
    const metrics = new Metrics(() => undefined);
    const served = async (areMetricsPublic: boolean, isHere: boolean) => {
      const own = operationsRoutes({ notReadyReasons: () => [], metrics, areMetricsPublic }, []);
      const server = await startTestServer(own, isHere ? {} : { isLocal: () => false });
      const { status, json, text } = await call(server.endpoint, "GET /metrics");
      await server.close();
      return { status, code: json?.code, text };
    };
    expect(await served(false, false)).to.include({ status: 404, code: "not_found" });
    expect(await served(true, false)).to.include({ status: 200 });
    const here = await served(false, true);
    expect(here.status).to.equal(200);
    expect(here.text).to.include("process_resident_memory_bytes");
    expect(here.text).to.not.match(/process_cpu|eventloop_lag|nodejs_gc/);
  });

  it("is this machine's own in any spelling of the loopback", () => {
    const own = ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1", "::FFFF:127.1.2.3"];
    const foreign = ["10.0.0.1", "128.0.0.1", "::", "::2", "fe80::1", "::ffff:10.0.0.1", "", "x", undefined];
    expect(own.map(isLoopback)).to.deep.equal(own.map(() => true));
    expect(foreign.map(isLoopback)).to.deep.equal(foreign.map(() => false));
  });
});
