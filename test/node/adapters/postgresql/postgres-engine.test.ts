import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import { textCode } from "../../../../node/data-sharing/manifests/text-code.ts";
import type { Expression, GroupKey, Plan, Predicate } from "../../../../node/data-sharing/plan/plan.ts";
import {
  byRegion,
  column,
  limits,
  manifestOf,
  planOf,
  rowCount,
  sameCode,
  sumOf,
} from "../../../ports/data-files.ts";
import { testPlanEngine } from "../../../ports/plan-engine.ts";
import { expectCode } from "../../../support/errors.ts";
import { type PostgresServer, startPostgres } from "../../../support/postgresql-server.ts";
import { TcpProxy } from "../../../support/tcp-proxy.ts";
import { type PostgresUnderTest, postgresUnderTest, reader, visitsColumns } from "./under-test.ts";

const buckets = { kind: "buckets", low: "0", step: "60", buckets: 2 } as const;

describe("the PostgreSQL engine", () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server.stop());

  describe("as a plan engine", () => testPlanEngine(() => postgresUnderTest(server)));

  describe("over live tables", () => {
    let data: PostgresUnderTest;
    beforeEach(async () => {
      data = await postgresUnderTest(server);
      await server.sql(
        `DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC;
         CREATE TABLE visits (${visitsColumns}); GRANT SELECT ON visits TO ${reader};
         INSERT INTO visits SELECT 'p' || n % 100, 'north', 1, n % 100, NULL, true, n FROM generate_series(1, 300) AS n`,
      );
    });
    afterEach(() => data.dispose());

    const connect = (table = "visits") => data.postgres.importFile(data.url(table), manifestOf());
    const run = async (plan: Plan, more: Partial<typeof limits> = {}) =>
      (await data.engine.execute("visits", plan, { ...limits, ...more })).vectors;
    /** Where the rows are read through a view that does `what` to a row. */
    const throughView = async (what: string) => {
      await connect();
      await server.sql(
        `ALTER TABLE visits RENAME TO base; CREATE VIEW visits AS SELECT person, region, cost, ${what} AS age, day, acute, large FROM base; GRANT SELECT ON visits TO ${reader}`,
      );
    };

    it("says nothing of what PostgreSQL says but to the custodian's own log", async () => {
      await throughView("CAST('secret value ' || person AS integer)");
      const error = await expectCode(() => run(planOf([sumOf(column("age"), 0n, 120n)])), "engine_failed");
      expect(error.message).to.equal("The engine could not run the plan.");
      expect(error.fields).to.deep.equal({});
      expect(data.failures.join()).to.match(/invalid input syntax .*secret value/);
    });

    it("ends at the time limit, in the server too, and goes on", async () => {
      await throughView("CASE WHEN pg_sleep(1) IS NULL THEN 1 ELSE age END");
      const started = performance.now();
      await expectCode(
        () => run(planOf([sumOf(column("age"), 0n, 120n)]), { timeMsMax: 200 }),
        "engine_limit",
      );
      expect(performance.now() - started).to.be.lessThan(1500);
      const [running] = await server.sql(
        `SELECT count(*) AS n FROM pg_stat_activity WHERE usename = '${reader}' AND state = 'active'`,
      );
      expect(running!.n).to.equal("0");
      await server.sql("DROP VIEW visits; ALTER TABLE base RENAME TO visits");
      expect(await run(planOf([rowCount]))).to.deep.equal([[300n]]);
    });

    it("ends soon after its limit where the server is not heard any more, and goes on when it is", async () => {
      await throughView("CASE WHEN pg_sleep(0.001) IS NULL THEN 1 ELSE age END");
      const wire = await TcpProxy.start(`http://127.0.0.1:${server.port}`);
      try {
        const address = data.url("visits").replace(/127\.0\.0\.1:\d+/, new URL(wire.url).host);
        await data.postgres.importFile(address, manifestOf());
        const plan = planOf([sumOf(column("age"), 0n, 120n)]);
        const answer = await run(plan);
        const asking = run(plan, { timeMsMax: 500 });
        await delay(100);
        wire.set("silent");
        const started = performance.now();
        await expectCode(() => asking, "engine_limit");
        expect(performance.now() - started).to.be.lessThan(4_000);
        wire.set("pass");
        expect(await run(plan)).to.deep.equal(answer);
      } finally {
        await wire.close();
      }
    });

    it("fails with a code when the server goes in the middle of a question", async () => {
      await throughView("CASE WHEN pg_sleep(0.01) IS NULL THEN 1 ELSE age END");
      const asking = expectCode(() => run(planOf([sumOf(column("age"), 0n, 120n)])), "engine_failed");
      await delay(300);
      await server.pause();
      await server.resume();
      await asking;
      expect(await run(planOf([rowCount]))).to.deep.equal([[300n]]);
    });

    it("does not wait for a lock beyond its limit", async () => {
      await connect();
      const other = await server.connect();
      try {
        await other.query("BEGIN; LOCK TABLE visits IN ACCESS EXCLUSIVE MODE");
        await expectCode(() => run(planOf([rowCount]), { timeMsMax: 300 }), "engine_limit");
      } finally {
        await other.end();
      }
      expect(await run(planOf([rowCount]))).to.deep.equal([[300n]]);
    });

    it("is not available while the server is gone, and is again when it comes back", async () => {
      await connect();
      const plan = planOf([rowCount]);
      await data.engine.requireAvailable("visits", plan);
      await server.pause();
      try {
        const error = await expectCode(
          () => data.engine.requireAvailable("visits", plan),
          "dataset_unavailable",
        );
        expect(error.message).to.not.match(/127|ECONN|postgres/i);
        expect(data.unavailable.at(-1)).to.match(
          /^the database postgres at 127\.0\.0\.1:\d+ cannot be reached/,
        );
        await expectCode(() => run(plan), "engine_failed");
      } finally {
        await server.resume();
      }
      await data.engine.requireAvailable("visits", plan);
      expect(await run(plan)).to.deep.equal([[300n]]);
    });

    it("is not available when table, column or right is gone, or the plan is for another manifest", async () => {
      await connect();
      const plan = planOf([rowCount]);
      const refused = async (sql: string, back: string, pattern: RegExp) => {
        await server.sql(sql);
        await expectCode(() => data.engine.requireAvailable("visits", plan), "dataset_unavailable");
        expect(data.unavailable.at(-1)).to.match(pattern);
        await server.sql(back);
        await data.engine.requireAvailable("visits", plan);
      };
      await refused(
        "ALTER TABLE visits RENAME TO gone",
        "ALTER TABLE gone RENAME TO visits",
        /no table public\.visits/,
      );
      await refused(
        "ALTER TABLE visits RENAME day TO d",
        "ALTER TABLE visits RENAME d TO day",
        /no column day/,
      );
      await refused(
        `REVOKE SELECT ON visits FROM ${reader}`,
        `GRANT SELECT ON visits TO ${reader}`,
        /no column person/,
      );
      const others: Plan[] = [
        planOf([rowCount], { rowsPerPerson: 6 }),
        planOf([sumOf(column("height"), 0n, 1n)]),
        planOf([rowCount], {
          keys: [{ ...byRegion[0]!, labels: ["n", "s", "e", "w"] } as (typeof byRegion)[number]],
        }),
      ];
      for (const other of others)
        await expectCode(() => data.engine.requireAvailable("visits", other), "dataset_unavailable");
    });

    it("answers all parts of a plan from one moment while rows come and go", async () => {
      await connect();
      const buckets = { kind: "buckets", of: column("age"), low: "0", step: "10", buckets: 10 } as const;
      const plan = planOf([
        rowCount,
        buckets,
        sumOf(column("large"), 0n, 10n ** 6n),
        buckets,
        { kind: "people" },
      ]);
      const stop = { now: false };
      let writes = 0;
      const writing = (async () => {
        const writer = await server.connect();
        while (!stop.now) {
          await writer.query(
            "INSERT INTO visits SELECT 'q' || n, 'north', 1, 5, NULL, true, 0 FROM generate_series(1, 50) AS n",
          );
          await writer.query("DELETE FROM visits WHERE person LIKE 'q%'");
          writes++;
        }
        await writer.end();
      })();
      const seen = new Set<bigint>();
      for (let round = 0; round < 60; round++) {
        const [rows, first, , second, people] = await run(plan);
        const sum = (numbers: bigint[]) => numbers.reduce((a, b) => a + b, 0n);
        expect([sum(first!), sum(second!), 200n + people![0]!]).to.deep.equal([rows![0], rows![0], rows![0]]);
        seen.add(rows![0]!);
      }
      stop.now = true;
      await writing;
      expect(writes).to.be.greaterThan(10);
      expect([...seen].sort()).to.deep.equal([300n, 350n]);
    });

    it("reads the same rows of a person at each question, and others under another secret", async () => {
      await server.sql(
        "DELETE FROM visits; INSERT INTO visits SELECT 'p' || n % 20, 'north', 1, n / 20, NULL, true, n FROM generate_series(0, 399) AS n",
      );
      const chosen = async () =>
        (await run(planOf([sumOf(column("large"), 0n, 1000n)], { rowsPerPerson: 3 })))[0]![0];
      await connect();
      const first = await chosen();
      // Neither where the rows lie, nor who else is there, has a part in the choice.
      await server.sql(
        "CREATE TABLE copy AS SELECT * FROM visits ORDER BY random(); DELETE FROM visits; INSERT INTO visits SELECT * FROM copy",
      );
      expect(await chosen()).to.equal(first);
      const others = new Set<bigint | undefined>();
      for (let round = 0; round < 5; round++) {
        await data.dispose();
        data = await postgresUnderTest(server);
        await connect();
        others.add(await chosen());
      }
      expect(others.size).to.be.greaterThan(1);
    });

    it("needs no window where a constraint keeps a person to one row, and notices when it is dropped", async () => {
      await server.sql(
        "DELETE FROM visits; INSERT INTO visits SELECT 'p' || n, 'north', 1, 1, NULL, true, n FROM generate_series(1, 50) AS n; ALTER TABLE visits ADD UNIQUE (person)",
      );
      await data.postgres.importFile(data.url("visits"), manifestOf({ rowsPerPerson: 1 }));
      const plan = planOf([rowCount, { kind: "people" }], { rowsPerPerson: 1 });
      expect(await run(plan)).to.deep.equal([[50n], [50n]]);
      await server.sql(
        "ALTER TABLE visits DROP CONSTRAINT visits_person_key; INSERT INTO visits SELECT * FROM visits",
      );
      expect(await run(plan)).to.deep.equal([[50n], [50n]]);
      // A constraint over part of the rows is none, nor is one that children do not have.
      await server.sql("CREATE UNIQUE INDEX ON visits (person) WHERE large < 0");
      expect(await run(plan)).to.deep.equal([[50n], [50n]]);
      const row = "('a', NULL, NULL, 1, NULL, NULL, 1)";
      await server.sql(
        `DELETE FROM visits; ALTER TABLE visits ADD UNIQUE (person); CREATE TABLE child () INHERITS (visits); INSERT INTO visits VALUES ${row}; INSERT INTO child VALUES ${row}`,
      );
      expect(await run(plan)).to.deep.equal([[1n], [1n]]);
    });

    it("takes crafted texts of one code for two groups, each of them one of a person's", async () => {
      const [first, second] = sameCode;
      expect(textCode(first)).to.equal(textCode(second));
      await server.sql(
        `DELETE FROM visits; INSERT INTO visits SELECT person, region, 1, n, NULL, NULL, n
         FROM (VALUES ('a', '${first}', 1), ('b', '${second}', 10), ('c', '${second}', 20), ('d', '${first}', 30), ('d', '${second}', 40)) AS v(person, region, n)`,
      );
      const region = { type: "text" as const, domain: "open" as const, nullable: true };
      await data.postgres.importFile(
        data.url("visits"),
        manifestOf({ columns: { ...manifestOf().columns, region } }),
      );
      const ask = async (expression: Expression, groups: number | null) => {
        const keys: GroupKey[] = [{ kind: "open", expression, type: "text", scale: 0 }];
        const age = sumOf(column("age"), 0n, 120n);
        const plan = planOf([{ kind: "people" }, age, { ...buckets, of: column("age") }], {
          keys,
          ...(groups !== null && { bounding: { kind: "query", groups, rowsPerGroup: 5 } }),
        });
        const answer = await data.engine.execute("visits", plan, limits);
        return Object.fromEntries(
          answer.groups!.map(([label], at) => [
            label!,
            [
              answer.vectors[0]![at],
              answer.vectors[1]![at],
              answer.vectors[2]![2 * at]! + answer.vectors[2]![2 * at + 1]!,
            ],
          ]),
        );
      };
      const apart = { [first]: [2n, 31n, 2n], [second]: [3n, 70n, 3n] };
      const younger: Predicate = {
        kind: "compare",
        operator: "<",
        left: column("age"),
        right: { kind: "constant", value: "25" },
      };
      const either: Expression = {
        kind: "case",
        branches: [{ when: younger, value: column("region") }],
        otherwise: column("region"),
      };
      for (const key of [column("region"), either]) {
        expect(await ask(key, null)).to.deep.equal(apart);
        expect(await ask(key, 2)).to.deep.equal(apart);
        // The one person who has both counts in one.
        const one = await ask(key, 1);
        expect([one[first]![0]! + one[second]![0]!, one[first]![2]! + one[second]![2]!]).to.deep.equal([
          4n,
          4n,
        ]);
      }
    });

    it("takes the custodian's word on bounded rows only as long as it is true", async () => {
      await server.sql("DELETE FROM visits WHERE large > 100");
      await data.postgres.importFile(data.url("visits", "&bounded=visits"), manifestOf({ rowsPerPerson: 1 }));
      const plan = planOf([rowCount, sumOf(column("age"), 0n, 120n)], { rowsPerPerson: 1 });
      const once = await run(plan);
      expect(once[0]).to.deep.equal([100n]);
      await server.sql("INSERT INTO visits SELECT * FROM visits");
      expect(await run(plan)).to.deep.equal(once);
    });

    it("cannot write, whatever a view of the custodian's tries", async () => {
      await connect();
      await server.sql(
        `CREATE TABLE trace (n integer); GRANT INSERT ON trace TO ${reader};
         CREATE FUNCTION note() RETURNS integer LANGUAGE sql VOLATILE AS 'INSERT INTO public.trace VALUES (1) RETURNING n';
         ALTER TABLE visits RENAME TO base;
         CREATE VIEW visits AS SELECT person, region, cost, note() AS age, day, acute, large FROM base; GRANT SELECT ON visits TO ${reader}`,
      );
      await expectCode(() => run(planOf([sumOf(column("age"), 0n, 120n)])), "engine_failed");
      expect(data.failures.join()).to.match(/read-only transaction/);
    });

    it("does not take another schema's operators and functions for PostgreSQL's", async () => {
      await connect();
      await server.sql(
        `CREATE FUNCTION public.md5(text) RETURNS text LANGUAGE sql AS 'SELECT pg_sleep(60)::text';
         CREATE FUNCTION public.count(integer) RETURNS bigint LANGUAGE sql AS 'SELECT 7::bigint';
         ALTER ROLE ${reader} SET search_path = public, pg_catalog`,
      );
      await data.dispose();
      data = await postgresUnderTest(server);
      await connect();
      expect(await run(planOf([rowCount, { kind: "count", of: column("age") }]))).to.deep.equal([
        [300n],
        [300n],
      ]);
      await server.sql(`ALTER ROLE ${reader} RESET search_path`);
    });

    it("refuses more questions than may wait, with a code", async () => {
      await data.dispose();
      data = await postgresUnderTest(server, { engine: { concurrency: 1, waitingMax: 1 } });
      await throughView("CASE WHEN pg_sleep(0.002) IS NULL THEN 1 ELSE age END");
      const ask = () => run(planOf([sumOf(column("age"), 0n, 120n)]));
      const [first, second] = [ask(), ask()];
      await delay(20);
      await expectCode(ask, "engine_limit");
      expect(await first).to.deep.equal(await second);
    });
  });
});
