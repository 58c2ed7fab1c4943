import { X509Certificate } from "node:crypto";
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createServer } from "node:tls";
import { expect } from "chai";
import {
  createTlsCertificate,
  openTlsCertificate,
  type TlsCertificate,
} from "../../../../node/adapters/keys/tls-certificate.ts";
import { sha256Hex } from "../../../../node/primitives/hex.ts";
import { codeOf } from "../../../ports/anchor-chain.ts";

describe("a node's TLS certificate", () => {
  let folder: string;
  let files: { certFile: string; keyFile: string };
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "tls-certificate-"));
    files = { certFile: join(folder, "tls", "cert.pem"), keyFile: join(folder, "tls", "key.pem") };
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("serves TLS 1.3, and its fingerprint is what a client sees", async () => {
    await createTlsCertificate(files, "open sesame");
    const certificate = await openTlsCertificate(files, "open sesame");
    for (const name of ["localhost", "127.0.0.1"]) {
      const seen = await handshake(certificate, name);
      expect(seen.authorized, seen.error).to.equal(true);
      expect(seen.fingerprint).to.equal(certificate.fingerprint);
      expect(seen.protocol).to.equal("TLSv1.3");
    }
  });

  it("is refused under a name that it does not hold", async () => {
    const certificate = await createTlsCertificate(files, "open sesame", { names: ["repository.example"] });
    expect((await handshake(certificate, "repository.example")).authorized).to.equal(true);
    expect((await handshake(certificate, "directory.example")).error).to.match(/ALTNAME/);
  });

  it("holds names, addresses of both kinds, uses and validity as asked", async () => {
    const nowMs = Date.UTC(2049, 11, 1);
    const names = ["repository.example", "192.0.2.7", "2001:db8::7", "::1"];
    const { certPem, notAfterMs } = await createTlsCertificate(files, "x", { names, nowMs, validDays: 60 });
    const certificate = new X509Certificate(certPem);
    expect(certificate.subjectAltName).to.equal(
      "DNS:repository.example, IP Address:192.0.2.7, IP Address:2001:DB8:0:0:0:0:0:7, IP Address:0:0:0:0:0:0:0:1",
    );
    expect(certificate.ca).to.equal(false);
    expect(certificate.keyUsage).to.deep.equal(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
    expect(certificate.publicKey.asymmetricKeyDetails?.namedCurve).to.equal("prime256v1");
    expect(certificate.verify(certificate.publicKey)).to.equal(true);
    expect(notAfterMs).to.equal(nowMs + 60 * 86_400_000);
    expect(certificate.validFromDate.getTime()).to.equal(nowMs - 300_000);
  });

  it("has a new serial number each time", async () => {
    const serials = new Set<string>();
    for (let i = 0; i < 20; i++) {
      const here = { certFile: join(folder, `${i}.pem`), keyFile: join(folder, `${i}.key`) };
      serials.add(new X509Certificate((await createTlsCertificate(here, "x")).certPem).serialNumber);
    }
    expect(serials.size).to.equal(20);
  });

  it("keeps the key encrypted, for its owner alone", async () => {
    const { keyPem } = await createTlsCertificate(files, "open sesame");
    const text = await readFile(files.keyFile, "utf8");
    expect(text).to.match(/^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
    expect(text).not.to.contain(keyPem.split("\n")[1]);
    expect((await stat(files.keyFile)).mode & 0o777).to.equal(0o600);
  });

  it("says what is wrong", async () => {
    expect(await codeOf(openTlsCertificate(files, "x"))).to.equal("key_not_found");
    await createTlsCertificate(files, "open sesame");
    expect(await codeOf(createTlsCertificate(files, "another"))).to.equal("key_exists");
    expect(await codeOf(openTlsCertificate(files, "open simsim"))).to.equal("key_wrong_passphrase");
    const other = { certFile: join(folder, "other.pem"), keyFile: join(folder, "other.key") };
    const { keyPem } = await createTlsCertificate(other, "open sesame");
    const mixed = { certFile: other.certFile, keyFile: files.keyFile };
    expect(await codeOf(openTlsCertificate(mixed, "open sesame"))).to.equal("key_file_invalid");
    await chmod(files.keyFile, 0o644);
    expect(await codeOf(openTlsCertificate(files, "open sesame"))).to.equal("key_file_readable_by_others");
    await chmod(files.keyFile, 0o600);
    await writeFile(files.keyFile, keyPem); // in clear
    expect(await codeOf(openTlsCertificate(files, "open sesame"))).to.equal("key_file_invalid");
    await writeFile(other.certFile, "no certificate");
    expect(await codeOf(openTlsCertificate(other, "open sesame"))).to.equal("key_file_invalid");
  });
});

/** What a client that trusts this certificate alone sees when it connects to `servername`. */
async function handshake({ certPem, keyPem }: TlsCertificate, name: string) {
  const server = createServer({ cert: certPem, key: keyPem, minVersion: "TLSv1.3" });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const isAddress = /^\d/.test(name);
  try {
    return await new Promise<{ authorized: boolean; fingerprint: string; protocol: string; error: string }>(
      (resolve, reject) => {
        const options = { host: "127.0.0.1", port, ca: [certPem], rejectUnauthorized: false };
        const socket = connect(isAddress ? options : { ...options, servername: name }, () => {
          const seen = {
            authorized: socket.authorized,
            fingerprint: sha256Hex(socket.getPeerCertificate().raw),
            protocol: String(socket.getProtocol()),
            error: String(socket.authorizationError ?? ""),
          };
          socket.destroy();
          resolve(seen);
        });
        socket.on("error", reject);
      },
    );
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}
