/**
 * Up to which moment a dataset's people are known. A later question over the same tables then needs to look at those rows alone that were
 * written since, and at none where nothing in the database was.
 *
 * Rests on this (PostgreSQL's MVCC): a version of a row never changes, and names in `xmin` the transaction that wrote it. A version that a
 * later snapshot sees, written by a transaction below all that were running at an earlier one, was visible to the earlier one too. Writing
 * a table anew keeps this (VACUUM FULL) or makes another file; only plain tables are taken, read without those that inherit from them.
 */
import type { Session } from "./database-connections.ts";
import type { DatasetSources } from "./dataset-tables.ts";
import { quoted } from "./sql-text.ts";

export interface CoveredSnapshot {
  /** Server, tables with their files and definitions, person columns: with another one nothing carries over. */
  identity: string;
  /** PostgreSQL's text of it: least running transaction, next transaction, those running between. */
  snapshot: string;
  /** Every transaction below it had ended. */
  oldest: bigint;
}

/** Transactions are compared within half of their 32 bits (PostgreSQL, 25.1.5); we stay well inside. */
const distanceMax = 1n << 30n;

/**
 * That of the session, once the tables are locked against being replaced until its end; null where a table is no plain one.
 *
 * What the catalogue's rows say is of the snapshot, names and files are of now: a table that was replaced between the two is noticed.
 */
export async function sessionSnapshot(
  sources: DatasetSources,
  session: Session,
): Promise<CoveredSnapshot | null> {
  const tables = [...sources.tables.values()];
  if (tables.some(({ isPlain }) => !isPlain)) return null;
  const places: { tableID: number; columnID: number; dataTypeID: number }[] = [];
  for (const { from, person } of tables) {
    const { fields } = await session.client.query(
      `SELECT t.${quoted(person.name)} FROM ${from} AS t LIMIT 0`,
    );
    places.push(fields[0]!);
  }
  const oids = [...new Set(places.map(({ tableID }) => tableID))];
  const [row] = await session.rows(snapshotSql, [oids.map(String)]);
  const [snapshot, oldest, server, found, files] = row!;
  if (Number(found) !== oids.length) return null;
  const columns = places.map(({ tableID, columnID, dataTypeID }) => [tableID, columnID, dataTypeID]);
  return {
    identity: JSON.stringify([server, files, columns]),
    snapshot: snapshot!,
    oldest: BigInt(oldest!),
  };
}

const snapshotSql = `
SELECT CAST(pg_current_snapshot() AS text), CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text), CAST(pg_postmaster_start_time() AS text),
  count(*), string_agg(concat_ws(' ', oid, xmin, pg_relation_filenode(oid)), ',' ORDER BY oid)
FROM pg_class WHERE oid = ANY (CAST($1 AS oid[])) AND relkind = 'r' AND NOT relhassubclass AND NOT relrowsecurity`;

/** Whether of `now` only rows that were written since `before` can be of people who are not known. */
export function continues(before: CoveredSnapshot | null, now: CoveredSnapshot | null): boolean {
  if (before === null || now === null) return before === now;
  const distance = now.oldest - before.oldest;
  return before.identity === now.identity && distance >= 0n && distance < distanceMax;
}

/** Whether both see the same rows. With transactions running it is not said: a standby does not list them. */
export function isSameMoment({ snapshot, oldest }: CoveredSnapshot, now: CoveredSnapshot): boolean {
  return snapshot === now.snapshot && snapshot === `${oldest}:${oldest}:`;
}

/** SQL that is true for all rows of `alias` that were written since, and for some others. */
export function writtenSinceSql({ oldest }: CoveredSnapshot, alias: string): string {
  return `age(${alias}.xmin) <= age(CAST('${oldest % (1n << 32n)}' AS xid))`;
}
