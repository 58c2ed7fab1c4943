/**
 * The first line of a CSV file: encoding, delimiter, names. Only comma, semicolon and tab are tried as delimiters, and the one under which
 * the header names what the manifest wants is taken; the import report states it.
 */
import { open } from "node:fs/promises";
import { TrustedDataError } from "../../errors.ts";

const delimiters = [",", ";", "\t"] as const;
export type Delimiter = (typeof delimiters)[number];

export interface CsvHeader {
  delimiter: Delimiter;
  names: string[];
  /** 3 after a byte-order mark, else 0. */
  startByte: number;
}

/** A header, and any later row, may be this long; a longer one is most likely an unclosed quote. */
export const recordBytesMax = 1_000_000;

/** @param satisfies Whether a list of names has what is wanted. */
export async function readCsvHeader(
  file: string,
  satisfies: (names: string[]) => boolean,
): Promise<CsvHeader> {
  const start = await firstBytes(file, recordBytesMax);
  if (start.length === 0) throw emptyError();
  refuseOtherEncodings(start);
  const startByte = start.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf])) ? 3 : 0;
  const text = start.subarray(startByte).toString("utf8");
  if (text.trim() === "") throw emptyError();
  const readings = delimiters.map((delimiter) => ({ delimiter, names: headerNames(text, delimiter) }));
  const { delimiter, names } = readings.find((reading) => satisfies(reading.names)) ?? widest(readings);
  return { delimiter, names, startByte };
}

async function firstBytes(file: string, count: number): Promise<Buffer> {
  const handle = await open(file, "r");
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(count), 0, count, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

function refuseOtherEncodings(start: Buffer): void {
  const mark = start.length < 2 ? 0 : start.readUInt16BE(0);
  if (mark === 0xfffe || mark === 0xfeff || start.subarray(0, 1000).includes(0))
    throw encodingError("it looks like UTF-16 or a binary file");
}

/** The fields of the first record, under one delimiter. Broken quoting is left to the scan of the whole file. */
function headerNames(text: string, delimiter: Delimiter): string[] {
  const names: string[] = [];
  let name = "";
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const mark = text[at]!;
    if (quoted) {
      if (mark !== '"') name += mark;
      else if (text[at + 1] === '"') name += text[++at];
      else quoted = false;
    } else if (mark === '"') quoted = true;
    else if (mark === "\n" || mark === "\r") break;
    else if (mark === delimiter) {
      names.push(name);
      name = "";
    } else name += mark;
  }
  return [...names, name];
}

function widest<T extends { names: string[] }>(readings: T[]): T {
  return readings.reduce((best, next) => (next.names.length > best.names.length ? next : best));
}

export function emptyError(): TrustedDataError {
  return new TrustedDataError("data_file_empty", "The file needs a header line and at least one row.");
}

export function encodingError(detail: string, fields: Record<string, string> = {}): TrustedDataError {
  return new TrustedDataError(
    "data_file_encoding",
    `The file is not UTF-8 (${detail}): save it as UTF-8.`,
    fields,
  );
}
