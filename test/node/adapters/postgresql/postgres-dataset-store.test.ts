import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import type { DatasetManifest } from "../../../../node/data-sharing/manifests/dataset-manifest.ts";
import type { GroupKey } from "../../../../node/data-sharing/plan/plan.ts";
import { column, limits, manifestOf, planOf, rowCount, sumOf } from "../../../ports/data-files.ts";
import { expectCode } from "../../../support/errors.ts";
import { database, type PostgresServer, startPostgres } from "../../../support/postgresql-server.ts";
import { type PostgresUnderTest, postgresUnderTest, reader, visitsColumns } from "./under-test.ts";

type Columns = DatasetManifest["columns"];

describe("the PostgreSQL dataset store", () => {
  let server: PostgresServer;
  let data: PostgresUnderTest;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server.stop());
  beforeEach(async () => {
    data = await postgresUnderTest(server);
    await server.sql(
      `CREATE TABLE visits (${visitsColumns}); GRANT SELECT ON visits TO ${reader};
       INSERT INTO visits VALUES ('a', 'north', 1.5, 30, '1970-01-02', true, 7), ('b', 'nowhere', 2000, 130, NULL, NULL, 8)`,
    );
  });
  afterEach(async () => {
    await data.dispose();
    await server.sql(
      "DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC",
    );
  });

  /** Which values a column has, and in how many rows, as plans see them. */
  async function valuesOf(
    name: string,
    key: Omit<Extract<GroupKey, { kind: "open" }>, "kind" | "expression">,
  ) {
    const keys: GroupKey[] = [{ kind: "open", expression: column(name), ...key }];
    const { groups, vectors } = await data.engine.execute("visits", planOf([rowCount], { keys }), limits);
    return Object.fromEntries(groups!.map(([label], at) => [label!, Number(vectors[0]![at])]));
  }

  it("connects a table, reports what becomes of its values, and reads its rows as they are then", async () => {
    const report = await data.postgres.importFile(data.url("visits"), manifestOf());
    expect(report).to.deep.equal({
      rows: 2,
      people: 2,
      rowsLeftOut: 0,
      clamped: { cost: 1, age: 1 },
      rounded: {},
      madeNull: { region: 1 },
      unfit: {},
      ignoredColumns: [],
      delimiter: null,
    });
    expect(data.postgres.manifests()).to.deep.equal([manifestOf()]);
    const plan = planOf([rowCount, sumOf(column("age"), 0n, 120n)]);
    expect((await data.engine.execute("visits", plan, limits)).vectors).to.deep.equal([[2n], [150n]]);
    await server.sql("DELETE FROM visits WHERE person = 'b'");
    expect((await data.engine.execute("visits", plan, limits)).vectors).to.deep.equal([[1n], [30n]]);
  });

  it("keeps a record for its owner alone, without a password, and takes edits of the manifest in it", async () => {
    await data.postgres.importFile(data.url("visits"), manifestOf());
    const file = join(data.folder, "visits.json");
    expect(statSync(file).mode & 0o777).to.equal(0o600);
    expect(statSync(data.folder).mode & 0o777).to.equal(0o700);
    const text = readFileSync(file, "utf8");
    expect(text).to.not.match(/password/i);
    writeFileSync(file, text.replace('"rowsPerPerson": 5', '"rowsPerPerson": 1'));
    expect(data.postgres.manifests()[0]!.rowsPerPerson).to.equal(1);
    await server.sql("INSERT INTO visits SELECT * FROM visits WHERE person = 'a'");
    const plan = planOf([rowCount], { rowsPerPerson: 5 });
    expect((await data.engine.execute("visits", plan, limits)).vectors).to.deep.equal([[2n]]);
    await expectCode(() => data.engine.requireAvailable("visits", plan), "dataset_unavailable");
    writeFileSync(file, text.slice(1));
    expect(data.postgres.manifests()).to.deep.equal([]);
    await data.postgres.importFile(data.url("visits"), manifestOf());
    expect(data.postgres.manifests()).to.deep.equal([manifestOf()]);
  });

  it("converts every value that PostgreSQL can hold, and fails on none", async () => {
    await server.sql(`
      DROP TABLE visits;
      CREATE TYPE colour AS ENUM ('red', 'green');
      CREATE TABLE visits (person integer PRIMARY KEY, small smallint, amount numeric, fixed numeric(20, 4), whole numeric, wide double precision,
        narrow real, day date, moment timestamp, region text, padded char(8), kind colour, code text, acute boolean, bit integer);
      GRANT SELECT ON visits TO ${reader}`);
    const rows: [string, string[]][] = [
      ["small", ["-32768", "32767", "0"]],
      [
        "amount",
        [
          "1.005",
          "-1.005",
          "0.00499999999999999999",
          "1e30",
          "-1e30",
          "NaN",
          "Infinity",
          "-Infinity",
          "1000.004",
          `1${"0".repeat(3000)}`,
          `0.${"0".repeat(3000)}1`,
        ],
      ],
      ["fixed", ["12.3450", "12.3449", "NaN", "9999999999999999"]],
      ["whole", ["3.0", "3.5", "NaN", "-Infinity", "1e200", "-1e200"]],
      ["wide", ["0.1", "1.005", "-1.005", "1e308", "-1e308", "5e-324", "NaN", "Infinity", "-0"]],
      ["narrow", ["0.1", "1.005", "3e38", "NaN"]],
      [
        "day",
        ["infinity", "-infinity", "4713-01-01 BC", "5874897-12-31", "1970-01-02", "2030-12-31", "2031-01-01"],
      ],
      [
        "moment",
        [
          "infinity",
          "-infinity",
          "4713-01-01 BC",
          "294276-12-31",
          "2020-02-29 23:59:59.999999",
          "2030-12-31 23:59:59",
        ],
      ],
      ["region", ["north", "North", " north", "north ", "", "it's south", "\\", "''; DROP TABLE visits; --"]],
      ["padded", ["north", "it's", "other"]],
      ["kind", ["red", "green"]],
      ["code", ["x".repeat(100), "x".repeat(101), "", "é", "$$", "\\x00"]],
      ["acute", ["true", "false"]],
      ["bit", ["0", "1", "2", "-1"]],
    ];
    let person = 0;
    for (const [name, values] of rows)
      for (const value of values)
        await server.sql(`INSERT INTO visits (person, ${name}) VALUES ($1, $2)`, [person++, value]);
    const columns: Columns = {
      small: { type: "integer", bounds: [-100, 40_000], nullable: true },
      amount: { type: "decimal", scale: 2, bounds: [-100, 1000], nullable: true },
      fixed: { type: "decimal", scale: 2, nullable: true },
      whole: { type: "integer", bounds: [-(2 ** 47), 2 ** 47], nullable: true },
      wide: { type: "decimal", scale: 2, bounds: [-100, 1000], nullable: true },
      narrow: { type: "decimal", scale: 2, nullable: true },
      day: { type: "date", bounds: ["1960-01-01", "2030-12-31"], nullable: true },
      moment: { type: "date", nullable: true },
      region: {
        type: "text",
        domain: ["north", "it's south", "\\", "\0", "''; DROP TABLE visits; --"],
        nullable: true,
      },
      padded: { type: "text", domain: ["north", "it's"], nullable: true },
      kind: { type: "text", domain: ["green", "blue"], nullable: true },
      code: { type: "text", domain: "open", nullable: true },
      acute: { type: "boolean", nullable: true },
      bit: { type: "boolean", nullable: true },
    };
    const report = await data.postgres.importFile(
      data.url("visits"),
      manifestOf({ columns, rowsPerPerson: 1 }),
    );
    const number = (scale: number) => ({ type: "number", scale }) as const;
    expect(await valuesOf("small", number(0))).to.deep.equal({ "-100": 1, "32767": 1, "0": 1 });
    expect(await valuesOf("amount", number(2))).to.deep.equal({
      "1.01": 1,
      "-1.01": 1,
      "0.00": 2,
      "1000.00": 3,
      "-100.00": 1,
    });
    expect(await valuesOf("fixed", number(2))).to.deep.equal({
      "12.35": 1,
      "12.34": 1,
      "9999999999999999.00": 1,
    });
    expect(await valuesOf("whole", number(0))).to.deep.equal({
      "3": 1,
      [String(2n ** 47n)]: 1,
      [String(-(2n ** 47n))]: 1,
    });
    expect(await valuesOf("wide", number(2))).to.deep.equal({
      "0.10": 1,
      "1.01": 1,
      "-1.01": 1,
      "1000.00": 1,
      "-100.00": 1,
      "0.00": 2,
    });
    expect(await valuesOf("narrow", number(2))).to.deep.equal({
      "0.10": 1,
      "1.01": 1,
      "9999999999999999.99": 1,
    });
    expect(await valuesOf("day", { type: "date", scale: 0 })).to.deep.equal({
      "1960-01-01": 1,
      "2030-12-31": 3,
      "1970-01-02": 1,
    });
    expect(await valuesOf("moment", { type: "date", scale: 0 })).to.deep.equal({
      "0001-01-01": 1,
      "9999-12-31": 1,
      "2020-02-29": 1,
      "2030-12-31": 1,
    });
    expect(await valuesOf("region", number(0))).to.deep.equal({ "0": 1, "1": 1, "2": 1, "4": 1 });
    expect(await valuesOf("padded", number(0))).to.deep.equal({ "0": 1, "1": 1 });
    expect(await valuesOf("kind", number(0))).to.deep.equal({ "0": 1 });
    expect(await valuesOf("code", { type: "text", scale: 0 })).to.deep.equal({
      [`${"x".repeat(100)}`]: 1,
      é: 1,
      $$: 1,
      "\\x00": 1,
    });
    expect(await valuesOf("acute", number(0))).to.deep.equal({ "0": 1, "1": 1 });
    expect(await valuesOf("bit", number(0))).to.deep.equal({ "0": 1, "1": 1 });
    // Where a column is not nullable, the rows are those that have a value when it is.
    const plan = planOf([rowCount], { rowsPerPerson: 1 });
    for (const [name, declaredColumn] of Object.entries(columns)) {
      const filled = { ...plan, vectors: [{ kind: "count" as const, of: column(name) }, rowCount] };
      const [having] = (await data.engine.execute("visits", filled, limits)).vectors;
      const strict = { [name]: { ...declaredColumn, nullable: false } };
      await data.postgres.importFile(
        data.url("visits"),
        manifestOf({ name: "strict", columns: strict, rowsPerPerson: 1 }),
      );
      const { vectors } = await data.engine.execute("strict", filled, limits);
      expect(vectors, name).to.deep.equal([having, having]);
    }
    expect(report.rows).to.equal(person);
    expect(report.clamped).to.deep.equal({
      small: 1,
      amount: 4,
      whole: 2,
      wide: 2,
      narrow: 1,
      day: 3,
      moment: 2,
    });
    expect(report.rounded).to.deep.equal({ amount: 5, fixed: 2, wide: 3, narrow: 1, moment: 2 });
    expect(report.madeNull).to.deep.equal({
      amount: 3,
      fixed: 1,
      whole: 3,
      wide: 2,
      narrow: 1,
      day: 2,
      moment: 2,
      region: 3,
      padded: 1,
      kind: 1,
      code: 1,
      bit: 2,
    });
  });

  it("leaves out rows of nobody and rows without a value that is declared, and says so", async () => {
    await server.sql(`
      DELETE FROM visits;
      INSERT INTO visits VALUES (NULL, 'north', 1, 30, NULL, NULL, 7), ('', 'north', 1, 30, NULL, NULL, 7), ('c', 'north', 1, NULL, NULL, NULL, 7),
        ('d', 'north', 1, 30, NULL, NULL, NULL), ('e', 'gone', 1, 31, NULL, NULL, 7), ('f', 'north', 'NaN', 32, NULL, NULL, 7), ('g', 'north', 1, 33, NULL, NULL, 7)`);
    const { columns } = manifestOf();
    const region = { ...columns.region!, nullable: false };
    const report = await data.postgres.importFile(
      data.url("visits"),
      manifestOf({ columns: { ...columns, region } }),
    );
    expect(report).to.deep.include({
      rows: 7,
      people: 5,
      madeNull: { cost: 1 },
      unfit: { person: 2, region: 1, age: 1, large: 1 },
    });
    const plan = planOf([rowCount, sumOf(column("age"), 0n, 120n)]);
    expect((await data.engine.execute("visits", plan, limits)).vectors).to.deep.equal([[2n], [65n]]);
  });

  it("proposes a manifest that connects", async () => {
    await server.sql(`
      DROP TABLE visits;
      CREATE TABLE visits ("Patient Id" uuid, "Wage" numeric(9, 2), age smallint NOT NULL, born date, seen timestamp, acute boolean, region text, note text, long text, raw jsonb);
      INSERT INTO visits SELECT CAST(md5(CAST(n % 50 AS text)) AS uuid), n * 1.25, n % 90, date '1950-03-04' + n, timestamp '2020-01-01' + n * interval '1 hour', n % 2 = 0,
        CASE WHEN n % 3 = 0 THEN 'north' ELSE 'south' END, 'note ' || n, repeat('x', 200), '{}' FROM generate_series(1, 100) AS n;
      GRANT SELECT ON visits TO ${reader}`);
    const { manifest, warnings } = await data.postgres.propose(data.url("visits"), "patient_id");
    expect(manifest).to.deep.include({
      name: "visits",
      table: "visits",
      person: "Patient Id",
      rowsPerPerson: 2,
    });
    expect(manifest.columns).to.deep.equal({
      wage: { type: "decimal", scale: 2, bounds: [1.2, 130], nullable: true },
      age: { type: "integer", bounds: [0, 89], nullable: false },
      born: { type: "date", bounds: ["1950-01-01", "1950-12-31"], nullable: true },
      seen: { type: "date", bounds: ["2020-01-01", "2020-12-31"], nullable: true },
      acute: { type: "boolean", nullable: true },
      region: { type: "text", domain: ["north", "south"], nullable: true },
      note: { type: "text", domain: "open", nullable: true },
    });
    expect(warnings.join(" ")).to.match(
      /long is left out: its texts are longer.*raw is left out: its type is jsonb/,
    );
    const report = await data.postgres.importFile(data.url("visits"), manifest);
    expect(report).to.deep.include({
      rows: 100,
      people: 50,
      clamped: {},
      madeNull: {},
      unfit: {},
      ignoredColumns: ["long", "raw"],
    });
  });

  it("tells the custodian how many of some people no table has now", async () => {
    await server.sql(`
      DROP TABLE visits; CREATE TABLE visits (person text, age integer);
      CREATE TABLE patients (person bigint PRIMARY KEY, height integer NOT NULL);
      INSERT INTO visits VALUES ('1', 5), ('it''s "me"', 5), ('', 5), (NULL, 5); INSERT INTO patients VALUES (2, 170);
      GRANT SELECT ON visits, patients TO ${reader}`);
    const [age, height] = [5, 200].map((most) => ({
      type: "integer" as const,
      bounds: [0, most] as [number, number],
      nullable: true,
    }));
    const furtherTables = { patients: { rowsPerPerson: 1, columns: { height: height! } } };
    const manifest = manifestOf({ consent: "required", columns: { age: age! }, furtherTables });
    await data.postgres.importFile(data.url("visits", "&table.patients=patients"), manifest);
    const missing = (...people: string[]) => data.postgres.countPeopleMissing("visits", new Set(people));
    expect(await missing("1", "2", 'it\'s "me"')).to.equal(0);
    expect(await missing("1", "01", "3", "", " 1")).to.equal(4);
    await server.sql("INSERT INTO patients VALUES (3, 180)");
    expect(await missing("1", "3")).to.equal(0);
    await expectCode(() => data.postgres.countPeopleMissing("nothing", new Set(["1"])), "dataset_unknown");
    await server.sql(`DROP TABLE patients, visits; CREATE TABLE visits (${visitsColumns})`);
  });

  it("refuses a role that could change rows, and says how to make one that cannot", async () => {
    const asRole = (role: string) => data.url("visits").replace(reader, role);
    await server.sql(`
      CREATE ROLE owner_role NOLOGIN; CREATE ROLE member LOGIN NOINHERIT IN ROLE owner_role;
      CREATE ROLE writer LOGIN; CREATE ROLE column_writer LOGIN; CREATE ROLE part_writer LOGIN; CREATE ROLE truncater LOGIN;
      GRANT SELECT ON visits TO writer, column_writer, truncater, member;
      GRANT INSERT ON visits TO writer; GRANT UPDATE (age) ON visits TO column_writer; GRANT TRUNCATE ON visits TO truncater;
      CREATE TABLE parts (${visitsColumns}) PARTITION BY HASH (person);
      CREATE TABLE part PARTITION OF parts FOR VALUES WITH (MODULUS 1, REMAINDER 0);
      GRANT SELECT ON parts, part TO part_writer; GRANT DELETE ON part TO part_writer`);
    try {
      for (const role of ["postgres", "writer", "column_writer", "truncater"]) {
        const error = await expectCode(
          () => data.postgres.importFile(asRole(role), manifestOf()),
          "database_role_unsafe",
        );
        expect(error.message).to.contain('GRANT SELECT ON "public"."visits" TO itd_reader;');
      }
      await server.sql("ALTER TABLE visits OWNER TO owner_role");
      await expectCode(
        () => data.postgres.importFile(asRole("member"), manifestOf()),
        "database_role_unsafe",
      );
      const parts = data.url("parts").replace(reader, "part_writer");
      await expectCode(() => data.postgres.importFile(parts, manifestOf()), "database_role_unsafe");
      await expectCode(() => data.postgres.propose(asRole("writer"), "person"), "database_role_unsafe");
      expect(data.postgres.manifests()).to.deep.equal([]);
    } finally {
      await server.sql(
        "DROP OWNED BY owner_role, member, writer, column_writer, part_writer, truncater; DROP ROLE member, owner_role, writer, column_writer, part_writer, truncater",
      );
      await server.sql(`CREATE TABLE IF NOT EXISTS visits (${visitsColumns})`);
    }
  });

  it("refuses what does not fit, with what and where", async () => {
    const wrong = async (sql: string, pattern: RegExp, url = data.url("visits")) => {
      await server.sql(`BEGIN; ${sql}; COMMIT`);
      const error = await expectCode(() => data.postgres.importFile(url, manifestOf()), "database_unfit");
      expect(error.message).to.match(pattern);
    };
    await wrong("", /no table public\.nothing/, data.url("nothing"));
    await wrong("", /no table pg_catalog\.visits/, data.url("pg_catalog.visits"));
    await wrong("ALTER TABLE visits RENAME age TO years", /no column age .* it may read person, region/);
    await wrong(
      "ALTER TABLE visits RENAME years TO age; ALTER TABLE visits ALTER age TYPE text",
      /age is declared as integer and is of the type text/,
    );
    await wrong(
      'ALTER TABLE visits ALTER age TYPE integer USING 1; ALTER TABLE visits RENAME region TO "Region"; ALTER TABLE visits ADD "REGION" text',
      /several columns that are called region/,
    );
    await wrong(
      `CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false); ALTER TABLE visits ALTER person TYPE text COLLATE loose`,
      /person has a collation that is not deterministic/,
    );
    await wrong("ALTER TABLE visits ALTER person TYPE bytea USING ''", /person is of the type bytea/);
    expect(data.postgres.manifests()).to.deep.equal([]);
  });

  it("takes names that mean something to SQL as they are", async () => {
    const name = `p"; DROP TABLE visits; --`;
    const quotedName = name.replaceAll('"', '""');
    await server.sql(
      `CREATE SCHEMA "s"".; x"; CREATE TABLE "s"".; x"."t.'; --" ("${quotedName}" text PRIMARY KEY, "select" integer, "Große Straße" integer);
       GRANT USAGE ON SCHEMA "s"".; x" TO ${reader}; GRANT SELECT ON "s"".; x"."t.'; --" TO ${reader};
       INSERT INTO "s"".; x"."t.'; --" VALUES ('a', 1, 2), ('b', 3, 4)`,
    );
    try {
      const manifest = manifestOf({
        person: name,
        columns: {
          select: { type: "integer", bounds: [0, 10], nullable: true },
          gro_e_stra_e: { type: "integer", bounds: [0, 10], nullable: true },
        },
      });
      const table = encodeURIComponent(`"s"".; x"."t.'; --"`);
      await data.postgres.importFile(data.url(table), manifest);
      const plan = planOf([
        { kind: "people" },
        sumOf(column("select"), 0n, 10n),
        sumOf(column("gro_e_stra_e"), 0n, 10n),
      ]);
      expect((await data.engine.execute("visits", plan, limits)).vectors).to.deep.equal([[2n], [4n], [6n]]);
    } finally {
      await server.sql('DROP SCHEMA "s"".; x" CASCADE');
    }
  });

  it("says what is wrong where the server cannot be reached, and writes nothing", async () => {
    const nowhere = data.url("visits").replace(`:${server.port}/`, ":1/");
    const error = await expectCode(
      () => data.postgres.importFile(nowhere, manifestOf()),
      "database_unreachable",
    );
    expect(error.message).to.match(
      /^The database postgres at 127\.0\.0\.1:1 cannot be read as itd_reader: .*ECONNREFUSED/,
    );
    const other = data.url("visits").replace(`/${database}?`, "/none?");
    await expectCode(() => data.postgres.importFile(other, manifestOf()), "database_unreachable");
    expect(data.postgres.manifests()).to.deep.equal([]);
  });
});
