import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { createTlsCertificate } from "../../../../node/adapters/keys/tls-certificate.ts";
import { limits, manifestOf, planOf, rowCount } from "../../../ports/data-files.ts";
import { expectCode } from "../../../support/errors.ts";
import { type PostgresServer, startPostgres } from "../../../support/postgresql-server.ts";
import { type PostgresUnderTest, postgresUnderTest, reader, visitsColumns } from "./under-test.ts";

describe("the connection to a PostgreSQL that asks for TLS and a password", () => {
  const folder = mkdtempSync(join(tmpdir(), "itd-secure-"));
  const passwordFile = join(folder, "pgpass");
  const environment = { PGPASSWORD: process.env.PGPASSWORD, PGPASSFILE: process.env.PGPASSFILE };
  let server: PostgresServer;
  let data: PostgresUnderTest;
  const certificate = async (name: string, names: string[]) => {
    const files = { certFile: join(folder, `${name}.pem`), keyFile: join(folder, `${name}.key`) };
    return await createTlsCertificate(files, "passphrase", { names });
  };

  before(async () => {
    const { certPem, keyPem } = await certificate("server", ["127.0.0.1"]);
    await certificate("other", ["127.0.0.1"]);
    server = await startPostgres({
      authentication: "scram-sha-256",
      tls: { certificate: certPem, key: keyPem },
    });
    data = await postgresUnderTest(server);
    await server.sql(
      `ALTER ROLE ${reader} PASSWORD 's3cret:word'; CREATE TABLE visits (${visitsColumns}); GRANT SELECT ON visits TO ${reader}`,
    );
    writeFileSync(passwordFile, `*:*:*:${reader}:s3cret\\:word\n`, { mode: 0o600 });
    delete process.env.PGPASSWORD;
  });
  after(async () => {
    for (const [name, value] of Object.entries(environment)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    await data.dispose();
    await server.stop();
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => {
    process.env.PGPASSFILE = passwordFile;
    chmodSync(passwordFile, 0o600);
  });

  const url = (root: string, host = "127.0.0.1") =>
    data
      .url("visits", `&sslmode=verify-full&sslrootcert=${encodeURIComponent(join(folder, root))}`)
      .replace("127.0.0.1", host);
  const connect = (address: string) => data.postgres.importFile(address, manifestOf());
  const refused = async (address: string, pattern: RegExp) => {
    const error = await expectCode(() => connect(address), "database_unreachable");
    expect(error.message).to.match(pattern);
    expect(`${error.message}${JSON.stringify(error.fields)}${error.stack}`).to.not.contain("s3cret");
  };

  it("takes the server's certificate and the password of the file", async () => {
    await connect(url("server.pem"));
    expect((await data.engine.execute("visits", planOf([rowCount]), limits)).vectors).to.deep.equal([[0n]]);
    const [session] = await server.sql(
      `SELECT bool_and(ssl) AS ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = '${reader}'`,
    );
    expect(session!.ssl).to.equal(true);
  });

  it("refuses another certificate, and one for another host", async () => {
    await refused(url("other.pem"), /self-signed certificate/);
    await refused(url("server.pem", "localhost"), /altnames|does not match/i);
    await refused(url("none.pem"), /ENOENT/);
  });

  it("refuses a wrong password, none, and a file that others may read", async () => {
    process.env.PGPASSFILE = join(folder, "none");
    await refused(url("server.pem"), /asks for a password, and none is in PGPASSWORD/);
    const wrong = join(folder, "wrong");
    writeFileSync(wrong, `*:*:*:${reader}:s3cret-but-wrong\n`, { mode: 0o600 });
    process.env.PGPASSFILE = wrong;
    await refused(url("server.pem"), /password authentication failed/);
    process.env.PGPASSFILE = passwordFile;
    chmodSync(passwordFile, 0o644);
    await expectCode(() => connect(url("server.pem")), "key_file_readable_by_others");
  });

  it("prefers the password of the environment", async () => {
    process.env.PGPASSFILE = join(folder, "none");
    process.env.PGPASSWORD = "s3cret:word";
    await connect(url("server.pem"));
    delete process.env.PGPASSWORD;
  });
});
