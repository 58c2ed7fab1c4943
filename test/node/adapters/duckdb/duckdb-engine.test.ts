import { testPlanEngine } from "../../../ports/plan-engine.ts";
import { duckDbUnderTest } from "./under-test.ts";

describe("the DuckDB engine", () => {
  describe("as a plan engine", () => testPlanEngine(duckDbUnderTest));
});
