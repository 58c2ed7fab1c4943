import { expect } from "chai";
import { parseDatabaseUrl } from "../../../../node/adapters/postgresql/database-address.ts";
import { DatabaseConnections } from "../../../../node/adapters/postgresql/database-connections.ts";
import { datasetSources } from "../../../../node/adapters/postgresql/dataset-tables.ts";
import { exceedingSql, optionsFor, statementsOf } from "../../../../node/adapters/postgresql/run-plan.ts";
import { readTableFacts } from "../../../../node/adapters/postgresql/table-facts.ts";
import type { DatasetManifest } from "../../../../node/data-sharing/manifests/dataset-manifest.ts";
import { executePlan, type PersonRow } from "../../../../node/data-sharing/plan/evaluate.ts";
import type { Plan } from "../../../../node/data-sharing/plan/plan.ts";
import {
  byRegion,
  column,
  limits,
  manifestOf,
  planOf,
  regions,
  row,
  rowCount,
  sumOf,
} from "../../../ports/data-files.ts";
import { inOrder } from "../../../ports/plan-engine.ts";
import { expectCode } from "../../../support/errors.ts";
import {
  administrator,
  database,
  type PostgresServer,
  startPostgres,
} from "../../../support/postgresql-server.ts";
import { type PostgresUnderTest, postgresUnderTest, reader } from "./under-test.ts";

const columns =
  "person integer NOT NULL, region text, cost numeric(9, 2), age integer NOT NULL, day date, acute boolean, large bigint NOT NULL";
const people = 3000;

