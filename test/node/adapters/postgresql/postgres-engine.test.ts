import { testPlanEngine } from "../../../ports/plan-engine.ts";
import { type PostgresServer, startPostgres } from "../../../support/postgresql-server.ts";
import { postgresUnderTest } from "./under-test.ts";

describe("the PostgreSQL engine", () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server.stop());

  describe("as a plan engine", () => testPlanEngine(() => postgresUnderTest(server)));
});
