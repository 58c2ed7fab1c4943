/**
 * Reads a CSV file (RFC 4180) through once, in constant memory, and refuses what two readers could understand differently, each with its
 * line: bytes that are not UTF-8, rows with too few or too many fields, quotes in the wrong place. What passes has one meaning, and is then
 * read by DuckDB. Values are not looked at.
 */
import { isUtf8 } from "node:buffer";
import { createReadStream } from "node:fs";
import { type CsvHeader, encodingError, recordBytesMax } from "./csv-header.ts";
import { type BadRow, badRowsError, badRowsShownMax } from "./data-file-errors.ts";

const [lineFeed, carriageReturn, quote] = [0x0a, 0x0d, 0x22];

export interface CsvShape {
  /** Without the header. */
  rows: number;
  /** A quoted field holds a line end, so lines and rows differ. */
  linesInFields: boolean;
}

/** @throws TrustedDataError `data_file_encoding`, or `data_file_invalid` with the first broken lines. */
export async function scanCsv(
  file: string,
  header: CsvHeader,
  onBytes: (bytesRead: number) => void,
): Promise<CsvShape> {
  const scan = new Scan(header);
  await eachChunk(file, header.startByte, scan, onBytes);
  const bad = scan.end();
  if (bad.length > 0) throw badRowsError(bad, "line");
  return { rows: scan.records - 1, linesInFields: scan.linesInFields };
}

/** The 1-based lines on which rows start; `rows` are 0-based and do not count the header. */
export async function linesOfRows(
  file: string,
  header: CsvHeader,
  rows: readonly number[],
): Promise<Map<number, number>> {
  const scan = new Scan(header, new Set(rows));
  await eachChunk(file, header.startByte, scan, () => {});
  scan.end();
  return scan.lines;
}

async function eachChunk(
  file: string,
  start: number,
  scan: Scan,
  onBytes: (bytesRead: number) => void,
): Promise<void> {
  const utf8 = new Utf8Check();
  let bytesRead = start;
  for await (const chunk of createReadStream(file, { start, highWaterMark: 1 << 20 })) {
    const bytes = chunk as Buffer;
    const wrong = utf8.firstWrongByte(bytes);
    scan.feed(wrong === undefined ? bytes : bytes.subarray(0, wrong));
    if (wrong !== undefined) throw encodingError(`line ${scan.line} is not`, { line: String(scan.line) });
    bytesRead += bytes.length;
    onBytes(bytesRead);
    if (scan.hopeless) return;
  }
  if (!utf8.complete) throw encodingError("the last character is cut off", { line: String(scan.line) });
}

/** UTF-8 over chunks that may cut a character in two. */
class Utf8Check {
  #tail: Buffer = Buffer.alloc(0);

  get complete(): boolean {
    return this.#tail.length === 0;
  }

  /** About where the first wrong byte of the chunk is: in its line, at the latest. */
  firstWrongByte(chunk: Buffer): number | undefined {
    const bytes = this.#tail.length === 0 ? chunk : Buffer.concat([this.#tail, chunk]);
    const before = this.#tail.length;
    const whole = bytes.length - openBytes(bytes);
    this.#tail = Buffer.from(bytes.subarray(whole));
    if (isUtf8(bytes.subarray(0, whole))) return undefined;
    for (let start = 0; ; ) {
      const end = bytes.indexOf(lineFeed, start);
      if (end < 0 || end >= whole || !isUtf8(bytes.subarray(start, end))) return Math.max(0, start - before);
      start = end + 1;
    }
  }
}

