/** A certified directory that hands on what another one says, changed as its owner likes: a machine in the network, not our software. */
import { once } from "node:events";
import { createServer, type Server } from "node:https";
import { join } from "node:path";
import { EthereumDirectoryWriter } from "../../node/adapters/ethereum/ethereum-directory-writer.ts";
import { openTlsCertificate } from "../../node/adapters/keys/tls-certificate.ts";
import { sha256Hex } from "../../node/primitives/hex.ts";
import { call } from "./https-call.ts";
import { type Network, passphrase } from "./network.ts";

export class LyingDirectory {
  readonly endpoint: string;
  /** What it makes of an honest search result. */
  lie: (text: string) => string = (text) => text;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.endpoint = `https://127.0.0.1:${(server.address() as { port: number }).port}`;
  }

  static async start(network: Network, honestEndpoint: () => string): Promise<LyingDirectory> {
    const account = network.take("directory");
    const { folder } = await network.makeNode(["directory"], account);
    const files = { certFile: join(folder, "tls.pem"), keyFile: join(folder, "tls-key.pem") };
    const tls = await openTlsCertificate(files, passphrase);
    const server = createServer({ cert: tls.certPem, key: tls.keyPem, minVersion: "TLSv1.3" });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const directory = new LyingDirectory(server);
    server.on("request", async (request, response) => {
      const isSearch = request.url!.startsWith("/v1/directory/datasets");
      const honest = isSearch && (await call(honestEndpoint(), `GET ${request.url}`));
      response.setHeader("content-type", "application/json");
      request.resume();
      response.end(honest ? directory.lie(honest.text) : "{}");
    });
    const writer = new EthereumDirectoryWriter({ chain: network.chain, sender: network.sender(account) });
    await writer.setEntry("directory", directory.endpoint, tls.fingerprint, sha256Hex("whatever"));
    return directory;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}
