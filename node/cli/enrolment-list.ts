/** The custodian's list of many: CSV (RFC 4180) with a header line, of which the columns `person` and `key` count. */
import { TrustedDataError } from "../errors.ts";
import { addressPattern, type Hex } from "../primitives/hex.ts";

export interface NamedKey {
  person: string;
  key: Hex;
}

/** A person's text stays as it is written, blanks included. @throws TrustedDataError `enrolment_invalid` with the line, never with its content. */
export function* readEnrolments(text: string): Generator<NamedKey> {
  const records = readRecords(text.replace(/^\ufeff/, ""));
  const header = records.next().value?.fields ?? [];
  const [person, key] = ["person", "key"].map((name) => header.indexOf(name)) as [number, number];
  if (person < 0 || key < 0) throw invalid(1, "the header names no columns person and key");
  for (const { fields, line } of records) {
    if (fields.length === 1 && fields[0] === "") continue;
    if (fields.length !== header.length)
      throw invalid(line, "it has another number of fields than the header");
    const found = { person: fields[person]!, key: fields[key]!.trim().toLowerCase() };
    if (found.person === "") throw invalid(line, "no person");
    if (!addressPattern.test(found.key)) throw invalid(line, "the key is no account (0x and 40 digits)");
    yield found;
  }
}

interface CsvRecord {
  fields: string[];
  /** On which it begins. */
  line: number;
}

function* readRecords(text: string): Generator<CsvRecord, undefined> {
  let at = 0;
  let line = 1;
  while (at < text.length) {
    const record: CsvRecord = { fields: [], line };
    for (;;) {
      const field = readField(text, at, record.line);
      record.fields.push(field.value);
      line += field.lines;
      at = field.end;
      if (text[at] !== ",") break;
      at++;
    }
    if (text.startsWith("\r\n", at)) at += 2;
    else if (text[at] === "\n") at++;
    else if (at < text.length) throw invalid(line, "a quote stands inside of a field");
    line++;
    yield record;
  }
  return undefined;
}

function readField(text: string, from: number, line: number): { value: string; end: number; lines: number } {
  if (text[from] !== '"') {
    let end = from;
    while (end < text.length && text[end] !== "," && text[end] !== "\n" && !text.startsWith("\r\n", end)) {
      if (text[end] === '"') throw invalid(line, "a quote stands inside of a field");
      end++;
    }
    return { value: text.slice(from, end), end, lines: 0 };
  }
  let end = from + 1;
  for (;;) {
    end = text.indexOf('"', end);
    if (end < 0) throw invalid(line, "a quoted field does not end");
    if (text[end + 1] !== '"') break;
    end += 2;
  }
  const value = text.slice(from + 1, end).replaceAll('""', '"');
  return { value, end: end + 1, lines: value.split("\n").length - 1 };
}

function invalid(line: number, reason: string): TrustedDataError {
  return new TrustedDataError(
    "enrolment_invalid",
    `Line ${line} of the list cannot be taken (${reason}); nobody was enrolled.`,
    { line: String(line), reason },
  );
}
