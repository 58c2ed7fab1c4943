import { expect } from "chai";
import { isDatabaseUrl, parseDatabaseUrl } from "../../../../node/adapters/postgresql/database-address.ts";
import { passwordIn } from "../../../../node/adapters/postgresql/password-file.ts";
import { expectCode } from "../../../support/errors.ts";

describe("the address of a database", () => {
  it("is read with all its parts", () => {
    expect(
      parseDatabaseUrl(
        "postgres://u%20ser@db.example.org:6432/d%2Fb?table=clinic.visits&table.patients=%22a.b%22.%22c%22%22d%22&bounded=visits,patients&sslrootcert=/etc/ca.pem",
      ),
    ).to.deep.equal({
      address: {
        user: "u ser",
        host: "db.example.org",
        port: 6432,
        database: "d/b",
        tls: "verify-full",
        rootCertificateFile: "/etc/ca.pem",
      },
      table: { schema: "clinic", table: "visits" },
      furtherTables: { patients: { schema: "a.b", table: 'c"d' } },
      bounded: ["visits", "patients"],
    });
    expect(parseDatabaseUrl("postgresql://u@localhost/d?table=visits")).to.deep.equal({
      address: {
        user: "u",
        host: "localhost",
        port: 5432,
        database: "d",
        tls: "none",
        rootCertificateFile: null,
      },
      table: { schema: "public", table: "visits" },
      furtherTables: {},
      bounded: [],
    });
    expect(parseDatabaseUrl("postgres://u@[::1]:5433/d?table=t").address).to.include({
      host: "::1",
      tls: "none",
    });
    expect(parseDatabaseUrl("postgres://u@x/d?table=t&host=/var/run/postgresql").address).to.include({
      host: "/var/run/postgresql",
      tls: "none",
    });
    expect(parseDatabaseUrl("postgres://u@127.0.0.1/d?table=t&sslmode=verify-full").address.tls).to.equal(
      "verify-full",
    );
    expect(
      ["postgres://x", "postgresql://x", "visits.csv", "/postgres://x"].map(isDatabaseUrl),
    ).to.deep.equal([true, true, false, false]);
  });

  const wrong: [string, RegExp][] = [
    ["postgres://u@h/d", /which table/],
    ["postgres://h/d?table=t", /user is missing/],
    ["postgres://u@h/?table=t", /database is missing/],
    ["postgres://u@h:0/d?table=t", /port is missing or wrong/],
    ["postgres://u@h:99999/d?table=t", /write postgres/],
    ["postgres://u@h/d?table=t&table=u", /the option table is given twice/],
    ["postgres://u@h/d?table=a.b.c", /written SCHEMA\.TABLE/],
    [`postgres://u@h/d?table=${"x".repeat(64)}`, /63 bytes/],
    ["postgres://u@h/d?table=t&options=-csearch_path%3Dx", /the option options is not known/],
    ["postgres://u@h/d?table=t&table.Bad=t", /an option is not known/],
    ["postgres://u@h/d?table=t&sslmode=require", /sslmode is verify-full/],
    ["postgres://u@h/d?table=t&sslmode=disable", /sslmode is verify-full/],
    ["postgres://u@127.evil.example/d?table=t&sslmode=disable", /sslmode is verify-full/],
    ["postgres://u@localhost/d?table=t&sslmode=prefer", /sslmode is verify-full/],
    ["postgres://u@h/d?table=t&sslrootcert=ca.pem", /absolute path/],
    ["postgres://u@%zz/d?table=t", /write postgres/],
  ];
  for (const [url, pattern] of wrong)
    it(`is refused: ${url.slice(0, 80)}`, async () => {
      const error = await expectCode(() => parseDatabaseUrl(url), "database_address_invalid");
      expect(error.message).to.match(pattern);
    });

  it("never holds a password, nor does the error that says so", async () => {
    for (const url of [
      "postgres://u:s3cr%65t@h/d?table=t",
      "postgres://u:s3cret@h",
      "postgres://u@h/d?table=t&password=s3cret",
      "postgres://u@h/d?table=t&s3cret=1",
    ]) {
      const error = await expectCode(() => parseDatabaseUrl(url), "database_address_invalid");
      expect(`${error.message} ${JSON.stringify(error.fields)}`).to.not.contain("s3cr");
    }
  });

  it("finds its password in the lines of a password file", () => {
    const address = { ...parseDatabaseUrl("postgres://u%3A1@h:1/d?table=t").address };
    const file =
      "# h:1:d:u\\:1:comment\nother:1:d:u\\:1:no\nh:2:d:u\\:1:no\nh:1:d:u\nh:*:d:u\\:1:se\\:cr\\\\et:more\n*:*:*:*:last\n";
    expect(passwordIn(file, address)).to.equal("se:cr\\et:more");
    expect(passwordIn(file, { ...address, user: "v" })).to.equal("last");
    expect(passwordIn("", address)).to.equal(undefined);
    expect(passwordIn("localhost:1:d:v:x", { ...address, host: "/run", user: "v" })).to.equal("x");
  });
});
