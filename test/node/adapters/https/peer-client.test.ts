import { mkdtempSync, rmSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { HttpsPeerClient } from "../../../../node/adapters/https/peer-client.ts";
import { createTlsCertificate, type TlsCertificate } from "../../../../node/adapters/keys/tls-certificate.ts";
import type { Peer } from "../../../../node/data-sharing/ports.ts";
import type { SignedRequest } from "../../../../node/data-sharing/question-request.ts";
import { expectCode } from "../../../support/errors.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const problem = (code: string, more: object = {}) =>
  JSON.stringify({
    type: `urn:itd:error:${code}`,
    title: code,
    status: 400,
    detail: "A reason.",
    code,
    fields: {},
    ...more,
  });
const send = (status: number, text: string | Buffer, mediaType = "application/json"): Handler => {
  return (_request, response) => void response.writeHead(status, { "content-type": mediaType }).end(text);
};

describe("the client of peers", () => {
  let client: HttpsPeerClient;
  let certificates: TlsCertificate[];
  const servers: Server[] = [];
  /** Bytes and requests that the peer's program got to see. */
  let seen: string[];
  const signed = { request: {}, signature: "0x" } as unknown as SignedRequest;

  before(async () => {
    const folder = mkdtempSync(join(tmpdir(), "itd-peer-"));
    certificates = await Promise.all(
      ["a", "b"].map((name) => {
        const files = { certFile: join(folder, `${name}.pem`), keyFile: join(folder, `${name}-key.pem`) };
        return createTlsCertificate(files, "passphrase", { names: ["127.0.0.1"] });
      }),
    );
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => {
    seen = [];
    client = new HttpsPeerClient({ timeoutMs: 1_000, questionTimeoutMs: 2_000 });
  });
  afterEach(async () => {
    await client.close();
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  async function peerThat(handler: Handler, options: object = {}, shown = 0): Promise<Peer> {
    const { certPem, keyPem } = certificates[shown]!;
    const server = createServer({ cert: certPem, key: keyPem, ...options }, (request, response) => {
      seen.push(`${request.method} ${request.url}`);
      handler(request, response);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    return { endpoint: `https://127.0.0.1:${port}`, tlsFingerprint: certificates[0]!.fingerprint };
  }

  it("reads what the pinned peer answers", async () => {
    const peer = await peerThat(send(200, '{"a":[1]}', "application/json; charset=utf-8"));
    expect(await client.catalogue(peer)).to.deep.equal({ a: [1] });
    expect(await client.entry(peer, "0x01")).to.deep.equal({ a: [1] });
    expect(await client.search(peer, "wages & more")).to.deep.equal({ a: [1] });
    expect(seen).to.include("GET /v1/directory/datasets?search=wages%20%26%20more");
  });

  it("sends not a byte to a peer with another certificate", async () => {
    const peer = await peerThat(send(200, "{}"), {}, 1);
    let bytes = 0;
    servers[0]!.on("secureConnection", (socket) =>
      socket.on("data", (part: Buffer) => (bytes += part.length)),
    );
    const error = await expectCode(() => client.authorise(peer, signed, "proof"), "peer_certificate");
    expect(error.message).to.include(peer.endpoint);
    expect(error.fields.shown).to.equal(certificates[1]!.fingerprint);
    expect(seen).to.deep.equal([]);
    expect(bytes).to.equal(0);
  });

  it("keeps no connection that was made for another certificate", async () => {
    const peer = await peerThat(send(200, "{}"));
    await client.catalogue(peer);
    const other = { ...peer, tlsFingerprint: certificates[1]!.fingerprint };
    await expectCode(() => client.catalogue(other), "peer_certificate");
    expect(seen).to.have.length(1);
  });

  it("refuses a peer that speaks TLS 1.2 at most", async () => {
    const peer = await peerThat(send(200, "{}"), { maxVersion: "TLSv1.2" });
    const error = await expectCode(() => client.catalogue(peer), "peer_unreachable");
    expect(error.message).to.include(peer.endpoint);
    expect(seen).to.deep.equal([]);
  });

  it("refuses endpoints that are more or less than an https origin", async () => {
    const tlsFingerprint = certificates[0]!.fingerprint;
    for (const endpoint of [
      "http://127.0.0.1:1",
      "https://127.0.0.1:1/path",
      "https://user:password@127.0.0.1:1",
      "https://127.0.0.1:1?x",
      "file:///etc/passwd",
      "",
    ]) {
      await expectCode(() => client.catalogue({ endpoint, tlsFingerprint }), "peer_unreachable");
    }
  });

  it("gives up on a peer that is down, silent, or hangs up", async () => {
    const silent = createTcpServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as AddressInfo;
    const tlsFingerprint = certificates[0]!.fingerprint;
    const startedMs = performance.now();
    await expectCode(
      () => client.catalogue({ endpoint: `https://127.0.0.1:${port}`, tlsFingerprint }),
      "peer_unreachable",
    );
    expect(performance.now() - startedMs).to.be.lessThan(2_000);
    silent.close();
    await expectCode(
      () => client.catalogue({ endpoint: "https://127.0.0.1:9", tlsFingerprint }),
      "peer_unreachable",
    );
    const rude = await peerThat((request) => void request.socket.destroy());
    await expectCode(() => client.catalogue(rude), "peer_unreachable");
    const mute = await peerThat(() => undefined);
    const error = await expectCode(() => client.catalogue(mute), "peer_unreachable");
    expect(error.message).to.include("1000 ms");
  });

  it("gives up on an answer that never ends, or is too long", async () => {
    const slow = await peerThat((_request, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const drip = setInterval(() => response.write(" "), 100);
      response.once("close", () => clearInterval(drip));
    });
    await expectCode(() => client.catalogue(slow), "peer_unreachable");
    const long = await peerThat(send(200, Buffer.alloc(3 * 1024 * 1024, " ")));
    await expectCode(() => client.catalogue(long), "peer_answer_invalid");
    const endless = await peerThat((_request, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const flood = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, " ")));
      };
      response.on("drain", flood);
      flood();
    });
    await expectCode(() => client.catalogue(endless), "peer_answer_invalid");
  });

  it("follows no redirection", async () => {
    const peer = await peerThat((_request, response) => {
      response.writeHead(302, { location: "https://127.0.0.1:9/elsewhere" }).end();
    });
    await expectCode(() => client.catalogue(peer), "peer_answer_invalid");
    expect(seen).to.have.length(1);
  });

  it("refuses answers that two readers could read differently", async () => {
    for (const text of [
      '{"a":1,"a":2}',
      '{"__proto__":{}}',
      `${"[".repeat(99)}${"]".repeat(99)}`,
      "nothing",
      "",
    ]) {
      await expectCode(async () => client.catalogue(await peerThat(send(200, text))), "peer_answer_invalid");
    }
    await expectCode(
      async () => client.catalogue(await peerThat(send(200, "{}", "text/html"))),
      "peer_answer_invalid",
    );
    const bytes = Buffer.from([0x22, 0xff, 0x22]);
    await expectCode(async () => client.catalogue(await peerThat(send(200, bytes))), "peer_answer_invalid");
  });

  it("passes on a peer's error under its own code, naming the endpoint", async () => {
    const peer = await peerThat(send(400, problem("entry_closed"), "application/problem+json"));
    const error = await expectCode(() => client.countersign(peer, "0x01", "0x02"), "entry_closed");
    expect(error.message).to.equal(`${peer.endpoint} refuses: A reason.`);
    expect(error.fields.endpoint).to.equal(peer.endpoint);
  });

  it("believes no code that it does not know", async () => {
    for (const code of ["made_up", "toString", "__proto__"]) {
      const peer = await peerThat(send(400, problem(code), "application/problem+json"));
      await expectCode(() => client.catalogue(peer), "peer_answer_invalid");
    }
    const html = await peerThat(send(502, "<html>", "text/html"));
    await expectCode(() => client.catalogue(html), "peer_answer_invalid");
  });

  it("gives a question's exact bytes, and a logged refusal as canonical JSON", async () => {
    const exact = '{"b":1, "a":2}';
    const answering = await peerThat(send(200, exact));
    expect(await client.authorise(answering, signed, "proof")).to.deep.equal({
      outcome: "authorised",
      body: exact,
    });
    expect(await client.answer(answering, "token", "proof")).to.deep.equal({
      outcome: "answered",
      body: exact,
    });
    const text = problem("budget_exhausted", { reply: { b: 1, a: [2] } });
    const refusing = await peerThat(send(403, text, "application/problem+json"));
    expect(await client.answer(refusing, "token", "proof")).to.deep.equal({
      outcome: "refused",
      body: '{"a":[2],"b":1}',
    });
    const unlogged = await peerThat(send(401, problem("proof_replayed"), "application/problem+json"));
    await expectCode(() => client.answer(unlogged, "token", "proof"), "proof_replayed");
  });

  it("sends token and proof as headers", async () => {
    let headers: IncomingMessage["headers"] = {};
    const peer = await peerThat((request, response) => {
      headers = request.headers;
      send(200, "{}")(request, response);
    });
    await client.answer(peer, "token", "proof");
    expect(headers).to.include({ authorization: "DPoP token", dpop: "proof" });
    expect(headers["content-length"] ?? "0").to.equal("0");
  });

  it("tells a missing manifest from a refused one", async () => {
    const without = await peerThat(send(404, problem("algorithm_unknown"), "application/problem+json"));
    expect(await client.manifest(without, "0x01")).to.equal(undefined);
    const broken = await peerThat(send(500, problem("internal"), "application/problem+json"));
    await expectCode(() => client.manifest(broken, "0x01"), "internal");
    const other = await peerThat(send(404, problem("not_found"), "application/problem+json"));
    await expectCode(() => client.manifest(other, "0x01"), "not_found");
  });

  it("ends calls under way when it is closed", async () => {
    const peer = await peerThat(() => undefined);
    const answer = expectCode(() => client.answer(peer, "token", "proof"), "peer_unreachable");
    setTimeout(() => void client.close(), 100);
    await answer;
  });
});
