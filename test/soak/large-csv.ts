// `npx node test/soak/large-csv.ts [megabytes]`: imports a CSV file of 2 GB and prints time and peak memory. Not part of `npm test`: it takes
// minutes, and some 8 GB of the temporary folder.
import { once } from "node:events";
import { createWriteStream, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDatasetStore } from "../../node/adapters/duckdb/duckdb-dataset-store.ts";
import { SystemRandomness } from "../../node/adapters/system-randomness.ts";
import { header, manifestOf } from "../ports/data-files.ts";

const bytes = Number(process.argv[2] ?? 2000) * 1e6;
const folder = mkdtempSync(join(tmpdir(), "itd-soak-"));
try {
  const file = join(folder, "large.csv");
  await writeLarge(file, bytes);
  const store = openDatasetStore({ folder: join(folder, "datasets"), randomness: new SystemRandomness() });
  const startedMs = performance.now();
  const report = await store.importFile(file, manifestOf());
  console.log({
    bytes: statSync(file).size,
    report,
    seconds: Math.round((performance.now() - startedMs) / 1000),
    peakMemoryMiB: Math.round(process.resourceUsage().maxRSS / 1024),
  });
} finally {
  rmSync(folder, { recursive: true });
}

async function writeLarge(path: string, size: number): Promise<void> {
  const out = createWriteStream(path);
  out.write(`${header}\n`);
  let written = 0;
  for (let at = 0; written < size; ) {
    let text = "";
    for (const end = at + 10_000; at < end; at++)
      text += `person-${(at * 7_919) % 5_000_000},north,${at % 900}.25,${at % 120},1999-12-${10 + (at % 20)},${at % 2 === 0},${at}\n`;
    written += text.length;
    if (!out.write(text)) await once(out, "drain");
  }
  out.end();
  await once(out, "close");
}
