/** What a statement of the corpus is, and the shortest ways to write one. */
import type { ErrorCode } from "../../../node/errors.ts";

/** What is asked, a part of the reason for which it is refused, and the code where it is not `sql_refused`. */
export type BadStatement = readonly [sql: string, reason: string, code?: ErrorCode];

export const honestSql = "SELECT COUNT(*) AS people FROM people";

export const where = (condition: string) => `SELECT COUNT(*) AS people FROM people WHERE ${condition}`;
export const from = (source: string) => `SELECT COUNT(*) AS people FROM ${source}`;
export const sum = (expression: string) => `SELECT SUM(${expression}) AS total FROM people`;
export const nested = (times: number, of: (inner: string) => string, innermost: string) =>
  Array.from({ length: times }).reduce<string>((inner) => of(inner), innermost);
export const many = (count: number, of: (at: number) => string, between = ", ") =>
  Array.from({ length: count }, (_, at) => of(at)).join(between);
