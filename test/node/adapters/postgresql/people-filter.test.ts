import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { parseDatabaseUrl } from "../../../../node/adapters/postgresql/database-address.ts";
import { DatabaseConnections } from "../../../../node/adapters/postgresql/database-connections.ts";
import { datasetSources } from "../../../../node/adapters/postgresql/dataset-tables.ts";
import { KnownPeople } from "../../../../node/adapters/postgresql/people-filter.ts";
import { readTableFacts } from "../../../../node/adapters/postgresql/table-facts.ts";
import { personHash } from "../../../../node/data-sharing/consent/person-hash.ts";
import type { PeopleFilter } from "../../../../node/data-sharing/ports.ts";
import { testConsentingEngine } from "../../../ports/consenting-engine.ts";
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

/** In this order; more come at the end only. */
const enrolled = [...nasty, "stranger"];

describe("consent on PostgreSQL", () => {
  describe("as a plan engine", () => {
    let server: PostgresServer;
    before(async () => {
      server = await startPostgres();
    });
    after(() => server.stop());
    testConsentingEngine(async () => ({
      ...(await postgresUnderTest(server, { engine: { personSecret: async () => secret } })),
      hashOf: async () => (person) => personHash(secret, "visits", person),
    }));
  });

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
    expect(await ask(filterOf("visits", enrolled, (person) => person === "stranger"))).to.deep.equal([
      0n,
      0n,
    ]);
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
    expect((await ask(filterOf("visits", [...enrolled, "late"], (person) => person === "late")))[0]).to.equal(
      1n,
    );
  });

  describe("for a person who shares a bit with one who takes part, and takes none", () => {
    const table = "shared";
    /** The hash's 16 bits are those of "a": so few people share 2^16. */
    let twin: string;
    let people: PeopleFilter;
    before(async () => {
      const [found] = await server.sql(
        "SELECT 'q' || n AS person FROM generate_series(1, 1000000) AS n WHERE hashtextextended('q' || n, 0) & 65535 = hashtextextended('a', 0) & 65535 LIMIT 1",
      );
      twin = String(found!.person);
      people = filterOf(table, ["a", "b"], () => true);
    });
    beforeEach(async () => {
      await server.sql(
        `DO $$ BEGIN DROP VIEW IF EXISTS shared; EXCEPTION WHEN wrong_object_type THEN NULL; END $$;
         DROP TABLE IF EXISTS shared, other, hidden CASCADE;
         CREATE TABLE shared (person text, age integer NOT NULL, "else" text); GRANT SELECT ON shared TO ${reader};
         INSERT INTO shared VALUES ('a', 1, '${twin}'), ('b', 2, 'b')`,
      );
      await data.postgres.importFile(data.url(table), manifest());
    });
    const manifest = () =>
      manifestOf({
        name: table,
        table,
        consent: "required",
        rowsPerPerson: 1,
        columns: { age: { type: "integer", bounds: [0, 1000], nullable: false } },
      });
    const ages = planOf([rowCount, sumOf(column("age"), 0n, 1000n)], {
      rows: {
        sources: [{ kind: "table", table, rowsPerPerson: 1 }],
        publicJoins: [],
        filter: { kind: "always" },
      },
    });
    const asked = async (of = people) =>
      (await data.engine.execute(table, ages, limits, of)).vectors.map((vector) => vector[0]);
    const insertTwin = (into = table) =>
      server.sql(`INSERT INTO ${into} (person, age) VALUES ($1, 100)`, [twin]);

    it("counts nobody else, whoever of the two takes part", async () => {
      await insertTwin();
      expect(await asked()).to.deep.equal([2n, 3n]);
      const both = ["a", "b", twin];
      for (const one of both)
        expect((await asked(filterOf(table, both, (person) => person === one)))[0]).to.equal(1n);
      expect(await asked(filterOf(table, both, () => true))).to.deep.equal([3n, 103n]);
    });

    for (const [what, statements] of [
      ["whose row comes later", ""],
      [
        "whose row takes the place of another",
        "UPDATE shared SET person = TWIN, age = 100 WHERE person = 'b'; VACUUM shared;",
      ],
      [
        "whose table takes the place of the table",
        "ALTER TABLE shared RENAME TO hidden; ALTER TABLE other RENAME TO shared;",
      ],
      [
        "whose column takes the place of the person's",
        'ALTER TABLE shared RENAME COLUMN person TO former; ALTER TABLE shared RENAME COLUMN "else" TO person;',
      ],
      ["whose table comes to inherit from the table", "ALTER TABLE other INHERIT shared;"],
      ["whose table is written anew", "INSERT INTO shared SELECT * FROM other; VACUUM FULL shared;"],
      ["whose table is filled anew", "TRUNCATE shared; INSERT INTO shared SELECT * FROM other;"],
      [
        "behind a view from then on",
        "ALTER TABLE shared RENAME TO hidden; CREATE VIEW shared AS SELECT person, age FROM hidden UNION ALL SELECT person, age FROM other; GRANT SELECT ON shared TO READER;",
      ],
      [
        "whom a rule hid until then",
        "DROP POLICY rule ON shared; CREATE POLICY rule ON shared USING (true);",
      ],
    ] as const)
      it(`counts none ${what}`, async () => {
        await server.sql(`CREATE TABLE other (LIKE shared); GRANT SELECT ON other TO ${reader}`);
        await insertTwin("other");
        if (what.includes("rule"))
          await server.sql(
            `INSERT INTO shared SELECT * FROM other; ALTER TABLE shared ENABLE ROW LEVEL SECURITY; CREATE POLICY rule ON shared USING (age < 100)`,
          );
        expect(await asked()).to.deep.equal([2n, 3n]);
        expect(await asked()).to.deep.equal([2n, 3n]);
        if (statements === "") await insertTwin();
        for (const statement of statements.split(/(?<=;) ?/).filter((one) => one !== ""))
          await server.sql(statement.replaceAll("TWIN", `'${twin}'`).replaceAll("READER", reader));
        const answers = [await asked(), await asked()];
        expect(answers[1]).to.deep.equal(answers[0]);
        expect(Number(answers[0]![1])).to.be.lessThan(100);
      });

    it("counts none who was there at a question's moment and gone at that of another one", async () => {
      const { address } = parseDatabaseUrl(data.url(table));
      const connections = new DatabaseConnections(2);
      const known = new KnownPeople(table, secret);
      const count = async (work: () => Promise<unknown> = async () => {}) => {
        const takingPart = known.prepare(people);
        return await connections.inSnapshot(address, limits, async (session) => {
          await session.rows("SELECT 1");
          await work();
          const names = { [table]: parseDatabaseUrl(data.url(table)).table };
          const sources = datasetSources(
            manifest(),
            names,
            await readTableFacts(session.client, [names[table]!]),
          );
          const { condition, values } = await takingPart(sources, session);
          const [row] = await session.rows(
            `SELECT count(*) FROM public.shared AS t WHERE ${condition("t.person")}`,
            values,
          );
          return Number(row![0]);
        });
      };
      expect(await count()).to.equal(2);
      await insertTwin();
      const meanwhile = await count(async () => {
        await server.sql("DELETE FROM shared WHERE age = 100");
        expect(await count()).to.equal(2);
      });
      expect(meanwhile).to.equal(2);
      await connections.close();
    });

    it("goes through rows that were written since, and not through the others", async () => {
      expect(await asked()).to.deep.equal([2n, 3n]);
      await server.sql("UPDATE shared SET age = age + 1");
      expect(await asked()).to.deep.equal([2n, 5n]);
      await server.sql("INSERT INTO shared VALUES ('late', 7, NULL)");
      expect(await asked(filterOf(table, ["a", "b", "late"], (person) => person === "late"))).to.deep.equal([
        1n,
        7n,
      ]);
    });
  });

  it("counts no integer that nobody enrolled, between, below or above the others", async () => {
    await server.sql(
      `CREATE TABLE few (person integer PRIMARY KEY, age integer NOT NULL); GRANT SELECT ON few TO ${reader}; INSERT INTO few VALUES (-5, 1), (2147483, 2), (7, 4)`,
    );
    await data.postgres.importFile(
      data.url("few"),
      manifestOf({
        name: "few",
        table: "few",
        consent: "required",
        rowsPerPerson: 1,
        columns: { age: { type: "integer", bounds: [0, 1000], nullable: false } },
      }),
    );
    const sum = planOf([sumOf(column("age"), 0n, 1000n)], {
      rows: {
        sources: [{ kind: "table", table: "few", rowsPerPerson: 1 }],
        publicJoins: [],
        filter: { kind: "always" },
      },
    });
    const persons = ["-5", "2147483", "7"];
    const all = filterOf("few", persons, () => true);
    const asked = async () => (await data.engine.execute("few", sum, limits, all)).vectors[0]![0];
    expect(await asked()).to.equal(7n);
    // Too far apart for a bit each; without one of them they are not.
    await server.sql("DELETE FROM few WHERE person > 1000");
    await server.sql("VACUUM FULL few");
    expect(await asked()).to.equal(5n);
    await server.sql(
      "INSERT INTO few VALUES (-6, 8), (-2147483648, 16), (2147483647, 32), (0, 64), (8, 128)",
    );
    expect(await asked()).to.equal(5n);
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
