/** What random expressions are made of: two texts of one meaning, ours and DuckDB's, and what the other parts need to know of it. */

export interface Text {
  /** PostgreSQL's SQL, as algorithms are written in. */
  sql: string;
  /** The same as DuckDB means it. */
  duck: string;
}

export type Part = string | Text;

export interface NumberTerm extends Text {
  kind: "number";
  scale: number;
  /** Of PostgreSQL's integer types, so that `/` rounds. */
  whole: boolean;
  /** In steps of 10^-scale. */
  low: number;
  high: number;
}

export interface DateTerm extends Text {
  kind: "date";
}

export interface TextTerm extends Text {
  kind: "text";
  texts: readonly string[];
  open: boolean;
}

export interface BooleanTerm extends Text {
  kind: "boolean";
}

export type Term = NumberTerm | DateTerm | TextTerm | BooleanTerm;

/** Both texts of a template; strings stand for themselves in each. */
export function text(strings: TemplateStringsArray, ...parts: Part[]): Text {
  const joined = (one: "sql" | "duck") =>
    strings.reduce((all, string, at) => {
      const part = parts[at - 1]!;
      return `${all}${typeof part === "string" ? part : part[one]}${string}`;
    });
  return { sql: joined("sql"), duck: joined("duck") };
}

export function list(parts: readonly Part[], between: string): Text {
  const joined = (one: "sql" | "duck") =>
    parts.map((part) => (typeof part === "string" ? part : part[one])).join(between);
  return { sql: joined("sql"), duck: joined("duck") };
}

/** DuckDB is held to types whose products fit its decimals. */
export function numberTerm(of: Text, scale: number, whole: boolean, low: number, high: number): NumberTerm {
  const type = whole ? "BIGINT" : `DECIMAL(18, ${scale})`;
  return { kind: "number", sql: of.sql, duck: `CAST(${of.duck} AS ${type})`, scale, whole, low, high };
}

/** The integer that a plan has for the value. */
export function storedInDuck(term: Term): string {
  switch (term.kind) {
    case "number":
      return `CAST(${term.duck} * ${10 ** term.scale} AS BIGINT)`;
    case "date":
      return `CAST(${term.duck} - DATE '1970-01-01' AS BIGINT)`;
    case "boolean":
      return `CAST(${term.duck} AS BIGINT)`;
    case "text":
      return term.duck;
  }
}
