// Who takes part, folded into copies of data files: always exactly those of the filter, whatever changed since the last plan.
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { expect } from "chai";
import fc from "fast-check";
import { ConsentCopies } from "../../../../node/adapters/duckdb/consent-copies.ts";
import { hashColumns, personHashSql } from "../../../../node/adapters/duckdb/person-hash-sql.ts";
import { openPersonSecret } from "../../../../node/adapters/keys/person-secret.ts";
import { SystemRandomness } from "../../../../node/adapters/system-randomness.ts";
import { personHash, takesPartBy } from "../../../../node/data-sharing/consent/person-hash.ts";
import type { PeopleFilter } from "../../../../node/data-sharing/ports.ts";

const secret = new Uint8Array(32).fill(9);
const settings = { memoryBytesMax: 512 << 20, threads: 2 };
const research = "dpv:ResearchAndDevelopment";

const known = new Map<string, Uint8Array>();
function hashOf(name: string): Uint8Array {
  const hash = known.get(name) ?? personHash(secret, "visits", name);
  known.set(name, hash);
  return hash;
}

/** `enrolled` are names; those in `consenting` take part. */
function filterOf(
  enrolled: readonly string[],
  consenting: ReadonlySet<string>,
  purpose = research,
): PeopleFilter {
  const hashes = Buffer.concat(enrolled.map(hashOf));
  const bits = new Uint8Array((enrolled.length + 7) >> 3);
  enrolled.forEach((name, i) => {
    if (consenting.has(name)) bits[i >> 3]! |= 1 << (i & 7);
  });
  return { purpose, hashes: () => hashes, takingPart: () => bits };
}

describe("tables of those who take part", () => {
  let folder: string;
  let path: string;
  let copies: ConsentCopies;
  const people = 70_000;
  const name = (person: number) => `person ${person}`;
  const all = Array.from({ length: people }, (_, i) => name(i + 1));

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "itd-people-"));
    path = join(folder, "visits.0123456789abcdef.duckdb");
    const instance = await DuckDBInstance.create(path);
    const connection = await instance.connect();
    for (const [table, rows] of [
      ["rows_visits", 3],
      ["rows_stays", 1],
    ] as const)
      await connection.run(
        `CREATE TABLE ${table} AS SELECT range // ${rows} + 1 AS person_, CAST(range % ${rows} + 1 AS INTEGER) AS rank_,
         CAST(range % 7 AS INTEGER) AS v_age FROM range(${people * rows})`,
      );
    const words = hashColumns.map(
      (column, at) => `CAST('0x' || substr(h, ${8 * at + 1}, 8) AS UINTEGER) AS ${column}`,
    );
    await connection.run(
      `CREATE TABLE people_ AS SELECT person_, ${words.join(", ")} FROM (SELECT range + 1 AS person_,
       ${personHashSql(secret, "visits", "concat('person ', range + 1)")} AS h FROM range(${people}))`,
    );
    connection.closeSync();
    instance.closeSync();
  });
  beforeEach(() => {
    copies = new ConsentCopies(folder, 2);
  });
  afterEach(() => copies.dropOthers(() => false));
  after(() => rmSync(folder, { recursive: true }));

  /** Rows of both tables that a plan would see, and by whom the first ones are. */
  async function seen(filter: PeopleFilter, limit = 20) {
    return await copies.use({ path, ...settings }, filter, async (instance, views) => {
      const connection = await instance.connect();
      try {
        for (const view of views) await connection.run(view);
        const sql = `SELECT (SELECT count(*) FROM rows_visits), (SELECT count(*) FROM rows_stays),
          (SELECT max(rank_) FROM rows_visits),
          (SELECT list(DISTINCT person_ ORDER BY person_)[1:${limit}] FROM rows_visits WHERE rank_ <= 3)`;
        const [visits, stays, rank, list] = (await connection.runAndReadAll(sql)).getRowsJS()[0]!;
        return {
          visits: Number(visits),
          stays: Number(stays),
          rank,
          people: ((list ?? []) as bigint[]).map(Number),
        };
      } finally {
        connection.closeSync();
      }
    });
  }

  it("are empty where nobody is enrolled or nobody consents", async () => {
    for (const filter of [filterOf([], new Set()), filterOf(all.slice(0, 50), new Set())])
      expect(await seen(filter)).to.deep.equal({ visits: 0, stays: 0, rank: null, people: [] });
  });

  it("hold all rows of exactly those who consent, in each table", async () => {
    const consenting = new Set([name(3), name(65_536), name(70_000), "nobody of the data"]);
    const enrolled = [...all.slice(60_000), name(3), "nobody of the data"];
    expect(await seen(filterOf(enrolled, consenting))).to.deep.equal({
      ...{ visits: 9, stays: 3, rank: 3, people: [3, 65_536, 70_000] },
    });
  });

  it("follow each change, few or many, of one purpose and not of another", async () => {
    const steps: [string, (person: number) => boolean][] = [
      [research, (person) => person % 2 === 0],
      ["dpv:Marketing", (person) => person === 7],
      [research, (person) => person % 2 === 0 && person !== 70_000],
      [research, (person) => person % 3 === 0],
      ["dpv:Marketing", () => true],
      [research, () => false],
      ["dpv:Marketing", (person) => person !== 1],
    ];
    for (const [purpose, consents] of steps) {
      const consenting = new Set(all.filter((_, i) => consents(i + 1)));
      const { visits, stays, people: first } = await seen(filterOf(all, consenting, purpose));
      expect([visits, stays]).to.deep.equal([3 * consenting.size, consenting.size]);
      expect(first).to.deep.equal(
        Array.from({ length: people }, (_, i) => i + 1)
          .filter(consents)
          .slice(0, 20),
      );
    }
  });

  it("are those of any filter after any other", async () =>
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uniqueArray(fc.integer({ min: 1, max: 200 }), { maxLength: 60 }), {
          minLength: 2,
          maxLength: 6,
        }),
        fc.shuffledSubarray(all.slice(0, 200)),
        async (sets, enrolled) => {
          for (const set of sets) {
            const filter = filterOf(enrolled, new Set(set.map(name)));
            const takesPart = takesPartBy(filter);
            const expected = Array.from({ length: 200 }, (_, i) => i + 1).filter((person) =>
              takesPart(personHash(secret, "visits", name(person))),
            );
            expect((await seen(filter, 200)).people).to.deep.equal(expected);
          }
          // Numbers of others from here on, as in another data file.
          copies.dropOthers(() => false);
        },
      ),
      { numRuns: 8 },
    )).timeout(120_000);

  it("take over people who are enrolled later", async () => {
    const consenting = new Set(all);
    for (const count of [0, 1, 500, 501, 5_000])
      expect((await seen(filterOf(all.slice(0, count), consenting))).stays).to.equal(count);
  });

  it("are made again after a failure, and wait for each other", async () => {
    const filter = filterOf(all.slice(0, 10), new Set(all.slice(0, 5)));
    const failing = copies
      .use({ path, ...settings }, filter, async () => Promise.reject(new Error("no")))
      .catch((error: Error) => error.message);
    const others = await Promise.all(Array.from({ length: 4 }, () => seen(filter)));
    expect(others.map(({ stays }) => stays)).to.deep.equal([5, 5, 5, 5]);
    expect(await failing).to.equal("no");
  });

  it("leave the data file as it was, lie in a folder for its owner alone, and go with it", async () => {
    const hash = () => createHash("sha256").update(readFileSync(path)).digest("hex");
    const [before, orphan] = [hash(), join(folder, "consenting-999999999-gone")];
    mkdirSync(orphan);
    await seen(filterOf(all, new Set(all)));
    expect(hash()).to.equal(before);
    const [copy, ...others] = readdirSync(folder).filter((file) => file.startsWith("consenting-"));
    expect(others).to.deep.equal([]);
    expect(statSync(join(folder, copy!)).mode & 0o777).to.equal(0o700);
    expect(statSync(join(folder, copy!, "data.duckdb")).mode & 0o777).to.equal(0o600);
    copies.dropOthers(() => false);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(readdirSync(folder).filter((file) => file.startsWith("consenting-"))).to.deep.equal([]);
  });

  it("cannot be used to read anything else", async () => {
    await copies.use({ path, ...settings }, filterOf([], new Set()), async (instance) => {
      const connection = await instance.connect();
      for (const sql of [
        `ATTACH '${path}' AS other`,
        "SELECT * FROM read_csv('/etc/hostname')",
        "SET enable_external_access = true",
      ])
        expect(await connection.run(sql).catch((error: Error) => error.name), sql).to.equal("Error");
      connection.closeSync();
    });
  });
});

