import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect } from "chai";

const nouns = [
  "ledger",
  "trust-framework",
  "identity",
  "data-sharing",
  "secure-computation",
  "personal-data-store",
  "living-lab",
];
const files = readdirSync("node", { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => join("node", file));

/** Nobody else knows the Living Lab: it is an example of the whole, not a part of it. */
const labFiles = /^node\/(?:living-lab\/|lab[-.]|cli\/(?:context|lab)\b)/;

/** What a file imports, as paths from the root; a package keeps its own name. */
function importsOf(file: string): string[] {
  const specifiers = readFileSync(file, "utf8").matchAll(
    /(?:^|\n)\s*(?:import|export)\b[^;"']*?from\s*"([^"]+)"|import\("([^"]+)"\)/g,
  );
  return [...specifiers]
    .map((match) => match[1] ?? match[2]!)
    .map((name) => (name.startsWith(".") ? normalize(join(dirname(file), name)) : name));
}

/** Whether the house lets `file` import `target` (architecture, section 2). */
function allowed(file: string, target: string): boolean {
  if (target.startsWith("scripts/") || target.startsWith("test/")) return false;
  if (!target.startsWith("node/")) return true;
  const [, from = ""] = file.split("/");
  const [, to = ""] = target.split("/");
  if (to === "errors.ts") return true;
  if (from === "primitives") return to === "primitives";
  if (nouns.includes(from))
    return to === "primitives" || (nouns.includes(to) && nouns.indexOf(to) <= nouns.indexOf(from));
  if (from === "adapters")
    return to === "adapters" || to === "primitives" || (nouns.includes(to) && to !== "living-lab");
  if (to === "living-lab" && !labFiles.test(file)) return false;
  // What a daemon serves and what a command prints are made of nouns; `node.ts`, `client.ts` and `lab.ts` give them the outside.
  if (from === "api" || from === "cli") return to === from || to === "primitives" || nouns.includes(to);
  return true;
}

describe("the house", () => {
  it("has rooms to look at", () => expect(files.length).to.be.greaterThan(3));

  it("lets imports run one way only", () => {
    const wrong = files.flatMap((file) =>
      importsOf(file)
        .filter((to) => !allowed(file, to))
        .map((to) => `${file} -> ${to}`),
    );
    expect(wrong).to.deep.equal([]);
  });

  it("would notice an import that runs the other way", () => {
    expect(allowed("node/ledger/x.ts", "node/identity/y.ts")).to.equal(false);
    expect(allowed("node/primitives/x.ts", "node/ledger/y.ts")).to.equal(false);
    expect(allowed("node/cli/x.ts", "node/adapters/y.ts")).to.equal(false);
    expect(allowed("node/ledger/x.ts", "test/y.ts")).to.equal(false);
    expect(allowed("node/api/x.ts", "node/node.ts")).to.equal(false);
    expect(allowed("node/node.ts", "node/living-lab/y.ts")).to.equal(false);
    expect(allowed("node/data-sharing/x.ts", "node/ledger/y.ts")).to.equal(true);
  });

  it("has no barrels", () => {
    expect(files.filter((file) => file.endsWith("/index.ts"))).to.deep.equal([]);
    expect(
      files.filter((file) =>
        /(?:^|\n)\s*export\s+(?:\*|\{[^}]*\})\s*from\b/.test(readFileSync(file, "utf8")),
      ),
    ).to.deep.equal([]);
  });

  it("has no import cycles", () => {
    const done = new Set<string>();
    const visit = (file: string, trail: string[]): void => {
      expect(trail, `cycle ${[...trail, file].join(" -> ")}`).to.not.include(file);
      if (done.has(file)) return;
      for (const next of importsOf(file).filter((to) => files.includes(to))) visit(next, [...trail, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
  });
});
