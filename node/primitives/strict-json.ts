/**
 * Strict JSON (RFC 8259 with the restrictions of I-JSON, RFC 7493): what two parsers could read differently is refused.
 *
 * `JSON.parse` lets the last of two equal keys win, so a reviewer and an engine could see two values of epsilon in one text.
 * Refused: duplicate keys, `__proto__`, nesting deeper than the limit, lone surrogates, numbers that a double cannot hold exactly.
 */
import { TrustedDataError } from "../errors.ts";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Deep enough for every document of the project, shallow enough that recursion cannot exhaust the stack. */
export const depthMax = 32;

const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** Up to the next quote or escape. One piece at a time: a pattern over a whole string of megabytes overflows the matcher's stack. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 8259 excludes exactly these from a string.
const plainPattern = /[^"\\\u0000-\u001f]*/y;
const escapePattern = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const spacePattern = /[ \t\n\r]*/y;

/**
 * Parses one JSON document.
 * @throws TrustedDataError `invalid_json` with the offset (UTF-16 units) in `fields.offset`.
 */
export function parseStrictJson(text: string): Json {
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

class Reader {
  readonly #text: string;
  #offset = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): Json {
    if (depth > depthMax) this.#fail(`nested deeper than ${depthMax} levels`);
    this.#skipSpace();
    switch (this.#text[this.#offset]) {
      case "{":
        return this.#object(depth);
      case "[":
        return this.#array(depth);
      case '"':
        return this.#string();
      case "t":
        return this.#word("true", true);
      case "f":
        return this.#word("false", false);
      case "n":
        return this.#word("null", null);
      default:
        return this.#number();
    }
  }

  end(): void {
    this.#skipSpace();
    if (this.#offset !== this.#text.length) this.#fail("unexpected text after the document");
  }

  #object(depth: number): Json {
    const members = new Map<string, Json>();
    this.#offset++;
    if (this.#takes("}")) return {};
    do {
      this.#skipSpace();
      if (this.#text[this.#offset] !== '"') this.#fail("a key must be a string");
      const key = this.#string();
      if (key === "__proto__") this.#fail("the key __proto__ is not allowed");
      if (members.has(key)) this.#fail(`the key ${JSON.stringify(key)} appears twice`);
      this.#expect(":");
      members.set(key, this.value(depth + 1));
    } while (this.#takes(","));
    this.#expect("}");
    return Object.fromEntries(members);
  }

  #array(depth: number): Json[] {
    const items: Json[] = [];
    this.#offset++;
    if (this.#takes("]")) return items;
    do items.push(this.value(depth + 1));
    while (this.#takes(","));
    this.#expect("]");
    return items;
  }

  #string(): string {
    const from = this.#offset++;
    do this.#match(plainPattern);
    while (this.#match(escapePattern) !== undefined);
    if (this.#text[this.#offset] !== '"') this.#fail("a string is not closed or holds a control character");
    this.#offset++;
    const text = JSON.parse(this.#text.slice(from, this.#offset)) as string;
    if (!text.isWellFormed()) this.#fail("a string holds a lone surrogate");
    return text;
  }

  #number(): number {
    const literal = this.#match(numberPattern) ?? this.#fail("expected a value");
    const number = Number(literal);
    if (!Number.isFinite(number)) this.#fail("a number is too large");
    if (Number.isInteger(number) && !Number.isSafeInteger(number)) this.#fail("an integer is beyond 2^53");
    return number;
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#offset)) this.#fail("expected a value");
    this.#offset += word.length;
    return value;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#offset;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#offset += found.length;
    return found;
  }

  #takes(mark: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#offset] !== mark) return false;
    this.#offset++;
    return true;
  }

  #expect(mark: string): void {
    if (!this.#takes(mark)) this.#fail(`expected ${JSON.stringify(mark)}`);
  }

  #skipSpace(): void {
    this.#match(spacePattern);
  }

  #fail(reason: string): never {
    throw new TrustedDataError(
      "invalid_json",
      `The JSON is not acceptable at offset ${this.#offset}: ${reason}.`,
      {
        offset: String(this.#offset),
      },
    );
  }
}