describe("a table spread over two further PostgreSQL servers", function () {
  this.timeout(120_000);
  let front: PostgresServer;
  let workers: PostgresServer[];
  let data: PostgresUnderTest;
  const connections = new DatabaseConnections(1);
  const rows: PersonRow[] = Array.from({ length: people }, (_, at) =>
    row(`${at + 1}`, {
      region: at % 7 === 0 ? null : BigInt(at % 4),
      cost: BigInt((at * 37) % 90_000),
      age: BigInt(at % 100),
      acute: BigInt(at % 2),
      large: BigInt(at) * 1_000_003n,
    }),
  );

  before(async () => {
    [front, ...workers] = (await Promise.all([startPostgres(), startPostgres(), startPostgres()])) as [
      PostgresServer,
      ...PostgresServer[],
    ];
    data = await postgresUnderTest(front);
    await front.sql(
      `CREATE EXTENSION postgres_fdw; SET session_replication_role = DEFAULT;
       CREATE TABLE visits (${columns}) PARTITION BY HASH (person); GRANT SELECT ON visits TO ${reader}`,
    );
    for (const [at, worker] of workers.entries()) await join(worker, at);
    const values = rows.map(({ person, columns: { region, cost, age, acute, large } }) => ({
      person: Number(person),
      region: region === null ? null : regions[Number(region)],
      cost: Number(cost) / 100,
      age: Number(age),
      day: "1970-01-01",
      acute: acute === 1n,
      large: Number(large),
    }));
    await front.sql("INSERT INTO visits SELECT * FROM json_populate_recordset(NULL::visits, $1)", [
      JSON.stringify(values),
    ]);
    for (const worker of workers) await worker.sql("ANALYZE");
    await data.postgres.importFile(data.url("visits", "&bounded=visits"), manifest);
  });
  after(async () => {
    await connections.close();
    await data.dispose();
    for (const server of [front, ...workers]) await server.stop();
  });

  /** The worker takes rows of its own people alone, and one of each: its constraints see to that. */
  async function join(worker: PostgresServer, at: number): Promise<void> {
    await worker.sql(
      `CREATE TABLE visits (${columns}, PRIMARY KEY (person)) PARTITION BY HASH (person);
       CREATE TABLE own PARTITION OF visits FOR VALUES WITH (MODULUS 2, REMAINDER ${at});
       CREATE ROLE ${reader} LOGIN; GRANT SELECT ON visits TO ${reader}`,
    );
    await front.sql(
      `CREATE SERVER worker_${at} FOREIGN DATA WRAPPER postgres_fdw
         OPTIONS (host '127.0.0.1', port '${worker.port}', dbname '${database}', use_remote_estimate 'true', async_capable 'true', fdw_tuple_cost '0.2');
       CREATE USER MAPPING FOR ${reader} SERVER worker_${at} OPTIONS (user '${reader}', password_required 'false');
       CREATE USER MAPPING FOR ${administrator} SERVER worker_${at} OPTIONS (user '${administrator}', password_required 'false');
       CREATE FOREIGN TABLE visits_${at} PARTITION OF visits FOR VALUES WITH (MODULUS 2, REMAINDER ${at}) SERVER worker_${at} OPTIONS (table_name 'visits');
       GRANT SELECT ON visits_${at} TO ${reader}`,
    );
  }

  const manifest: DatasetManifest = manifestOf({ rowsPerPerson: 1 });
  const query = { kind: "query", rowsPerGroup: 1, groups: 4 } as const;
  const buckets = { kind: "buckets", of: column("age"), low: "0", step: "10", buckets: 10 } as const;
  const filter = {
    kind: "compare",
    operator: "<",
    left: { kind: "constant", value: "20" },
    right: column("age"),
  } as const;
  const plans: [string, Plan][] = [
    [
      "counts, people, sums and squares by region",
      planOf(
        [
          rowCount,
          { kind: "people" },
          sumOf(column("cost"), 0n, 50_000n, 25_000n),
          { ...sumOf(column("cost"), 0n, 50_000n, 25_000n), kind: "squares" } as Plan["vectors"][number],
        ],
        { keys: byRegion, filter, rowsPerPerson: 1 },
      ),
    ],
    ["buckets by region", planOf([buckets, rowCount], { keys: byRegion, rowsPerPerson: 1 })],
    [
      "bounds in the query",
      planOf([rowCount, sumOf(column("large"), 0n, 2n ** 40n)], {
        keys: byRegion,
        bounding: query,
        rowsPerPerson: 1,
      }),
    ],
    [
      "open keys",
      planOf([rowCount, { kind: "people" }], {
        keys: [
          {
            kind: "open",
            expression: { kind: "divide", left: column("age"), divisor: "10" },
            type: "number",
            scale: 0,
          },
        ],
        rowsPerPerson: 1,
      }),
    ],
  ];

  /** The plans that PostgreSQL makes, as text, of the check of the bound and of each statement. */
  async function explained(plan: Plan): Promise<string[]> {
    const { address } = parseDatabaseUrl(data.url("visits"));
    const names = { visits: { schema: "public", table: "visits" } };
    return await connections.inSnapshot(address, limits, async (session) => {
      const sources = datasetSources(manifest, names, await readTableFacts(session.client, [names.visits]));
      const places = optionsFor(plan, sources, "", undefined);
      const bounded = places.map((options) => ({ ...options, bounded: new Set(["visits"]) }));
      const statements = [
        exceedingSql("visits", plan, places)!,
        ...statementsOf(plan, bounded).map(({ sql }) => sql),
      ];
      const texts: string[] = [];
      for (const sql of statements)
        texts.push(
          (await session.rows(`EXPLAIN (VERBOSE, COSTS OFF) ${sql}`)).map(([line]) => line).join("\n"),
        );
      return texts;
    });
  }

  for (const [name, plan] of plans)
    it(`answers as one table would, each server adding up its own part: ${name}`, async () => {
      const answer = await data.engine.execute("visits", plan, limits);
      expect(inOrder(plan, answer)).to.deep.equal(inOrder(plan, executePlan(rows, plan)));
      for (const text of await explained(plan)) {
        for (const at of [0, 1])
          expect(text).to.match(
            new RegExp(`Foreign Scan[^]*Relations: Aggregate on \\(public\\.visits_${at} `),
          );
        // Nothing but the servers' own totals comes over.
        expect(text).to.not.match(/Relations: visits_|WindowAgg/);
        expect(text.match(/Foreign Scan/g)).to.have.length(2);
      }
    });

  it("counts off the rows of a person here where the bound does not hold any more", async () => {
    const plan = planOf([rowCount, { kind: "people" }], { rowsPerPerson: 1 });
    await workers[0]!.sql(
      "ALTER TABLE visits DROP CONSTRAINT visits_pkey; INSERT INTO visits SELECT * FROM visits",
    );
    try {
      const { vectors } = await data.engine.execute("visits", plan, limits);
      expect(vectors).to.deep.equal([[BigInt(people)], [BigInt(people)]]);
    } finally {
      await workers[0]!.sql(
        "DELETE FROM visits a USING visits b WHERE a.person = b.person AND a.ctid > b.ctid; ALTER TABLE visits ADD PRIMARY KEY (person)",
      );
    }
  });

  it("refuses, in the worker, a row whose person belongs to another", async () => {
    const outcome = await workers[0]!
      .sql(
        "INSERT INTO visits SELECT n, NULL, NULL, 1, NULL, NULL, 1 FROM generate_series(10001, 10020) AS n",
      )
      .then(
        () => "taken",
        (error: Error) => error.message,
      );
    expect(outcome).to.match(/no partition of relation "visits" found for row/);
  });

  it("is not connected where people are in two partitions", async () => {
    const partition = (at: number) =>
      `CREATE FOREIGN TABLE twice_${at} PARTITION OF twice FOR VALUES WITH (MODULUS 2, REMAINDER ${at}) SERVER worker_0 OPTIONS (table_name 'visits')`;
    await front.sql(
      `CREATE TABLE twice (${columns}) PARTITION BY HASH (person); ${partition(0)}; ${partition(1)}; GRANT SELECT ON twice, twice_0, twice_1 TO ${reader}`,
    );
    const error = await expectCode(
      () => data.postgres.importFile(data.url("twice"), manifestOf({ name: "twice", rowsPerPerson: 1 })),
      "database_unfit",
    );
    expect(error.message).to.match(/\d+ people of visits have rows in several of its partitions/);
  });

  it("fails with a code, and answers again, when a worker is gone for a while", async () => {
    const plan = plans[0]![1];
    await workers[1]!.pause();
    try {
      await data.engine.execute("visits", plan, limits).then(
        () => expect.fail("an answer without a part of the people"),
        (error) => expect(error.code).to.equal("engine_failed"),
      );
    } finally {
      await workers[1]!.resume();
    }
    const answer = await data.engine.execute("visits", plan, limits);
    expect(inOrder(plan, answer)).to.deep.equal(inOrder(plan, executePlan(rows, plan)));
  });
});