describe("the keyed hash of a person", () => {
  it("is the same in DuckDB as here, whatever the text", async () => {
    const instance = await DuckDBInstance.create();
    const connection = await instance.connect();
    const texts = ["", "a", "it's; --", "\u00e9\u{1F600}\n\t", "x".repeat(1_000), "dataset\nname"];
    for (const text of texts) {
      const found = await connection.runAndReadAll(
        `SELECT ${personHashSql(secret, "visits", "$1::VARCHAR")}`,
        [text],
      );
      const expected = Buffer.from(personHash(secret, "visits", text)).toString("hex");
      expect(String(found.getRows()[0]![0]).slice(0, 32), JSON.stringify(text)).to.equal(expected);
    }
    connection.closeSync();
    instance.closeSync();
  });

  it("differs between datasets, people and secrets", () => {
    const hashes = [
      personHash(secret, "visits", "ann"),
      personHash(secret, "trips", "ann"),
      personHash(secret, "visits", "ben"),
      personHash(new Uint8Array(32), "visits", "ann"),
    ].map((hash) => Buffer.from(hash).toString("hex"));
    expect(new Set(hashes).size).to.equal(4);
  });

  it("is under a secret that is made once, for its owner alone", async () => {
    const folder = mkdtempSync(join(tmpdir(), "itd-secret-"));
    const randomness = new SystemRandomness();
    const opened = await Promise.all(Array.from({ length: 5 }, () => openPersonSecret(folder, randomness)));
    expect(new Set(opened.map((one) => Buffer.from(one).toString("hex"))).size).to.equal(1);
    expect(statSync(join(folder, "person.key")).mode & 0o777).to.equal(0o600);
    rmSync(folder, { recursive: true });
  });
});
