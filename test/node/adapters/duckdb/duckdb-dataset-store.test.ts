import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { expect } from "chai";
import fc from "fast-check";
import { openDatasetStore } from "../../../../node/adapters/duckdb/duckdb-dataset-store.ts";
import { storedMagnitudeMax } from "../../../../node/adapters/duckdb/stored-columns.ts";
import { SystemRandomness } from "../../../../node/adapters/system-randomness.ts";
import type { DatasetManifest } from "../../../../node/data-sharing/manifests/dataset-manifest.ts";
import {
  column,
  joinedManifest,
  limits,
  manifestOf,
  planOf,
  regions,
  row,
  rowCount,
  sumOf,
  writeRows,
  writeText,
} from "../../../ports/data-files.ts";
import { testDatasetStore } from "../../../ports/dataset-store.ts";
import { expectCode } from "../../../support/errors.ts";
import { type DuckDbUnderTest, duckDbUnderTest } from "./under-test.ts";

const small = (columns: DatasetManifest["columns"]) => manifestOf({ columns, rowsPerPerson: 10_000 });

describe("the DuckDB dataset store", () => {
  describe("as a dataset store", () => testDatasetStore(duckDbUnderTest));

  let data: DuckDbUnderTest;
  const damages: string[] = [];
  beforeEach(() => {
    damages.splice(0);
    data = duckDbUnderTest({ onDamaged: (name, { message }) => void damages.push(`${name}: ${message}`) });
  });
  afterEach(() => data.dispose());

  async function query(sql: string): Promise<unknown[][]> {
    const file = data.listing().find((name) => name.endsWith(".duckdb"))!;
    const instance = await DuckDBInstance.create(join(data.folder, file), { access_mode: "READ_ONLY" });
    const connection = await instance.connect();
    const rows = (await connection.runAndReadAll(sql)).getRowsJson();
    connection.closeSync();
    instance.closeSync();
    return rows;
  }

  async function writeParquet(select: string): Promise<string> {
    const file = join(data.inbox, "data.parquet");
    const instance = await DuckDBInstance.create();
    const connection = await instance.connect();
    await connection.run(`COPY (${select}) TO '${file}' (FORMAT parquet)`);
    connection.closeSync();
    instance.closeSync();
    return file;
  }

  it("imports Parquet by the same rules", async () => {
    const file = await writeParquet(
      `SELECT * FROM (VALUES (1, 'north', 1.005, 30::DOUBLE, DATE '1970-01-02', true, 7::BIGINT, 'x'), (2, NULL, 5000, 31, NULL, false, 8, 'y')) AS t(person, region, cost, age, day, acute, large, more)`,
    );
    const report = await data.store.importFile(file, manifestOf());
    expect(report).to.deep.include({
      rows: 2,
      people: 2,
      clamped: { cost: 1 },
      rounded: { cost: 1 },
      ignoredColumns: ["more"],
      delimiter: null,
    });
    expect(
      await query("SELECT sum(v_age), sum(v_cost), sum(v_acute), sum(v_day) FROM rows_visits"),
    ).to.deep.equal([["61", "100101", "1", "1"]]);
  });

  it("names the row of a bad value in Parquet, and refuses a damaged file", async () => {
    const file = await writeParquet(
      "SELECT range AS person, CASE WHEN range = 4000 THEN 'x' ELSE '1' END AS age FROM range(5000)",
    );
    const manifest = small({ age: { type: "integer", nullable: false } });
    const error = await expectCode(() => data.store.importFile(file, manifest), "data_file_invalid");
    expect(error.fields).to.deep.equal({ "row 4001": "age: not a number" });
    writeFileSync(file, readFileSync(file).subarray(0, 5000));
    await expectCode(() => data.store.importFile(file, manifest), "data_file_invalid");
    expect(data.listing()).to.deep.equal([]);
  });

  it("reads every decimal as exact arithmetic does, halves away from zero", async () => {
    const digits = fc.stringMatching(/^[0-9]{1,9}$/);
    const numbers = fc.tuple(
      fc.constantFrom("", "-", "+"),
      digits,
      fc.option(digits),
      fc.option(fc.integer({ min: -9, max: 4 })),
    );
    const samples = fc.sample(numbers, { numRuns: 3000, seed: 5 });
    const halves = [
      "0.5",
      "-0.5",
      "0.005",
      "-0.005",
      "2.675",
      "1.0049999",
      "-1.015",
      "0.00499999999999999999",
    ];
    const texts = [
      ...samples.map(
        ([sign, whole, fraction, exponent]) =>
          `${sign}${whole}${fraction === null ? "" : `.${fraction}`}${exponent === null ? "" : `e${exponent}`}`,
      ),
      ...halves,
    ];
    for (const scale of [0, 2, 6]) {
      const manifest = small({ value: { type: "decimal", scale, nullable: false } });
      const report = await data.store.importFile(
        writeText(data.inbox, `person,value\n${texts.map((text, at) => `${at},${text}`).join("\n")}\n`),
        manifest,
      );
      const expected = texts.map((text) => exactSteps(text, scale));
      expect(report.rounded.value ?? 0).to.equal(expected.filter(({ finer }) => finer).length);
      const stored = (await query("SELECT v_value FROM rows_visits")).map(([value]) =>
        BigInt(value as string),
      );
      expect(stored.toSorted(ascending)).to.deep.equal(
        expected.map(({ steps }) => steps).toSorted(ascending),
      );
    }
  });

  it("keeps no name of a person, nor the order of the file", async () => {
    const people = Array.from({ length: 300 }, (_, at) => `person-named-${at}-xyzzy`);
    const file = writeRows(
      data.inbox,
      people.map((person, at) => row(person, { large: BigInt(at) })),
    );
    await data.store.importFile(file, manifestOf());
    for (const name of data.listing())
      expect(readFileSync(join(data.folder, name)).includes("xyzzy"), name).to.equal(false);
    const stored = await query("SELECT person_, rank_, v_large FROM rows_visits");
    expect(stored.map(([person]) => Number(person))).to.deep.equal(people.map((_, at) => at + 1));
    const order = stored.map(([, , large]) => Number(large));
    expect(order).to.not.deep.equal(order.toSorted((a, b) => a - b));
    await data.store.importFile(file, manifestOf());
    const again = (await query("SELECT v_large FROM rows_visits")).map(([large]) => Number(large));
    expect(again).to.not.deep.equal(order);
  });

  it("keeps no open text but of rows that are kept, and all tables in the order of people", async () => {
    const { who, town } = joinedManifest().columns;
    const manifest = manifestOf({
      rowsPerPerson: 1,
      columns: { town: town!, who: who! },
      furtherTables: { more: { rowsPerPerson: 3, columns: { who: who! } } },
    });
    const lines = Array.from({ length: 200 }, (_, at) => `p${at % 100},text ${at},${at % 100}`);
    const more = Array.from({ length: 300 }, (_, at) => `p${(at * 7) % 150},${(at * 7) % 150}`);
    await data.store.importFile(
      writeText(data.inbox, `person,town,who\n${lines.join("\n")}\n`),
      manifest,
      undefined,
      { more: writeText(data.inbox, `person,who\n${more.join("\n")}\n`, "more.csv") },
    );
    expect(await query("SELECT count(*), count(DISTINCT value) FROM texts_")).to.deep.equal([["100", "100"]]);
    expect(
      await query("SELECT count(*) FROM rows_visits JOIN texts_ ON code = v_town WHERE value LIKE 'text %'"),
    ).to.deep.equal([["100"]]);
    for (const table of ["rows_visits", "rows_more"]) {
      const places = await query(`SELECT person_, rank_ FROM ${table}`);
      const order = places.map(([person, rank]) => Number(person) * 10 + Number(rank));
      expect(order).to.deep.equal(order.toSorted((a, b) => a - b));
    }
    const numbers = "SELECT DISTINCT person_, v_who FROM";
    expect(
      await query(
        `SELECT count(*), count(DISTINCT person_), count(DISTINCT v_who) FROM (${numbers} rows_visits UNION ${numbers} rows_more)`,
      ),
    ).to.deep.equal([["150", "150", "150"]]);
  });

  it("refuses the data of a former version with the sentence to import it again", async () => {
    await data.store.importFile(writeRows(data.inbox, [row("a")]), manifestOf());
    const file = join(data.folder, "visits.json");
    writeFileSync(file, readFileSync(file, "utf8").replace("itd-dataset/3", "itd-dataset/2"));
    expect(data.store.manifests()).to.deep.equal([]);
    expect(damages.join()).to.match(/import the dataset again/);
  });

  it("ranks the rows of a person from 1 without gaps", async () => {
    const file = writeRows(
      data.inbox,
      ["a", "b", "a", "a", "b", "a"].map((person) => row(person)),
    );
    await data.store.importFile(file, manifestOf({ rowsPerPerson: 3 }));
    expect(
      await query("SELECT list(rank_ ORDER BY rank_) FROM rows_visits GROUP BY person_ ORDER BY 1"),
    ).to.deep.equal([[[1, 2]], [[1, 2, 3]]]);
  });

  it("removes what an interrupted import left, and nothing else", async () => {
    await data.store.importFile(writeRows(data.inbox, [row("a")]), manifestOf());
    const before = data.listing();
    const gone = 2 ** 31 - 1;
    mkdirSync(join(data.folder, `import-${gone}-abc`));
    for (const name of [
      `import-${gone}-abc/staging.duckdb`,
      "visits.0123456789abcdef.duckdb",
      "visits.json.new",
    ])
      writeFileSync(join(data.folder, name), "left over");
    const again = openDatasetStore({ folder: data.folder, randomness: new SystemRandomness() });
    expect(data.listing()).to.deep.equal(before);
    expect(again.manifests()).to.deep.equal([manifestOf()]);
  });

  it("takes edits of what is declared around the data, and none of what it was built by", async () => {
    await data.store.importFile(writeRows(data.inbox, [row("a")]), manifestOf());
    const file = join(data.folder, "visits.json");
    const written = readFileSync(file, "utf8");
    const edit = (change: (manifest: DatasetManifest) => void) => {
      const record = JSON.parse(written);
      change(record.manifest);
      writeFileSync(file, JSON.stringify(record));
    };
    edit((manifest) => {
      manifest.title = "Edited";
      manifest.budget.totalMicroRho = "7";
      manifest.purposes = ["dpv:Marketing"];
      manifest.minimumPeople = 3;
      manifest.columns.age!.description = "in years";
    });
    const [edited] = data.store.manifests();
    expect(edited).to.include({ title: "Edited", minimumPeople: 3 });
    expect(edited!.budget.totalMicroRho).to.equal("7");
    await data.engine.requireAvailable("visits", planOf([rowCount]));
    const forbidden: ((manifest: DatasetManifest) => void)[] = [
      (manifest) => Object.assign(manifest, { rowsPerPerson: 1 }),
      (manifest) => Object.assign(manifest, { table: "others" }),
      (manifest) => Object.assign(manifest, { person: "somebody" }),
      (manifest) => Object.assign(manifest, { name: "others" }),
      (manifest) => Object.assign(manifest.columns.age!, { bounds: [0, 10] }),
      (manifest) => Object.assign(manifest.columns.cost!, { scale: 1 }),
      (manifest) => Object.assign(manifest.columns.region!, { domain: regions.toReversed() }),
      (manifest) => Object.assign(manifest.columns.day!, { nullable: false }),
      (manifest) => Object.assign(manifest.columns.region!, { domain: "open" }),
      (manifest) => {
        manifest.furtherTables = { more: { rowsPerPerson: 1, columns: manifest.columns } };
      },
      (manifest) => {
        delete manifest.columns.acute;
      },
    ];
    for (const change of forbidden) {
      edit(change);
      expect(data.store.manifests()).to.deep.equal([]);
      expect(damages.splice(0).join()).to.match(/^visits: .*import it again/);
      await expectCode(
        () => data.engine.requireAvailable("visits", planOf([rowCount])),
        "dataset_unavailable",
      );
    }
    writeFileSync(file, written);
    expect(data.store.manifests()).to.deep.equal([manifestOf()]);
  });

  it("refuses a dataset with which directories would not take the catalogue any more", async () => {
    const limited = duckDbUnderTest({ catalogueBytesMax: 4_000 });
    const file = writeRows(limited.inbox, [row("a")]);
    const long = (name: string) => manifestOf({ name, description: "x".repeat(600) });
    await limited.store.importFile(file, long("first"));
    const before = limited.listing();
    const error = await expectCode(
      () => limited.store.importFile(file, long("second")),
      "catalogue_too_large",
    );
    expect(Number(error.fields.bytes)).to.be.greaterThan(4_000);
    expect(limited.listing()).to.deep.equal(before);
    await limited.store.importFile(file, long("first"));
    // One that cannot be read any more is not offered, and can be imported again.
    const record = limited.listing().find((name) => name.endsWith(".json"))!;
    writeFileSync(join(limited.folder, record), "{");
    await limited.store.importFile(file, long("first"));
    expect(limited.store.manifests()).to.have.length(1);
    limited.dispose();
  });

  it("refuses what is too large for a catalogue by default: a domain of 10,000 long texts", async () => {
    const domain = Array.from({ length: 10_000 }, (_, at) => `${at}`.padStart(100, "x"));
    const manifest = small({ region: { type: "text", nullable: true, domain } });
    const file = writeRows(data.inbox, [row("a")]);
    await expectCode(() => data.store.importFile(file, manifest), "catalogue_too_large");
  });

  it("goes on with the other datasets while the record of one is damaged, and tells of it once", async () => {
    const told: string[] = [];
    const watched = duckDbUnderTest({ onDamaged: (name, { code }) => void told.push(`${name} ${code}`) });
    const file = writeRows(watched.inbox, [row("a"), row("b")]);
    for (const name of ["first", "second", "third"])
      await watched.store.importFile(file, manifestOf({ name }));
    const record = join(watched.folder, "second.json");
    const written = readFileSync(record, "utf8");
    const names = () => watched.store.manifests().map(({ name }) => name);
    expect(names()).to.deep.equal(["first", "second", "third"]);
    writeFileSync(record, written.replace('"rowsPerPerson":', '"rowsPerPerson":1'));
    for (let call = 0; call < 3; call++) expect(names()).to.deep.equal(["first", "third"]);
    expect(told).to.deep.equal(["second dataset_damaged"]);
    writeFileSync(record, written.slice(1));
    for (let call = 0; call < 3; call++) expect(names()).to.deep.equal(["first", "third"]);
    expect(told).to.deep.equal(["second dataset_damaged", "second dataset_damaged"]);
    const plan = planOf([rowCount]);
    for (const name of ["first", "third"]) {
      await watched.engine.requireAvailable(name, plan);
      expect((await watched.engine.execute(name, plan, limits)).vectors).to.deep.equal([[2n]]);
    }
    await expectCode(() => watched.engine.requireAvailable("second", plan), "dataset_unavailable");
    await expectCode(() => watched.engine.execute("second", plan, limits), "engine_failed");
    writeFileSync(record, written);
    expect(names()).to.deep.equal(["first", "second", "third"]);
    await watched.engine.requireAvailable("second", plan);
    watched.dispose();
  });

  it("reads a record again when it has changed, and only then", async () => {
    await data.store.importFile(writeRows(data.inbox, [row("a")]), manifestOf());
    const [first] = data.store.manifests();
    expect(data.store.manifests()[0]).to.equal(first);
    const file = join(data.folder, "visits.json");
    // Of the same length, at the same second.
    writeFileSync(file, readFileSync(file, "utf8").replace('"Visits"', '"Wisits"'));
    expect(data.store.manifests()[0]!.title).to.equal("Wisits");
    const elsewhere = openDatasetStore({ folder: data.folder, randomness: new SystemRandomness() });
    await elsewhere.importFile(writeRows(data.inbox, [row("a")]), manifestOf({ title: "Third" }));
    expect(data.store.manifests()[0]!.title).to.equal("Third");
    rmSync(file);
    expect(data.store.manifests()).to.deep.equal([]);
  });

  it("leaves an import alone that runs while the folder is opened once more", async () => {
    const lines = Array.from({ length: 100_000 }, (_, at) => row(`p${at}`));
    const importing = data.store.importFile(writeRows(data.inbox, lines), manifestOf());
    let openings = 0;
    const opening = setInterval(() => {
      openings++;
      openDatasetStore({ folder: data.folder, randomness: new SystemRandomness() });
    }, 20);
    const { rows } = await importing.finally(() => clearInterval(opening));
    expect(openings).to.be.greaterThan(2);
    expect(rows).to.equal(100_000);
    expect((await data.engine.execute("visits", planOf([rowCount]), limits)).vectors).to.deep.equal([
      [100_000n],
    ]);
  });

  it("says so where memory does not suffice, with nothing changed", async () => {
    const poor = duckDbUnderTest({ importMemoryBytesMax: 1 << 20 });
    const file = writeRows(
      poor.inbox,
      Array.from({ length: 1000 }, (_, at) => row(`p${at}`)),
    );
    await expectCode(() => poor.store.importFile(file, manifestOf()), "engine_limit");
    expect(poor.listing()).to.deep.equal([]);
    poor.dispose();
  });

  it("refuses a file beyond the limit that is set", async () => {
    const limited = duckDbUnderTest({ fileBytesMax: 100 });
    const file = writeRows(
      limited.inbox,
      Array.from({ length: 20 }, () => row("a")),
    );
    await expectCode(() => limited.store.importFile(file, manifestOf()), "data_file_too_large");
    expect(limited.listing()).to.deep.equal([]);
    limited.dispose();
  });

  it("takes paths and names that mean something to SQL or a shell as they are", async () => {
    const name = "it's * [a] {file}.csv";
    await data.store.importFile(writeRows(data.inbox, [row("a")], name), manifestOf());
    expect(await query("SELECT count(*) FROM rows_visits")).to.deep.equal([["1"]]);
  });

  it("takes reserved words and its own names as columns", async () => {
    const names = ["select", "rank_", "person_", "rowid", "p", "rows_visits"];
    const manifest = small(
      Object.fromEntries(names.map((name) => [name, { type: "integer", nullable: false }])),
    );
    await data.store.importFile(writeText(data.inbox, `person,${names}\nx,1,2,3,4,5,6\n`), manifest);
    const plan = planOf(names.map((name) => sumOf(column(name), 0n, 100n)));
    expect((await data.engine.execute("visits", plan, limits)).vectors.flat()).to.deep.equal([
      1n,
      2n,
      3n,
      4n,
      5n,
      6n,
    ]);
  });

  it("imports 20 MB and finds the one bad line in it", async () => {
    const count = 500_000;
    const lines = Array.from(
      { length: count },
      (_, at) => `p${at % 100_000},north,${at % 900}.25,${at % 120},1999-12-31,true,${at}`,
    );
    const text = `person,region,cost,age,day,acute,large\n${lines.join("\n")}\n`;
    expect(text.length).to.be.greaterThan(20e6);
    const report = await data.store.importFile(writeText(data.inbox, text), manifestOf());
    expect(report).to.deep.include({ rows: count, people: 100_000, rowsLeftOut: 0, clamped: {} });
    const { vectors } = await data.engine.execute(
      "visits",
      planOf([rowCount, sumOf(column("large"), 0n, 10n ** 9n)]),
      limits,
    );
    expect(vectors).to.deep.equal([[BigInt(count)], [(BigInt(count) * BigInt(count - 1)) / 2n]]);
    lines[345_678] = "p,north,1,x,,,1";
    const bad = writeText(data.inbox, `person,region,cost,age,day,acute,large\n${lines.join("\n")}\n`);
    const error = await expectCode(() => data.store.importFile(bad, manifestOf()), "data_file_invalid");
    expect(error.fields).to.deep.equal({ "line 345680": "age: not a number" });
    expect(readdirSync(data.folder)).to.have.length(2);
  });
});

/** `text` in steps of 10^-scale by whole numbers alone. */
function exactSteps(text: string, scale: number): { steps: bigint; finer: boolean } {
  const [, sign, whole, fraction = "", exponent = "0"] = /^([+-]?)(\d*)(?:\.(\d*))?(?:e(-?\d+))?$/.exec(
    text,
  )!;
  const shift = scale + Number(exponent) - fraction.length;
  const digits = BigInt(whole! + fraction);
  const divisor = 10n ** BigInt(Math.max(0, -shift));
  const magnitude = digits * 10n ** BigInt(Math.max(0, shift));
  const rounded = (2n * magnitude + divisor) / (2n * divisor);
  const steps = rounded > storedMagnitudeMax ? storedMagnitudeMax : rounded;
  return { steps: sign === "-" ? -steps : steps, finer: magnitude % divisor !== 0n };
}

function ascending(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
