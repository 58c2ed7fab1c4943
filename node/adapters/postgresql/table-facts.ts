/**
 * What PostgreSQL's catalogue says about the tables of a dataset: columns with types, whether a constraint keeps a person to one row, what
 * the role may do. Read in the snapshot in which the rows are read, so that a constraint that is dropped meanwhile still held for them.
 */
import type { ClientBase } from "pg";
import { assert } from "../../primitives/assert.ts";

export interface TableName {
  schema: string;
  table: string;
}

export interface SourceColumn {
  name: string;
  kind:
    | "integer"
    | "numeric"
    | "float"
    | "boolean"
    | "date"
    | "timestamp"
    | "text"
    | "enum"
    | "uuid"
    | "other";
  /** PostgreSQL's own name of the type. */
  typeName: string;
  /** Of an integer type; else 0. */
  bytes: number;
  /** Decimal places of a numeric(p, s); null where it has any number of them. */
  scale: number | null;
  isNotNull: boolean;
  /** A valid constraint lets each value stand in one row at most, in whatever partition. */
  isUnique: boolean;
  /** Equal texts are equal byte by byte. */
  isDeterministic: boolean;
}

export interface TableFacts {
  columns: SourceColumn[];
  /** A table of rows here, with none that inherit from it and no rules of its own on rows. */
  isPlain: boolean;
  mayRead: boolean;
  /** Of table and partitions; or of the table's owner. */
  mayWrite: boolean;
  /** Of a table that is partitioned by one column, with partitions on other servers: that column, and what to read in its place. */
  partitions: { column: string; tables: TableName[] } | null;
}

export interface ServerFacts {
  isSuperuser: boolean;
  encoding: string;
  version: number;
}

const kinds: Record<string, SourceColumn["kind"]> = {
  int2: "integer",
  int4: "integer",
  int8: "integer",
  numeric: "numeric",
  float4: "float",
  float8: "float",
  bool: "boolean",
  date: "date",
  timestamp: "timestamp",
  text: "text",
  varchar: "text",
  bpchar: "text",
  uuid: "uuid",
};

/** Undefined for a table that is not there. */
export async function readTableFacts(
  client: ClientBase,
  names: readonly TableName[],
): Promise<(TableFacts | undefined)[]> {
  const found = await client.query<{ place: number; facts: RawFacts }>(factsSql, [
    names.map(({ schema }) => schema),
    names.map(({ table }) => table),
  ]);
  const byPlace = new Map(found.rows.map(({ place, facts }) => [Number(place), facts]));
  return names.map((_, at) => {
    const raw = byPlace.get(at + 1);
    return raw && factsOf(raw);
  });
}

export async function readServerFacts(client: ClientBase): Promise<ServerFacts> {
  const found = await client.query(
    `SELECT bool_or(rolsuper) AS "isSuperuser", pg_catalog.current_setting('server_encoding') AS encoding,
       CAST(pg_catalog.current_setting('server_version_num') AS integer) AS version
     FROM pg_catalog.pg_roles WHERE rolname IN (current_user, session_user)`,
  );
  assert(found.rows.length === 1, "the role is known");
  return found.rows[0] as ServerFacts;
}

interface RawColumn {
  name: string;
  type: string;
  typeName: string;
  isEnum: boolean;
  bytes: number;
  modifier: number;
  isNotNull: boolean;
  isUnique: boolean;
  isDeterministic: boolean;
}

interface RawFacts {
  isPlain: boolean;
  mayRead: boolean;
  mayWrite: boolean;
  partitions: TableFacts["partitions"];
  columns: RawColumn[] | null;
}

function factsOf({ columns, ...facts }: RawFacts): TableFacts {
  return {
    ...facts,
    columns: (columns ?? []).map(({ type, isEnum, modifier, bytes, ...column }) => {
      const kind = isEnum ? "enum" : (kinds[type] ?? "other");
      // In a numeric's modifier the places are the lower 11 bits, with a sign (src/backend/utils/adt/numeric.c).
      const scale = kind === "numeric" && modifier >= 0 ? (((modifier - 4) & 0x7ff) ^ 1024) - 1024 : null;
      return { ...column, kind, scale, bytes: kind === "integer" ? bytes : 0 };
    }),
  };
}

