/**
 * Preloaded into a daemon (`--import register.ts?build=NAME`): makes it the bad build of this name. The product has no switch for any of
 * it. A patch that does not fit any more ends the daemon before it listens, so that a bad build never turns into a good one unnoticed.
 */
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { patched } from "./bad-build.ts";
import { badBuilds } from "./builds.ts";

const root = new URL("../../../", import.meta.url);
const name = new URL(import.meta.url).searchParams.get("build");
const build = badBuilds.find((one) => one.name === name);
if (build === undefined) throw new Error(`there is no bad build ${name}`);

const sources = new Map<string, string>();
for (const patch of build.patches) {
  const { href } = new URL(patch.file, root);
  sources.set(href, patched(sources.get(href) ?? readFileSync(new URL(href), "utf8"), patch));
}

registerHooks({
  load(url, context, nextLoad) {
    const source = sources.get(url);
    return source === undefined
      ? nextLoad(url, context)
      : { format: "module-typescript", source, shortCircuit: true };
  },
});
