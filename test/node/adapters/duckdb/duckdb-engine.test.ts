import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { DuckDBInstance } from "@duckdb/node-api";
import { expect } from "chai";
import { compilePlan } from "../../../../node/adapters/duckdb/compile-plan.ts";
import { DataInstances } from "../../../../node/adapters/duckdb/data-instances.ts";
import type { DuckDbEngineOptions } from "../../../../node/adapters/duckdb/duckdb-engine.ts";
import { shapeHash, storedTables } from "../../../../node/adapters/duckdb/stored-columns.ts";
import type { Expression } from "../../../../node/data-sharing/plan/plan.ts";
import {
  byRegion,
  column,
  declared,
  limits,
  manifestOf,
  planOf,
  row,
  rowCount,
  sumOf,
  writeRows,
} from "../../../ports/data-files.ts";
import { testPlanEngine } from "../../../ports/plan-engine.ts";
import { expectCode } from "../../../support/errors.ts";
import { type DuckDbUnderTest, duckDbUnderTest } from "./under-test.ts";

describe("the DuckDB engine as a plan engine", () => testPlanEngine(duckDbUnderTest));

describe("the DuckDB engine", () => {
  let data: DuckDbUnderTest;
  afterEach(() => data.dispose());

  async function open(count: number, options: Partial<DuckDbEngineOptions> = {}): Promise<string> {
    data = duckDbUnderTest({}, options);
    const rows = Array.from({ length: count }, (_, at) => row(`p${at}`, { large: BigInt(at) }));
    await data.store.importFile(writeRows(data.inbox, rows), manifestOf());
    return join(data.folder, readdirSync(data.folder).find((name) => name.endsWith(".duckdb"))!);
  }

  it("reads its data file and nothing else, whatever the statement", async () => {
    const path = await open(10);
    const instances = new DataInstances(1);
    const other = join(data.inbox, "visits.csv");
    const ask = (sql: string) =>
      instances.use({ path, memoryBytesMax: 1 << 28, threads: 1 }, async (instance) => {
        const connection = await instance.connect();
        try {
          return (await connection.runAndReadAll(sql)).getRowsJson();
        } finally {
          connection.closeSync();
        }
      });
    expect(await ask("SELECT count(*) FROM rows_visits")).to.deep.equal([["10"]]);
    const attempts = [
      `SELECT * FROM read_csv('${other}')`,
      `SELECT * FROM read_text('${other}')`,
      `SELECT * FROM glob('/*')`,
      `ATTACH '${join(data.inbox, "new.duckdb")}'`,
      `COPY rows_visits TO '${join(data.inbox, "out.csv")}'`,
      "INSTALL httpfs",
      "LOAD httpfs",
      "SET enable_external_access = true",
      "SET lock_configuration = false",
      "SET temp_directory = '/tmp'",
      "DELETE FROM rows_visits",
      "CREATE TABLE more (a INTEGER)",
    ];
    for (const sql of attempts) {
      const failed = await ask(sql).then(
        () => false,
        () => true,
      );
      expect(failed, sql).to.equal(true);
    }
    expect(readdirSync(data.inbox)).to.deep.equal(["visits.csv"]);
    instances.dropOthers(() => false);
  });

  it("reaches the memory limit with a code and no detail, which goes to the custodian's log", async () => {
    await open(50_000);
    const age = declared(
      column("large"),
      Array.from({ length: 9_999 }, (_, at) => String(at * 3)),
    );
    const plan = planOf([rowCount, sumOf(column("cost"), 0n, 10n)], { keys: [age] });
    const poor = { ...limits, memoryBytesMax: 1 << 20 };
    const error = await expectCode(() => data.engine.execute("visits", plan, poor), "engine_limit");
    expect(error.message).to.equal("The plan reached a limit of the engine.");
    expect(data.failures.join()).to.match(/memory/i);
    expect((await data.engine.execute("visits", plan, limits)).vectors[0]!.slice(0, 3)).to.deep.equal([
      1n,
      1n,
      1n,
    ]);
  });

  it("says nothing of a damaged data file but that it failed", async () => {
    const path = await open(1000);
    for (const damage of [
      () => truncateSync(path, 5000),
      () => writeFileSync(path, "not a database, secret"),
    ]) {
      damage();
      const error = await expectCode(
        () => data.engine.execute("visits", planOf([rowCount]), limits),
        "engine_failed",
      );
      expect([error.message, error.fields]).to.deep.equal(["The engine could not run the plan.", {}]);
    }
    expect(data.failures).to.have.length(2);
  });

  describe("before a question is charged", () => {
    const plan = planOf([rowCount, sumOf(column("age"), 0n, 120n)]);
    const available = () => data.engine.requireAvailable("visits", plan);
    const refused = () => expectCode(available, "dataset_unavailable");
    const reasons: string[] = [];
    const watched = { onUnavailable: (_dataset: string, reason: string) => void reasons.push(reason) };
    beforeEach(() => void reasons.splice(0));

    it("says that the data file is gone, also while an instance still holds it open", async () => {
      const path = await open(10, watched);
      await available();
      await data.engine.execute("visits", plan, limits);
      rmSync(path);
      expect((await refused()).fields).to.deep.equal({ dataset: "visits" });
      await expectCode(() => data.engine.execute("visits", plan, limits), "engine_failed");
      expect(reasons.join()).to.match(/gone/);
    });

    it("notices one changed bit, and that it was put back", async () => {
      const path = await open(1000, watched);
      await available();
      const bytes = readFileSync(path);
      const changed = Buffer.from(bytes);
      changed[changed.length >> 1]! ^= 1;
      writeFileSync(path, changed);
      await refused();
      expect(reasons.join()).to.match(/not what was imported/);
      writeFileSync(path, bytes);
      await available();
    });

    it("notices data of another shape under a record that was made to fit", async () => {
      const path = await open(10, watched);
      const record = join(data.folder, "visits.json");
      const text = JSON.parse(readFileSync(record, "utf8"));
      text.manifest.rowsPerPerson = 1;
      text.shape = shapeHash(text.manifest);
      writeFileSync(record, JSON.stringify(text));
      await refused();
      expect(path).to.be.a("string");
    });

    it("takes no plan that was made for other data", async () => {
      await open(10, watched);
      const misfits = [
        {
          ...plan,
          rows: { ...plan.rows, sources: [{ kind: "table" as const, table: "others", rowsPerPerson: 5 }] },
        },
        planOf([rowCount], { rowsPerPerson: 6 }),
        planOf([sumOf(column("salary"), 0n, 1n)]),
        planOf([rowCount], { filter: { kind: "not", operand: { kind: "is-null", column: "salary" } } }),
        planOf([rowCount], {
          keys: [declared(column("region"), ["0", "1"], ["south", "north"])],
        }),
      ];
      for (const misfit of misfits) {
        await expectCode(() => data.engine.requireAvailable("visits", misfit), "dataset_unavailable");
      }
      expect(reasons).to.have.length(misfits.length);
      await data.engine.requireAvailable("visits", planOf([rowCount], { keys: byRegion, rowsPerPerson: 3 }));
      await expectCode(() => data.engine.requireAvailable("nothing", plan), "dataset_unavailable");
    });

    it("follows a dataset that is replaced meanwhile", async () => {
      await open(10, watched);
      const replacing = data.store.importFile(writeRows(data.inbox, [row("a")]), manifestOf());
      let isOver = false;
      replacing.finally(() => {
        isOver = true;
      });
      while (!isOver) {
        await available();
        await delay(1);
      }
      expect(reasons).to.deep.equal([]);
    });
  });

  it("lets a bounded number of questions wait, and serves those in turn", async () => {
    await open(10, { concurrency: 1, waitingMax: 2 });
    const order: number[] = [];
    const answers = await Promise.allSettled(
      [0, 1, 2, 3, 4].map(async (place) => {
        await data.engine.execute("visits", planOf([rowCount]), limits);
        order.push(place);
      }),
    );
    expect(answers.map(({ status }) => status === "fulfilled")).to.deep.equal([
      true,
      true,
      true,
      false,
      false,
    ]);
    expect(order).to.deep.equal([0, 1, 2]);
    expect((await data.engine.execute("visits", planOf([rowCount]), limits)).vectors).to.deep.equal([[10n]]);
  });

  it("refuses before running what could leave 126 bits, whatever the data", async () => {
    await open(1);
    const power: Expression = {
      kind: "multiply",
      operands: Array.from({ length: 4 }, () => column("large")),
    };
    for (const vector of [sumOf(power, 0n, 1n), { kind: "count", of: power } as const])
      await expectCode(() => data.engine.execute("visits", planOf([vector]), limits), "engine_failed");
  });

  it("puts no text of a plan into the statement", async () => {
    await open(1);
    const tables = storedTables(manifestOf());
    const name = "age) FROM rows_visits; DROP TABLE rows_visits; --";
    const bad = [
      planOf([{ kind: "count", of: column(name) }]),
      planOf([rowCount], { filter: { kind: "is-null", column: name } }),
      planOf([rowCount], { filter: { kind: "in", expression: column("age"), values: ["1) OR true --"] } }),
      planOf([rowCount], {
        filter: { kind: "compare", operator: "OR" as "=", left: column("age"), right: column("age") },
      }),
      planOf([rowCount], { rowsPerPerson: "1 OR true" as unknown as number }),
    ];
    for (const plan of bad) expect(() => compilePlan(plan, tables)).to.throw();
    const labels = ["'; DROP TABLE rows_visits; --"];
    const { sql } = compilePlan(
      planOf([rowCount], { keys: [declared(column("age"), ["1"], labels)] }),
      tables,
    );
    expect(sql({ first: 1, last: 1 })).to.not.contain("DROP");
  });

  it("bounds rows and values in the statement itself, whatever lies in the file", async () => {
    data = duckDbUnderTest();
    const instance = await DuckDBInstance.create();
    const connection = await instance.connect();
    await connection.run(
      "CREATE TABLE rows_visits AS SELECT CAST(range + 1 AS INTEGER) AS rank_, CAST(1000000 AS INTEGER) AS v_age FROM range(50)",
    );
    const sums = async (low: bigint, high: bigint) => {
      const { sql, reader } = compilePlan(
        planOf([rowCount, sumOf(column("age"), low, high)]),
        storedTables(manifestOf()),
      );
      const [answer, found] = [reader(0n), await connection.run(sql({ first: 1, last: 1 }))];
      for (const chunk of await found.fetchAllChunks()) answer.take(chunk);
      return answer.answer().vectors.map(([value]) => value);
    };
    expect(await sums(0n, 120n)).to.deep.equal([5n, 600n]);
    expect(await sums(-5n, 10n ** 30n)).to.deep.equal([5n, 600n]);
    expect(await sums(200n, 300n)).to.deep.equal([5n, 1000n]);
    expect(await sums(-9n, -7n)).to.deep.equal([5n, -35n]);
    connection.closeSync();
    instance.closeSync();
  });
});
