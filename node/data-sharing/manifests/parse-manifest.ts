/**
 * Reads manifests from JSON (strict-json.ts) or YAML 1.2 (core schema), so that a reviewer and a node can only see the same thing:
 * duplicate keys, anchors, aliases, tags, several documents and keys that are not text are refused.
 */
import { isAlias, isMap, isNode, isScalar, parseDocument, visit } from "yaml";
import type { z } from "zod";
import { TrustedDataError } from "../../errors.ts";
import { depthMax, parseStrictJson } from "../../primitives/strict-json.ts";

/** A manifest is read by people; one that needs more is not. */
export const manifestBytesMax = 64 * 1024;

/**
 * Parses and checks `text` against `schema`.
 * @throws TrustedDataError `manifest_invalid`; `fields` holds the reason under the path of each field, `document` where there is none.
 */
export function parseManifestWith<T>(schema: z.ZodType<T>, text: string): T {
  if (Buffer.byteLength(text) > manifestBytesMax)
    refuse({ document: `the text is longer than ${manifestBytesMax} bytes` });
  if (!text.isWellFormed()) refuse({ document: "the text holds a lone surrogate" });
  const value = /^\s*[{[]/.test(text) ? fromJson(text) : fromYaml(text);
  const checked = schema.safeParse(value);
  if (!checked.success) refuse(reasonsOf(checked.error.issues));
  return checked.data;
}

function fromJson(text: string): unknown {
  try {
    return parseStrictJson(text);
  } catch (error) {
    if (!(error instanceof TrustedDataError)) throw error;
    return refuse({ document: error.message });
  }
}

function fromYaml(text: string): unknown {
  const document = readYaml(text);
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) {
    const line = text.slice(0, problem.pos[0]).split("\n").length;
    refuse({ document: `line ${line}: ${firstLine(problem.message)}` });
  }
  visit(document, (_key, node, path) => {
    if (path.length > 3 * depthMax) refuse({ document: `nested deeper than ${depthMax} levels` });
    if (!isNode(node)) return;
    if (isAlias(node) || ("anchor" in node && node.anchor))
      refuse({ document: "anchors and aliases are not allowed" });
    if (node.tag !== undefined && !/^tag:yaml\.org,2002:(?:map|seq|str|int|float|bool|null)$/.test(node.tag))
      refuse({ document: `the tag ${node.tag} is not allowed` });
    if (isMap(node)) node.items.forEach((pair) => void checkKey(pair.key));
    if (isScalar(node) && typeof node.value === "string" && !node.value.isWellFormed())
      refuse({ document: "a text holds a lone surrogate" });
    if (isScalar(node) && typeof node.value === "number" && !exactNumber(node.value))
      refuse({ document: `the number ${node.source ?? node.value} is not finite or beyond 2^53` });
  });
  return document.toJS();
}

function readYaml(text: string) {
  try {
    return parseDocument(text, {
      version: "1.2",
      schema: "core",
      uniqueKeys: true,
      merge: false,
      logLevel: "error",
      // The place of each of 60,000 errors, and the text around it, took 1.5 s to find.
      prettyErrors: false,
    });
  } catch (error) {
    // The reader recurses; it gives up before 64 KiB of brackets are read.
    if (error instanceof RangeError) return refuse({ document: "nested too deeply" });
    throw error;
  }
}

function checkKey(key: unknown): void {
  if (!isScalar(key) || typeof key.value !== "string") refuse({ document: "a key is not text" });
  if (key.value === "__proto__") refuse({ document: "the key __proto__ is not allowed" });
}

function exactNumber(value: number): boolean {
  return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
}

function reasonsOf(issues: readonly z.core.$ZodIssue[]): Record<string, string> {
  const reasons = new Map<string, string>();
  for (const issue of issues) {
    const path = issue.path.map(String);
    if (issue.code === "unrecognized_keys") {
      for (const key of issue.keys) reasons.set([...path, key].join("."), "unknown field");
    } else {
      const reason =
        issue.code === "invalid_key" ? (issue.issues[0]?.message ?? issue.message) : readable(issue);
      reasons.set(path.join(".") || "document", reason);
    }
  }
  return Object.fromEntries(reasons);
}

/** What people meet most: a field that is not there, and a number where a text is wanted. */
function readable({ code, message }: z.core.$ZodIssue): string {
  if (code === "invalid_type" && message.endsWith("received undefined")) return "it is missing";
  if (code === "invalid_type" && message.endsWith("expected string, received number"))
    return "a text is expected here: write the number in double quotes";
  return message;
}

function firstLine(message: string): string {
  return message.split("\n")[0]!.replace(/:$/, "");
}

function refuse(fields: Record<string, string>): never {
  const [path, reason] = Object.entries(fields)[0]!;
  const others = Object.keys(fields).length - 1;
  throw new TrustedDataError(
    "manifest_invalid",
    `The manifest is not acceptable: ${path}: ${reason}${others > 0 ? ` (and ${others} more)` : ""}.`,
    fields,
  );
}
