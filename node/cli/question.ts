/** From what was typed to a question: which datasets, which parameters, which purpose. */
import { commonPurposes, isPurpose, nearestPurpose } from "../data-sharing/consent/purposes.ts";
import { type DatasetOffer, discoverDatasets } from "../data-sharing/discover.ts";
import type { AlgorithmManifest } from "../data-sharing/manifests/algorithm-manifest.ts";
import { resolveParameters } from "../data-sharing/plan/parameters.ts";
import type { Parameters } from "../data-sharing/question-request.ts";
import { TrustedDataError } from "../errors.ts";
import { usageError } from "./command.ts";
import type { Client } from "./context.ts";

/**
 * The offers that are meant by `text` (those of exactly this name, if there are any) and that the algorithm is for.
 * @throws TrustedDataError `no_dataset_found`, saying what there is.
 */
export async function chooseOffers(
  client: Client,
  text: string,
  algorithm: AlgorithmManifest,
  note: (line: string) => void,
): Promise<DatasetOffer[]> {
  const { offers: found, problems } = await discoverDatasets(text, client);
  for (const { message, code } of problems) note(`Note: ${message} (${code})`);
  const exact = found.filter(({ manifest }) => manifest.name === text);
  const meant = exact.length > 0 ? exact : found;
  const fits = meant.filter(
    ({ manifest }) => manifest.dataClass === algorithm.dataClass && manifest.table === algorithm.table,
  );
  if (fits.length > 0) {
    for (const { publisher, manifest } of meant.filter((offer) => !fits.includes(offer)))
      note(
        `Note: ${manifest.name} of ${publisher} holds ${manifest.dataClass}, which ${algorithm.name} is not for; it is not asked.`,
      );
    return fits;
  }
  if (meant.length > 0) {
    const held = meant.map(({ manifest }) => `${manifest.name} (${manifest.dataClass})`).join(", ");
    throw new TrustedDataError(
      "no_dataset_found",
      `The algorithm ${algorithm.name} is for ${algorithm.dataClass}; what ${JSON.stringify(text)} matches is of another kind: ${held}.`,
      { dataset: text, dataClass: algorithm.dataClass },
    );
  }
  const all = (await discoverDatasets("", client)).offers.map(({ manifest }) => manifest.name);
  throw new TrustedDataError(
    "no_dataset_found",
    `No dataset matches ${JSON.stringify(text)}. ${all.length === 0 ? "No directory knows any dataset now; npx itd datasets shows why." : `There are: ${[...new Set(all)].join(", ")}.`}`,
    { dataset: text },
  );
}

/**
 * Reads `name=value` texts; what they mean depends on the algorithm.
 * @throws TrustedDataError `usage` for a text that is none, `parameter_invalid` for one that the algorithm does not take.
 */
export function readParameters(texts: readonly string[]): (algorithm: AlgorithmManifest) => Parameters {
  const given = new Map<string, string>();
  for (const text of texts) {
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    if (name === undefined || !/^[a-z][a-z0-9_]*$/.test(name))
      throw usageError(`--param takes name=value, not ${JSON.stringify(text)}.`);
    if (given.has(name)) throw usageError(`--param ${name} is given twice.`);
    given.set(name, value!);
  }
  return (algorithm) => {
    const parameters = Object.fromEntries(
      [...given].map(([name, value]) => [name, typed(algorithm, name, value)] as const),
    );
    resolveParameters(algorithm, parameters);
    return parameters;
  };
}

/**
 * The purpose that was given, or the only one that the algorithm and all datasets permit.
 * @throws TrustedDataError `usage` where there are several, `purpose_not_permitted` where there is none.
 */
export function choosePurpose(
  given: string | undefined,
  algorithm: AlgorithmManifest,
  offers: readonly DatasetOffer[],
): string {
  const permitted = offers.reduce(
    (common, { manifest }) => commonPurposes(common, manifest.purposes),
    algorithm.purposes,
  );
  const listed = permitted.join(", ");
  // Whether a purpose is permitted is for the repositories to say, and their refusal is logged.
  if (given !== undefined) {
    if (isPurpose(given)) return given;
    throw usageError(
      `--purpose takes a term of the Data Privacy Vocabulary${listed === "" ? `; the nearest is ${nearestPurpose(given)}` : `; permitted here: ${listed}`}.`,
    );
  }
  if (permitted.length === 1) return permitted[0]!;
  if (permitted.length > 1)
    throw usageError(`Say with --purpose what the answer is for; permitted here: ${listed}.`, {
      purposes: permitted.join(" "),
    });
  throw new TrustedDataError(
    "purpose_not_permitted",
    `No purpose is permitted by ${algorithm.name} and all of its datasets; narrow --dataset, or give a --purpose that some permit: ${algorithm.purposes.join(", ")}.`,
    { purposes: algorithm.purposes.join(" ") },
  );
}

/** A whole number for an integer parameter, so that the request holds one; anything else as it was typed, for the check to refuse. */
function typed(algorithm: AlgorithmManifest, name: string, value: string): string | number {
  const parameter = Object.hasOwn(algorithm.parameters, name) ? algorithm.parameters[name] : undefined;
  const isWhole = /^(?:0|-?[1-9]\d{0,14})$/.test(value);
  return parameter?.type === "integer" && isWhole ? Number(value) : value;
}
