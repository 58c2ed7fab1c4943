import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { personHash } from "../../../../node/data-sharing/consent/person-hash.ts";
import type { PeopleFilter } from "../../../../node/data-sharing/ports.ts";
import { column, limits, manifestOf, planOf, rowCount, sumOf } from "../../../ports/data-files.ts";
import { expectCode } from "../../../support/errors.ts";
import { type PostgresServer, startPostgres } from "../../../support/postgresql-server.ts";
import { type PostgresUnderTest, postgresUnderTest, reader, visitsColumns } from "./under-test.ts";

const secret = randomBytes(32);
const nasty = [
  "a",
  "A",
  "a ",
  "ä",
  "1",
  "01",
  "x,y",
  "{b}",
  "NULL",
  '"q"',
  "\u0001",
  "\u0002z",
  "line\nfeed",
  "\\",
];

describe("consent on PostgreSQL", () => {
  let server: PostgresServer;
  let data: PostgresUnderTest;
  before(async () => {
    server = await startPostgres();
    data = await postgresUnderTest(server, { engine: { personSecret: async () => secret } });
    await server.sql(
      `CREATE TABLE visits (${visitsColumns}); CREATE TABLE patients (person text PRIMARY KEY, height integer NOT NULL);
       CREATE TABLE numbered (person bigint PRIMARY KEY, age integer NOT NULL); INSERT INTO numbered SELECT n, n FROM generate_series(1, 100) AS n;
       GRANT SELECT ON visits, patients, numbered TO ${reader}`,
    );
    for (const [at, person] of nasty.entries()) {
      await server.sql("INSERT INTO visits VALUES ($1, NULL, NULL, 1, NULL, NULL, $2)", [person, 2 ** at]);
      await server.sql("INSERT INTO patients VALUES ($1, 2)", [person]);
    }
    const height = { type: "integer" as const, bounds: [0, 9] as [number, number], nullable: false };
    await data.postgres.importFile(
      data.url("visits", "&table.patients=patients"),
      manifestOf({
        consent: "required",
        furtherTables: { patients: { rowsPerPerson: 1, columns: { height } } },
      }),
    );
    await data.postgres.importFile(
      data.url("numbered"),
      manifestOf({
        name: "numbered",
        consent: "required",
        rowsPerPerson: 1,
        columns: { age: { type: "integer", bounds: [0, 1000], nullable: false } },
      }),
    );
  });
  after(async () => {
    await data.dispose();
    await server.stop();
  });

  /** Of persons in the order of enrolment. */
  function filterOf(
    dataset: string,
    persons: readonly string[],
    taking: (person: string) => boolean,
  ): PeopleFilter {
    const bits = new Uint8Array(Math.ceil(persons.length / 8));
    for (const [at, person] of persons.entries()) if (taking(person)) bits[at >> 3]! |= 1 << (at & 7);
    return {
      purpose: "dpv:ResearchAndDevelopment",
      hashes: () => Buffer.concat(persons.map((person) => personHash(secret, dataset, person))),
      takingPart: () => bits,
    };
  }
  const plan = planOf([rowCount, sumOf(column("large"), 0n, 2n ** 40n)]);
  const ask = async (people: PeopleFilter, of = plan) =>
    (await data.engine.execute("visits", of, limits, people)).vectors.map((vector) => vector[0]);

  it("answers over each person who takes part, whatever the name, and over nobody else", async () => {
    for (const [at, person] of nasty.entries())
      expect(await ask(filterOf("visits", nasty, (other) => other === person)), person).to.deep.equal([
        1n,
        BigInt(2 ** at),
      ]);
    expect(await ask(filterOf("visits", nasty, () => true))).to.deep.equal([
      BigInt(nasty.length),
      BigInt(2 ** nasty.length - 1),
    ]);
    expect(await ask(filterOf("visits", nasty, () => false))).to.deep.equal([0n, 0n]);
    expect(await ask(filterOf("visits", ["stranger"], () => true))).to.deep.equal([0n, 0n]);
    expect(await ask(filterOf("visits", [], () => true))).to.deep.equal([0n, 0n]);
  });

  it("does so in every table of a join, and for persons who are numbers", async () => {
    const sources = ["visits", "patients"].map((table) => ({
      kind: "table" as const,
      table,
      rowsPerPerson: 1,
    }));
    const joined = planOf([rowCount, sumOf(column("1.height"), 0n, 9n)], {
      rows: { sources, publicJoins: [], filter: { kind: "always" } },
    });
    const three = new Set(nasty.slice(3, 6));
    expect(
      await ask(
        filterOf("visits", nasty, (person) => three.has(person)),
        joined,
      ),
    ).to.deep.equal([3n, 6n]);
    const persons = Array.from({ length: 100 }, (_, at) => String(at + 1));
    const even = filterOf("numbered", persons, (person) => Number(person) % 2 === 0);
    const ages = planOf([rowCount, sumOf(column("age"), 0n, 1000n)], { rowsPerPerson: 1 });
    const rows = { ...ages.rows };
    const { vectors } = await data.engine.execute("numbered", { ...ages, rows }, limits, even);
    expect(vectors).to.deep.equal([[50n], [2550n]]);
  });

  it("heeds a withdrawal at once, and one who is enrolled later", async () => {
    const consenting = new Set(["a", "A"]);
    expect(await ask(filterOf("visits", nasty, (person) => consenting.has(person)))).to.deep.equal([2n, 3n]);
    consenting.delete("a");
    expect(await ask(filterOf("visits", nasty, (person) => consenting.has(person)))).to.deep.equal([1n, 2n]);
    await server.sql("INSERT INTO visits VALUES ('late', NULL, NULL, 1, NULL, NULL, 0)");
    expect((await ask(filterOf("visits", [...nasty, "late"], (person) => person === "late")))[0]).to.equal(
      1n,
    );
  });

  it("is never left out, nor put in where none is needed", async () => {
    await expectCode(() => data.engine.execute("visits", plan, limits), "engine_failed");
    const free = await postgresUnderTest(server);
    await free.postgres.importFile(free.url("visits"), manifestOf());
    await expectCode(
      () =>
        free.engine.execute(
          "visits",
          plan,
          limits,
          filterOf("visits", nasty, () => true),
        ),
      "engine_failed",
    );
    await free.dispose();
  });
});
