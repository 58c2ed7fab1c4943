/** Random manifests: those of the Living Lab, as YAML and as JSON, with their text or their values changed, and documents of any other kind. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { parse, stringify } from "yaml";

export type ManifestKind = "algorithm" | "dataset";

const labFolder = join(import.meta.dirname, "..", "..", "node", "living-lab");
const folders: Record<ManifestKind, string> = { algorithm: "algorithms", dataset: "datasets" };

function labTexts(kind: ManifestKind): string[] {
  const folder = join(labFolder, folders[kind]);
  return readdirSync(folder).map((file) => readFileSync(join(folder, file), "utf8"));
}

const tokens = [
  ..."&a *a <<: *b !!str !!int !!binary !!set !!omap !x !<tag:yaml.org,2002:str> ? : - | > |- >+ # --- ... %YAML %TAG [ ] { } ,".split(
    " ",
  ),
  ..."__proto__ constructor toString hasOwnProperty prototype null ~ true yes no on off .inf -.inf .nan NaN Infinity".split(
    " ",
  ),
  ..."0x1F 0o17 017 0b1 1_000 1e3 1e400 -0 0.1 1.0 +1 9007199254740993 123456789012345678901234567890 1e-7 12:30:45".split(
    " ",
  ),
  ...'2020-01-01 2020-02-30 \'\' "" "\\u0000" "\\ud800" "\\x41" \'a\'\'b\' open dpv:AcademicResearch "500000" 0 1 -1 10000'.split(
    " ",
  ),
  "\0",
  "\ufeff",
  "\u0085",
  "\u2028",
  "\u202e",
  "\t",
  "\n",
  "\r",
  "\r\n",
  "  ",
  "\n\n",
  "\ud800",
  "\u00a0",
  "\x7f",
  "__proto__: 1\n",
  "constructor: { type: boolean }\n",
  "name: other\n",
  '"name": "other",',
  "<<: { name: x }\n",
  "*a : 1\n",
  "? [a]\n: 1\n",
  "a: &a [1]\nb: *a\n",
  "[".repeat(40),
  "{a: ".repeat(40),
  "- ".repeat(60),
  "[".repeat(60_000),
  '"'.repeat(50_000),
  "&a ".repeat(20_000),
  '"\\u0061"',
  "version: 1.0\n",
  "1: 2\n",
  "null: 1\n",
];
const bomb = fc
  .integer({ min: 2, max: 30 })
  .map((levels) =>
    Array.from({ length: levels }, (_, at) =>
      at === 0
        ? "a0: &a0 [x, x]"
        : `a${at}: &a${at} [${Array.from({ length: 9 }, () => `*a${at - 1}`).join(", ")}]`,
    ).join("\n"),
  );

interface Edit {
  at: number;
  length: number;
  token: string;
}

const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.nat(100_000),
  length: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(20) }),
  token: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...tokens) },
    { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 8 }) },
    { weight: 1, arbitrary: fc.constant("") },
  ),
});

function edited(text: string, edits: readonly Edit[]): string {
  return edits.reduce((before, { at, length, token }) => {
    const place = at % (before.length + 1);
    return before.slice(0, place) + token + before.slice(place + length);
  }, text);
}

const oddValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    0,
    -0,
    1,
    -1,
    1.5,
    1e21,
    2 ** 53,
    2 ** 47,
    5e-324,
    "",
    "open",
    "x",
    "ä",
    "1",
    [],
    {},
    [[]],
  ),
  fc.constantFrom<unknown>(
    [0, 1],
    [1, 0],
    ["2020-01-01", "2020-02-30"],
    { type: "boolean" },
    { type: "text", domain: "open" },
  ),
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.double(),
  fc.jsonValue({ maxDepth: 3 }),
);
const oddKey = fc.constantFrom(
  "__proto__",
  "constructor",
  "tostring",
  "valueof",
  "type",
  "domain",
  "bounds",
  "scale",
  "default",
  "x",
  "person",
  "",
);

/** A value somewhere in the document replaced, left out, or beside it one more. */
function changedValue(value: unknown, at: number, key: string, odd: unknown, act: number): unknown {
  if (typeof value !== "object" || value === null) return odd;
  const entries = Object.entries(value);
  const own = entries[at % Math.max(1, entries.length)];
  if (own === undefined) return odd;
  const [name, inner] = own;
  const isDeep = typeof inner === "object" && inner !== null && act % 4 !== 0;
  const next = isDeep ? changedValue(inner, Math.floor(at / entries.length), key, odd, act) : odd;
  if (Array.isArray(value)) {
    if (isDeep || act % 3 === 0) return value.with(Number(name), next);
    return act % 3 === 1 ? value.toSpliced(Number(name), 1) : [...value, next];
  }
  if (isDeep || act % 3 === 0)
    return Object.fromEntries(entries.map(([one, old]) => [one, one === name ? next : old]));
  const rest = act % 3 === 1 ? entries.filter(([one]) => one !== name) : entries;
  return Object.fromEntries(act % 3 === 1 ? rest : [...rest, [key, odd]]);
}

/** Also where it holds what JSON cannot say. */
function yamlText(value: unknown): string {
  return stringify(value, { aliasDuplicateObjects: false });
}

export function manifestText(kind: ManifestKind): fc.Arbitrary<string> {
  const texts = labTexts(kind);
  const documents = texts.map((text) => parse(text) as unknown);
  const yaml = fc.constantFrom(...texts);
  const json = fc.constantFrom(
    ...documents.map((one) => JSON.stringify(one)),
    ...documents.map((one) => JSON.stringify(one, null, 2)),
  );
  const changed = fc
    .tuple(
      fc.constantFrom(...documents),
      fc.array(fc.tuple(fc.nat(100_000), oddKey, oddValue, fc.nat(11)), { minLength: 1, maxLength: 3 }),
    )
    .map(([document, all]) =>
      all.reduce((value, [at, key, odd, act]) => changedValue(value, at, key, odd, act), document),
    );
  return fc.oneof(
    {
      weight: 4,
      arbitrary: fc.tuple(yaml, fc.array(edit, { maxLength: 4 })).map(([text, edits]) => edited(text, edits)),
    },
    {
      weight: 4,
      arbitrary: fc.tuple(json, fc.array(edit, { maxLength: 4 })).map(([text, edits]) => edited(text, edits)),
    },
    { weight: 4, arbitrary: changed.map((value) => JSON.stringify(value) ?? "") },
    { weight: 4, arbitrary: changed.map(yamlText) },
    { weight: 1, arbitrary: fc.json({ maxDepth: 6 }) },
    {
      weight: 1,
      arbitrary: fc.array(fc.constantFrom(...tokens), { maxLength: 30 }).map((all) => all.join(" ")),
    },
    { weight: 1, arbitrary: bomb },
    { weight: 1, arbitrary: fc.tuple(yaml, bomb).map(([text, more]) => `${text}\n${more}`) },
    { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 200 }) },
    {
      weight: 1,
      arbitrary: fc.uint8Array({ maxLength: 300 }).map((all) => Buffer.from(all).toString("latin1")),
    },
  );
}