/** A domain over a type counts as the type: what it adds are constraints. */
const factsSql = `
WITH RECURSIVE wanted AS (
  SELECT place, c.oid, c.relkind, c.relowner, c.relhassubclass, c.relrowsecurity
  FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS given(schema_, table_, place)
  JOIN pg_catalog.pg_namespace n ON n.nspname = schema_
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = table_ AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
), tree AS (
  SELECT place, oid FROM wanted
  UNION
  SELECT tree.place, inhrelid FROM tree JOIN pg_catalog.pg_inherits ON inhparent = tree.oid
), base(oid, root, modifier) AS (
  SELECT t.oid, t.oid, -1 FROM pg_catalog.pg_type t WHERE t.typtype <> 'd'
  UNION ALL
  SELECT t.oid, base.root, CASE WHEN t.typtypmod >= 0 THEN t.typtypmod ELSE base.modifier END
  FROM pg_catalog.pg_type t JOIN base ON base.oid = t.typbasetype WHERE t.typtype = 'd'
)
SELECT place, json_build_object(
  'isPlain', w.relkind = 'r' AND NOT w.relhassubclass AND NOT w.relrowsecurity,
  'mayRead', pg_catalog.has_table_privilege(w.oid, 'SELECT') OR pg_catalog.has_any_column_privilege(w.oid, 'SELECT'),
  'mayWrite', pg_catalog.pg_has_role(w.relowner, 'MEMBER') OR (
    SELECT bool_or(pg_catalog.has_table_privilege(tree.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')
      OR pg_catalog.has_any_column_privilege(tree.oid, 'INSERT, UPDATE'))
    FROM tree WHERE tree.place = w.place),
  'partitions', (
    -- Read one by one, a table's own rules on rows would not hold.
    SELECT json_build_object('column', a.attname, 'tables', children.tables)
    FROM pg_catalog.pg_partitioned_table p
    JOIN pg_catalog.pg_attribute a ON a.attrelid = w.oid AND a.attnum = p.partattrs[0]
    CROSS JOIN LATERAL (
      SELECT json_agg(json_build_object('schema', n.nspname, 'table', c.relname) ORDER BY n.nspname, c.relname) AS tables,
        bool_or(c.relkind = 'f') AS "isElsewhere", bool_and(pg_catalog.has_table_privilege(c.oid, 'SELECT')) AS "mayRead"
      FROM pg_catalog.pg_inherits JOIN pg_catalog.pg_class c ON c.oid = inhrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE inhparent = w.oid AND NOT inhdetachpending
    ) children
    WHERE p.partrelid = w.oid AND p.partnatts = 1 AND NOT w.relrowsecurity AND children."isElsewhere" AND children."mayRead"),
  'columns', (
    SELECT json_agg(json_build_object(
      'name', a.attname, 'type', t.typname, 'typeName', pg_catalog.format_type(t.oid, NULL), 'isEnum', t.typtype = 'e',
      'bytes', t.typlen, 'modifier', CASE WHEN a.atttypmod >= 0 THEN a.atttypmod ELSE base.modifier END,
      'isNotNull', a.attnotnull,
      'isUnique', (w.relkind IN ('p', 'm') OR (w.relkind = 'r' AND NOT w.relhassubclass)) AND EXISTS (
        SELECT FROM pg_catalog.pg_index i
        WHERE i.indrelid = w.oid AND i.indisunique AND i.indisvalid AND i.indisready AND i.indislive
          AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum AND i.indpred IS NULL AND i.indexprs IS NULL),
      'isDeterministic', coalesce(k.collisdeterministic, true)
    ) ORDER BY a.attnum)
    FROM pg_catalog.pg_attribute a
    JOIN base ON base.oid = a.atttypid
    JOIN pg_catalog.pg_type t ON t.oid = base.root
    LEFT JOIN pg_catalog.pg_collation k ON k.oid = a.attcollation
    WHERE a.attrelid = w.oid AND a.attnum > 0 AND NOT a.attisdropped
      AND pg_catalog.has_column_privilege(w.oid, a.attnum, 'SELECT'))
) AS facts
FROM wanted w`;
