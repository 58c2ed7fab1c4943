/**
 * Reads the daemon's settings (settings.ts) from a YAML file and the environment, which wins. Unknown keys are refused: a misspelt limit
 * must not silently be the default one.
 */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { parseManifestWith } from "./data-sharing/manifests/parse-manifest.ts";
import { TrustedDataError } from "./errors.ts";
import { type Setting, settings } from "./settings.ts";

export type NodeConfig = { [Name in keyof typeof settings]: z.output<(typeof settings)[Name]["schema"]> };

/**
 * Reads the file and the environment. Paths in the file are relative to it, paths in the environment to the working folder.
 * @throws TrustedDataError `config_invalid`; `fields` holds the reason under the path of each setting that is wrong.
 */
export function loadConfig(
  file: string | undefined,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): NodeConfig {
  const written = file === undefined ? new Map<string, unknown>() : readSettingsFile(file);
  const problems: Record<string, string> = {};
  const config: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries<Setting<unknown>>(settings)) {
    const place = entry.path ?? entry.env;
    const fromEnvironment = environment[entry.env];
    const isGiven = fromEnvironment !== undefined && fromEnvironment !== "";
    const value = isGiven
      ? fromText(entry, fromEnvironment)
      : (written.get(entry.path ?? "") ?? entry.default);
    if (entry.path !== undefined) written.delete(entry.path);
    if (value === undefined) {
      problems[place] = `is missing; set it in the file or as ${entry.env}`;
      continue;
    }
    const checked = entry.schema.safeParse(value);
    if (!checked.success) problems[place] = checked.error.issues[0]!.message;
    else if (entry.kind === "file" && typeof checked.data === "string")
      config[name] = resolve(isGiven || file === undefined ? "." : dirname(file), checked.data);
    else config[name] = checked.data;
  }
  for (const unknown of written.keys()) problems[unknown] = "is no setting";
  if (Object.keys(problems).length > 0) refuse(problems, file);
  return config as NodeConfig;
}

function fromText({ kind }: Setting<unknown>, text: string): unknown {
  if (kind === "list") return text.split(",").map((item) => item.trim());
  if (kind === "boolean") return text === "true" ? true : text === "false" ? false : text;
  if (kind === "number") return /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : text;
  return text;
}

/** The leaves of the document by their path; a list is a leaf. */
function readSettingsFile(file: string): Map<string, unknown> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const { code = "unknown" } = error as NodeJS.ErrnoException;
    refuse({ document: `cannot be read: ${code === "ENOENT" ? "there is no such file" : code}` }, file);
  }
  try {
    return leavesOf(parseManifestWith(z.record(z.string(), z.unknown()), text));
  } catch (error) {
    if (!(error instanceof TrustedDataError) || error.code !== "manifest_invalid") throw error;
    refuse(error.fields, file);
  }
}

function leavesOf(document: object, prefix = ""): Map<string, unknown> {
  const leaves = new Map<string, unknown>();
  for (const [key, value] of Object.entries(document)) {
    const path = `${prefix}${key}`;
    const isLeaf = typeof value !== "object" || value === null || Array.isArray(value);
    if (isLeaf || Object.keys(value).length === 0) leaves.set(path, value);
    else for (const [inner, leaf] of leavesOf(value, `${path}.`)) leaves.set(inner, leaf);
  }
  return leaves;
}

function refuse(problems: Readonly<Record<string, string>>, file: string | undefined): never {
  const listed = Object.entries(problems).map(([path, reason]) => `${path} ${reason}`);
  const where = file === undefined ? "" : ` in ${file}`;
  throw new TrustedDataError("config_invalid", `The settings${where} are not usable: ${listed.join("; ")}.`, {
    ...problems,
  });
}
