import { connect as connectTcp } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { expect } from "chai";
import { z } from "zod";
import { bodyBytesMax, jsonReply, jsonResponse, type Route, route } from "../../../node/api/route.ts";
import { TrustedDataError } from "../../../node/errors.ts";
import { call, until } from "../../support/https-call.ts";
import { startTestServer, type TestServer } from "../../support/test-server.ts";

const json = { "content-type": "application/json" };

describe("the server", function () {
  this.timeout(60_000);
  let server: TestServer;
  const nothing = () => undefined;
  let release: () => void = nothing;
  const pending = () => release !== nothing;

  const ok = { 200: jsonResponse("ok", z.unknown()) };
  const routes: Route[] = [
    route("operations", "POST /echo", "echo", {
      body: { schema: z.strictObject({ value: z.unknown() }) },
      responses: ok,
      handle: ({ body }) => jsonReply(body),
    }),
    route("operations", "GET /things/:name", "thing", {
      path: z.strictObject({ name: z.string().regex(/^[a-z]+$/, "use letters") }),
      query: z.strictObject({ page: z.string().regex(/^\d+$/).default("0") }),
      responses: ok,
      handle: ({ path, query }) => jsonReply({ ...path, ...query }),
    }),
    route("operations", "GET /broken", "bug", {
      responses: ok,
      handle: () => {
        throw new Error("secret-in-message");
      },
    }),
    route("operations", "GET /stored", "storage", {
      responses: ok,
      handle: () => {
        throw new TrustedDataError("storage_failed", "The file secret-path fails.", { file: "secret-path" });
      },
    }),
    route("operations", "GET /peerless", "peer", {
      responses: ok,
      handle: () => {
        throw new TrustedDataError("chain_unavailable", "secret-host does not answer.", {
          endpoints: "secret-host",
        });
      },
    }),
    route("operations", "GET /slow", "slow", {
      responses: ok,
      handle: () =>
        new Promise((resolve) => {
          release = () => resolve(jsonReply({ done: true }));
        }),
    }),
  ];

  beforeEach(async () => {
    release = nothing;
    server = await startTestServer(routes);
  });
  afterEach(() => server.close());

  const post = (body: string | Buffer, headers: Record<string, string> = json) =>
    call(server.endpoint, "POST /echo", { headers, body });

  it("answers, and says nothing about what it is made of", async () => {
    const answer = await post('{"value":[1,"é"]}');
    expect(answer.status).to.equal(200);
    expect(answer.text).to.equal('{"value":[1,"é"]}');
    expect(answer.headers).to.not.have.any.keys("x-powered-by", "server", "etag");
    expect(answer.headers).to.include({
      "content-type": "application/json",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    });
  });

  const refusals: [string, string | Buffer, Record<string, string>, number, string][] = [
    ["two equal keys", '{"value":1,"value":2}', json, 400, "invalid_json"],
    ["__proto__", '{"value":{"__proto__":{"a":1}}}', json, 400, "invalid_json"],
    ["depth", `{"value":${"[".repeat(5_000)}${"]".repeat(5_000)}}`, json, 400, "invalid_json"],
    ["an integer beyond 2^53", '{"value":9007199254740993}', json, 400, "invalid_json"],
    ["a lone surrogate", '{"value":"\\ud800"}', json, 400, "invalid_json"],
    ["bytes that are no UTF-8", Buffer.from([0x22, 0xff, 0xfe, 0x22]), json, 400, "invalid_json"],
    ["a byte order mark", '\ufeff{"value":1}', json, 400, "invalid_json"],
    ["no JSON", "value=1", json, 400, "invalid_json"],
    ["nothing", "", json, 400, "invalid_json"],
    ["an unknown field", '{"value":1,"other":2}', json, 400, "request_invalid"],
    ["another media type", '{"value":1}', { "content-type": "text/plain" }, 415, "media_type"],
    ["no media type", '{"value":1}', {}, 415, "media_type"],
    [
      "another character set",
      '{"value":1}',
      { "content-type": "application/json; charset=utf-16" },
      415,
      "media_type",
    ],
    ["a compressed body", '{"value":1}', { ...json, "content-encoding": "gzip" }, 415, "media_type"],
    ["a body that is too large", `{"value":"${"x".repeat(bodyBytesMax)}"}`, json, 413, "body_too_large"],
    [
      "a body of unknown length that is too large",
      `{"value":"${"x".repeat(bodyBytesMax)}"}`,
      { ...json, "transfer-encoding": "chunked" },
      413,
      "body_too_large",
    ],
    ["a body that is far too large", Buffer.alloc(4 * 1024 * 1024, "x"), json, 413, "body_too_large"],
  ];
  for (const [what, body, headers, status, code] of refusals) {
    it(`refuses ${what}`, async () => {
      const answer = await post(body, headers);
      expect(answer.status).to.equal(status);
      expect(answer.headers["content-type"]).to.equal("application/problem+json");
      expect(answer.json).to.include({ type: `urn:itd:error:${code}`, status, code });
      expect(answer.json.title).to.equal(code.replaceAll("_", " "));
      expect(answer.json.detail).to.match(/^[A-Z].*\.$/s);
      expect((await post('{"value":1}')).status).to.equal(200);
    });
  }

  it("takes a body of exactly the limit", async () => {
    const body = `{"value":"${"x".repeat(bodyBytesMax - 12)}"}`;
    expect(Buffer.byteLength(body)).to.equal(bodyBytesMax);
    expect((await post(body)).status).to.equal(200);
  });

  it("refuses a body where none is taken", async () => {
    const answer = await call(server.endpoint, "GET /things/a", {
      headers: { ...json, "content-length": "2" },
      body: "{}",
    });
    expect(answer.json.code).to.equal("request_invalid");
  });

  it("checks paths and queries, and names the field", async () => {
    expect((await call(server.endpoint, "GET /things/a?page=2")).json).to.deep.equal({
      name: "a",
      page: "2",
    });
    expect((await call(server.endpoint, "GET /things/A1")).json).to.deep.include({
      code: "request_invalid",
      fields: { "path.name": "use letters" },
    });
    for (const query of ["page=x", "page=1&page=2", "pages=1", "page[a]=1", "__proto__=1"]) {
      const answer = await call(server.endpoint, `GET /things/a?${query}`);
      expect(answer.status, query).to.equal(400);
    }
  });

  it("knows neither other paths nor other methods", async () => {
    for (const path of ["/nothing", "/things", "/things/a/", "/Things/a", "/things/a/b", "/"]) {
      const answer = await call(server.endpoint, `GET ${path}`);
      expect(answer.json, path).to.include({ status: 404, code: "not_found" });
    }
    const answer = await call(server.endpoint, "DELETE /echo");
    expect(answer.json).to.include({ status: 405, code: "method_not_allowed" });
    expect(answer.headers.allow).to.equal("POST");
  });

  it("answers a path that cannot be decoded with a problem", async () => {
    expect((await call(server.endpoint, "GET /things/%ff")).json).to.include({
      status: 400,
      code: "request_invalid",
    });
  });

  it("tells nothing of what goes wrong inside, but logs where", async () => {
    for (const [path, code] of [
      ["/broken", "internal"],
      ["/stored", "internal"],
      ["/peerless", "chain_unavailable"],
    ]) {
      const answer = await call(server.endpoint, `GET ${path}`);
      expect(answer.json.code).to.equal(code);
      expect(answer.text).to.not.match(/secret|\.ts|node_modules| at /);
      const requestId = answer.headers["x-request-id"] as string;
      expect(server.log.join("")).to.include(requestId);
    }
    const lines = server.log.join("");
    expect(lines).to.match(/server\.test\.ts/);
    expect(lines).to.not.include("secret-in-message");
  });

  it("limits requests of one address, and costly ones further", async () => {
    const costly = route("operations", "GET /costly", "costly", {
      isCostly: true,
      responses: ok,
      handle: () => jsonReply({}),
    });
    const limited = await startTestServer([...routes, costly], {
      requestsPerMinute: 6,
      questionsPerMinute: 2,
    });
    const codes: string[] = [];
    for (let i = 0; i < 4; i++) codes.push((await call(limited.endpoint, "GET /costly")).json.code);
    for (let i = 0; i < 4; i++) codes.push((await call(limited.endpoint, "GET /things/a")).json.code);
    await limited.close();
    const limit = "rate_limited";
    expect(codes).to.deep.equal([undefined, undefined, limit, limit, undefined, undefined, limit, limit]);
  });

  it("limits a route that has a limit of its own, and nothing else by that", async () => {
    const paged = route("operations", "GET /paged/:name", "paged", {
      path: z.strictObject({ name: z.string() }),
      requestsPerMinute: 2,
      responses: ok,
      handle: () => jsonReply({}),
    });
    const limited = await startTestServer([...routes, paged], { requestsPerMinute: 6 });
    const codes: string[] = [];
    for (const path of [
      "/paged/a",
      "/paged/b",
      "/paged/c",
      "/things/a",
      "/paged/d",
      "/things/a",
      "/things/a",
    ])
      codes.push((await call(limited.endpoint, `GET ${path}`)).json.code);
    await limited.close();
    const limit = "rate_limited";
    expect(codes).to.deep.equal([undefined, undefined, limit, undefined, limit, undefined, limit]);
  });

  it("counts requests by route and class of status, never by path", async () => {
    await call(server.endpoint, "GET /things/someone");
    await call(server.endpoint, "GET /someone-else");
    const text = await until(async () => {
      const metrics = await server.metrics.text();
      return metrics.includes('status="4xx"') && metrics;
    }, "both are counted");
    expect(text).to.include('itd_request_seconds_count{route="GET /things/:name",status="2xx"} 1');
    expect(text).to.include('itd_request_seconds_count{route="other",status="4xx"} 1');
    expect(text).to.not.include("someone");
  });

  it("refuses TLS 1.2 and plain HTTP", async () => {
    const old = connectTls({
      port: server.port,
      host: "127.0.0.1",
      rejectUnauthorized: false,
      maxVersion: "TLSv1.2",
    });
    const error = await new Promise<Error>((resolve) => old.once("error", resolve));
    expect(error.message).to.match(/protocol version/i);
    const plain = connectTcp(server.port, "127.0.0.1");
    plain.write("GET /things/a HTTP/1.1\r\nhost: x\r\n\r\n");
    const parts: Buffer[] = [];
    plain.on("data", (part) => parts.push(part));
    plain.on("error", () => undefined);
    await new Promise((resolve) => plain.once("close", resolve));
    expect(Buffer.concat(parts).toString("latin1")).to.not.include("HTTP/1.1 200");
  });

  it("refuses headers that are too large", async () => {
    const answer = await call(server.endpoint, "GET /things/a", { headers: { dpop: "x".repeat(20_000) } });
    expect(answer.status).to.equal(431);
  });

  it("hangs up on slow headers after 5 to 7 seconds, and on slow bodies after 10 to 12", async () => {
    const slowHeaders = await openTls(server.port);
    const slowBody = await openTls(server.port);
    slowHeaders.write("GET /things/a HTTP/1.1\r\nhost: x\r\n");
    slowBody.write(
      "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n",
    );
    const drip = setInterval(() => {
      slowHeaders.write("x: y\r\n");
      slowBody.write(" ");
    }, 300);
    const [headersMs, bodyMs] = await Promise.all([closedAfterMs(slowHeaders), closedAfterMs(slowBody)]);
    clearInterval(drip);
    expect(headersMs).to.be.within(4_500, 7_000);
    expect(bodyMs).to.be.within(9_500, 12_500);
  });

  it("gets rid of 500 slow connections while it serves others", async () => {
    const sockets = await Promise.all(Array.from({ length: 500 }, () => openTls(server.port)));
    for (const socket of sockets) socket.write("GET /things/a HTTP/1.1\r\nx: ");
    const closed = Promise.all(sockets.map(closedAfterMs));
    const startedMs = performance.now();
    expect((await call(server.endpoint, "GET /things/a")).status).to.equal(200);
    expect(performance.now() - startedMs).to.be.lessThan(3_000);
    for (const ms of await closed) expect(ms).to.be.lessThan(9_000);
  });

  it("makes room, when all connections are taken, by closing the one that waited longest for its request", async () => {
    const small = await startTestServer(routes, { connectionsMax: 3 });
    const sockets: Awaited<ReturnType<typeof openTls>>[] = [];
    const closed: number[] = [];
    const open = async (at: number) => {
      const socket = await openTls(small.port);
      socket.once("close", () => closed.push(at));
      socket.on("error", () => {});
      sockets[at] = socket;
    };
    for (const at of [0, 1, 2]) await open(at);
    // A part of a request is none; a whole one that was answered is newer than the others' waiting.
    sockets[1]!.write(
      "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{",
    );
    sockets[0]!.write("GET /things/a HTTP/1.1\r\nhost: x\r\n\r\n");
    await new Promise((resolve) => sockets[0]!.once("data", resolve));
    for (const [at, gone] of [
      [3, 1],
      [4, 2],
      [5, 0],
    ] as const) {
      await open(at);
      await until(() => closed.includes(gone), `connection ${gone} is closed`);
    }
    expect(closed).to.deep.equal([1, 2, 0]);
    expect(await small.connectionCount()).to.equal(3);
    for (const socket of sockets) socket.destroy();
    await small.close();
  });

  it("closes a new connection when all others wait for their replies", async () => {
    let waiting = 0;
    const wait = route("operations", "GET /wait", "wait", {
      responses: ok,
      handle: () => {
        waiting++;
        return new Promise(() => {});
      },
    });
    const small = await startTestServer([wait], { connectionsMax: 2 });
    const asked = [call(small.endpoint, "GET /wait"), call(small.endpoint, "GET /wait")];
    const ended = Promise.allSettled(asked);
    await until(() => waiting === 2, "both requests are there");
    const third = await openTls(small.port).then(
      () => "open",
      () => "closed",
    );
    expect(third).to.equal("closed");
    await small.close(0);
    await ended;
  });

  it("lets a request in flight end before it closes, and takes no new one", async () => {
    const answer = call(server.endpoint, "GET /slow");
    await until(
      () => server.log.length >= 0 && release.name !== undefined && pending(),
      "the request is there",
    );
    const closing = server.close(5_000);
    const late = await call(server.endpoint, "GET /things/a").catch(
      (error: NodeJS.ErrnoException) => error.code,
    );
    expect(late).to.equal("ECONNREFUSED");
    release();
    expect((await answer).json).to.deep.equal({ done: true });
    await closing;
  });

  it("does not wait for a request longer than it was told", async () => {
    const answer = call(server.endpoint, "GET /slow").catch((error: NodeJS.ErrnoException) => error.code);
    await until(pending, "the request is there");
    const startedMs = performance.now();
    await server.close(300);
    expect(performance.now() - startedMs).to.be.within(250, 2_000);
    expect(await answer).to.equal("ECONNRESET");
  });

  it("says when the port is taken, or the certificate is none", async () => {
    const taken = await startTestServer(routes, { port: server.port }).catch((error) => error.code);
    expect(taken).to.equal("port_in_use");
    const broken = await startTestServer(routes, { tls: { certificate: "x", key: "y" } }).catch(
      (error) => error.code,
    );
    expect(broken).to.equal("config_invalid");
  });
});

function openTls(port: number): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false }, () => resolve(socket));
    socket.on("error", reject);
    socket.on("data", () => undefined);
    socket.once("close", () => reject(new Error("closed")));
  });
}

function closedAfterMs(socket: TLSSocket): Promise<number> {
  const startedMs = performance.now();
  return new Promise((resolve) => socket.once("close", () => resolve(performance.now() - startedMs)));
}
