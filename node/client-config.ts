/**
 * Finds and reads what a command is told about its network: `client.yaml`, in a lab's state folder or wherever the caller says. Whom to
 * believe (chain endpoints, contract addresses) always comes from here, never from a document that is being checked.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import type { ClientOptions } from "./cli/context.ts";
import { parseManifestWith } from "./data-sharing/manifests/parse-manifest.ts";
import { addressSchema } from "./data-sharing/question-request.ts";
import { TrustedDataError } from "./errors.ts";
import { type Deployment, deploymentSchema } from "./ledger/deployment.ts";
import type { Hex } from "./primitives/hex.ts";
import { parseStrictJson } from "./primitives/strict-json.ts";

/** Where `itd lab` keeps its state, in the working directory. */
export const defaultLabState = join(".itd", "lab");

export const clientConfigSchema = z.strictObject({
  /** Who acts, as shown to people. */
  name: z.string().min(1).max(200),
  chain: z.strictObject({
    urls: z
      .array(z.url({ protocol: /^https?$/ }))
      .min(1)
      .max(8),
    /** Blocks on top of one before it counts; 0 only where blocks are never taken back. */
    finalityDepth: z.int().min(0).max(1_000).default(12),
  }),
  /** JSON file with chain id and contract addresses. */
  deployment: z.string().min(1),
  account: z.strictObject({ file: z.string().min(1), passphraseFile: z.string().min(1) }),
  /** Folder of the receipts that are not written elsewhere. */
  receipts: z.string().min(1),
});

export type ClientConfig = z.infer<typeof clientConfigSchema>;

/** What `lab.json` tells about the organisations; what else stands there is for others. */
const labSchema = z.object({
  organisations: z.array(
    z.object({ id: z.string().min(1), title: z.string().min(1), account: addressSchema }),
  ),
});

export type KnownOrganisation = z.infer<typeof labSchema>["organisations"][number];

/**
 * The file that `options` and the environment name, else that of a lab in the working directory.
 * @throws TrustedDataError `client_not_found`, with what to do.
 */
export function findClientFile(
  options: ClientOptions,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  const isLabMeant = options.state !== undefined || options.as !== undefined;
  const given = options.client ?? (isLabMeant ? undefined : environment.ITD_CLIENT);
  if (given)
    return existing(
      resolve(given),
      `There is no client configuration ${given}; correct --client or ITD_CLIENT.`,
    );
  const state = labState(options, environment);
  const start = "Start one with `npx itd lab`, or say with --client FILE how to reach a network";
  if (!existsSync(state)) {
    throw notFound(`There is no Living Lab in ${shown(state)}. ${start}.`, {
      state: shown(state),
    });
  }
  if (options.as === undefined) {
    return existing(
      join(state, "client.yaml"),
      `The Living Lab in ${shown(state)} has no client.yaml: it never came up. ${start}.`,
    );
  }
  return organisationFile(state, options.as, "client.yaml");
}

/** A file of one organisation in a lab. */
export function organisationFile(state: string, id: string, name: string): string {
  const folder = join(state, "organisations");
  const known = existsSync(folder) ? readdirSync(folder).sort() : [];
  const file = join(folder, id, name);
  if (known.includes(id) && existsSync(file)) return file;
  throw notFound(
    known.includes(id)
      ? `The organisation ${id} has no ${name} in ${shown(state)}.`
      : `The lab in ${shown(state)} has no organisation ${JSON.stringify(id)}; it has ${known.join(", ") || "none"}.`,
    { state: shown(state), organisation: id },
  );
}

export function labState(
  options: ClientOptions,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  return resolve(options.state ?? (environment.ITD_STATE || defaultLabState));
}

/** Reads a client configuration; its paths become absolute. @throws TrustedDataError `config_invalid`. */
export function readClientConfig(file: string): ClientConfig {
  const config = reading(file, () => parseManifestWith(clientConfigSchema, readFileSync(file, "utf8")));
  const at = (path: string) => resolve(dirname(file), path);
  const account = { file: at(config.account.file), passphraseFile: at(config.account.passphraseFile) };
  return { ...config, account, deployment: at(config.deployment), receipts: at(config.receipts) };
}

export function readDeploymentFile(file: string): Deployment {
  return reading(file, () => {
    const parsed = deploymentSchema.safeParse(parseStrictJson(readFileSync(file, "utf8")));
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0]!;
    throw new TrustedDataError("config_invalid", `${issue.path.join(".") || "document"}: ${issue.message}`);
  });
}

/** The organisations of the lab that a client file belongs to; none outside of a lab. */
export function organisationsBeside(clientFile: string): KnownOrganisation[] {
  const folder = dirname(clientFile);
  for (const place of [folder, resolve(folder, "..", "..")]) {
    const file = join(place, "lab.json");
    if (!existsSync(file)) continue;
    const parsed = labSchema.safeParse(reading(file, () => parseStrictJson(readFileSync(file, "utf8"))));
    return parsed.success ? parsed.data.organisations : [];
  }
  return [];
}

/** Lower-case address to title. */
export function namesOf(organisations: readonly KnownOrganisation[]): Map<Hex, string> {
  return new Map(organisations.map(({ account, title }) => [account, title]));
}

function reading<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const reasons = error instanceof TrustedDataError ? error.fields : {};
    const listed = Object.entries(reasons).map(([path, reason]) => `${path}: ${reason}`);
    const why =
      error instanceof TrustedDataError
        ? listed.join("; ") || error.message.replace(/\.$/, "")
        : ((error as NodeJS.ErrnoException).code ?? "unknown");
    throw new TrustedDataError("config_invalid", `The file ${shown(file)} is not usable (${why}).`, {
      ...reasons,
      file,
    });
  }
}

function existing(file: string, otherwise: string): string {
  if (existsSync(file) && statSync(file).isFile()) return file;
  throw notFound(otherwise, { file });
}

/** A path as somebody would type it here. */
function shown(path: string): string {
  const inside = `${process.cwd()}/`;
  return path.startsWith(inside) ? path.slice(inside.length) : path;
}

function notFound(message: string, fields: Record<string, string>): TrustedDataError {
  return new TrustedDataError("client_not_found", message, fields);
}