/** Bytes at the end that begin a character which is not complete. */
function openBytes(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

// Where the scan stands: before a field, inside a plain one, inside quotes, after a closing quote, after a carriage return.
const [atStart, inPlain, inQuotes, afterQuote, afterReturn] = [0, 1, 2, 3, 4] as const;

class Scan {
  /** Rows so far, the header included; blank lines at the end are none. */
  records = 0;
  /** 1-based line that is being read. */
  line = 1;
  linesInFields = false;
  /** The rest of the file has no meaning, or enough is known to be wrong. */
  hopeless = false;
  /** Lines on which wanted rows start. */
  readonly lines = new Map<number, number>();
  readonly #delimiter: number;
  readonly #fieldCount: number;
  readonly #wanted: ReadonlySet<number>;
  readonly #bad: BadRow[] = [];
  #state = atStart as number;
  #fields = 1;
  /** Bytes before this chunk, and before this record. */
  #base = 0;
  #recordStart = 0;
  #recordLine = 1;
  #blankLine = 0;
  #broken = false;

  constructor(header: CsvHeader, wanted: ReadonlySet<number> = new Set()) {
    this.#delimiter = header.delimiter.charCodeAt(0);
    this.#fieldCount = header.names.length;
    this.#wanted = wanted;
  }

  feed(chunk: Buffer): void {
    const delimiter = this.#delimiter;
    let state = this.#state;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]!;
      if (state === inQuotes) {
        if (byte === quote) state = afterQuote;
        else if (byte === lineFeed) this.#lineInField(at);
      } else if (byte > quote && byte !== delimiter) {
        if (state > inQuotes) this.#textAfter(state);
        state = inPlain;
      } else if (byte === quote) {
        if (state === inPlain) this.#complain("a quote inside a field that does not start with one");
        else if (state === afterReturn) this.#textAfter(state);
        else state = inQuotes;
      } else if (byte === lineFeed) {
        this.#endRecord(at + 1, state === afterReturn ? 2 : 1);
        state = atStart;
      } else if (byte === delimiter) {
        if (state === afterReturn) this.#textAfter(state);
        this.#fields++;
        state = atStart;
      } else {
        if (state === afterReturn || (state === afterQuote && byte !== carriageReturn))
          this.#textAfter(state);
        state = byte === carriageReturn ? afterReturn : inPlain;
      }
      if (this.hopeless) return;
    }
    this.#state = state;
    this.#base += chunk.length;
    if (this.#base - this.#recordStart > recordBytesMax) this.#tooLong();
  }

  /** What is wrong, in the order of the lines. */
  end(): readonly BadRow[] {
    if (this.hopeless) return this.#bad;
    if (this.#state === inQuotes) this.#complain("a quote is opened and never closed");
    else if (this.#base > this.#recordStart) this.#endRecord(0, this.#state === afterReturn ? 1 : 0);
    return this.#bad;
  }

  /** @param end Offset in the chunk after the record. @param endBytes How long its line end is. */
  #endRecord(end: number, endBytes: number): void {
    const length = this.#base + end - this.#recordStart;
    if (length === endBytes) this.#blankLine ||= this.#recordLine;
    else this.#countRecord();
    this.line++;
    this.#fields = 1;
    this.#recordStart = this.#base + end;
    this.#recordLine = this.line;
    this.#broken = false;
  }

  #countRecord(): void {
    if (this.#blankLine > 0) this.#complain("a blank line comes before it");
    this.#blankLine = 0;
    if (this.#fields !== this.#fieldCount)
      this.#complain(`${this.#fields} fields where the header has ${this.#fieldCount}`);
    if (this.#wanted.has(this.records - 1)) this.lines.set(this.records - 1, this.#recordLine);
    this.records++;
  }

  #lineInField(at: number): void {
    this.linesInFields = true;
    this.line++;
    if (this.#base + at - this.#recordStart > recordBytesMax) this.#tooLong();
  }

  #textAfter(state: number): void {
    this.#complain(state === afterQuote ? "text after a closing quote" : "a carriage return inside a line");
  }

  #tooLong(): void {
    const reason = `longer than ${recordBytesMax} bytes`;
    this.#complain(
      this.#state === inQuotes ? `a quote is opened and not closed; the row is ${reason}` : reason,
    );
    this.hopeless = true;
  }

  /** One complaint a row, the first. */
  #complain(reason: string): void {
    if (this.#broken) return;
    this.#broken = true;
    this.#bad.push({ line: this.#recordLine, column: "", reason });
    this.hopeless ||= this.#bad.length > badRowsShownMax;
  }
}
