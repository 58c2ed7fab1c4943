/** `itd consent grant|withdraw|list`: a person's own word about their data, and what became of it. The custodian's side is in consent-custody.ts. */
import { Command } from "commander";
import {
  ConsentGiver,
  type ConsentTarget,
  formerTarget,
  targetOf,
} from "../data-sharing/consent/consent-giver.ts";
import { consentHash, expiresSMax } from "../data-sharing/consent/consent-receipt.ts";
import { isPurpose, nearestPurpose } from "../data-sharing/consent/purposes.ts";
import { type DatasetOffer, discoverDatasets } from "../data-sharing/discover.ts";
import { needsConsent } from "../data-sharing/manifests/dataset-manifest.ts";
import { TrustedDataError } from "../errors.ts";
import type { Hex } from "../primitives/hex.ts";
import { defineCommand, type Ending, type Invocation, type Outcome, usageError } from "./command.ts";
import { countsCommand, enrolCommand } from "./consent-custody.ts";
import { consentFacts, listConsents } from "./consent-list.ts";
import { peerOf } from "./consent-peer.ts";
import type { Client, ClientOptions, Context } from "./context.ts";
import { accountFrom, accountText, isoTime } from "./names.ts";

interface SayOptions extends ClientOptions {
  dataset: string;
  repository?: string;
  purpose?: string;
  until?: string;
}

const dayS = 86_400;

export function consentCommands(context: Context, ending: Ending): Command {
  const group = new Command("consent")
    .summary("permit what your data is used for, and take it back")
    .description(
      "Datasets that need consent answer only over people who consent to the question's purpose at that moment. The custodian binds you to " +
        "your key once (enrol); from then on only what that key signs counts. Receipts stay on both sides, their hashes in the anchored log.",
    );
  for (const make of [grantCommand, withdrawCommand, listCommand, enrolCommand, countsCommand])
    group.addCommand(make(context, ending));
  return group;
}

function grantCommand(context: Context, ending: Ending): Command {
  return defineCommand<SayOptions>(
    {
      usage: "grant",
      summary: "permit answers over your data for a purpose",
      description:
        "A purpose is a term of the W3C Data Privacy Vocabulary; consent to it is consent to all narrower ones. It counts from the next " +
        "execution on, until its end or until you withdraw it.",
      examples: [
        ["consent grant --dataset wages --purpose dpv:AcademicResearch", "Without an end"],
        [
          "consent grant --dataset wages --purpose dpv:ScientificResearch --until 2030-12-31",
          "Through that day (UTC)",
        ],
      ],
      configure: (command) =>
        saidOf(command)
          .requiredOption("--purpose <term>", "what for, such as dpv:AcademicResearch")
          .option("--until <date>", "the last day on which it counts, YYYY-MM-DD (UTC)"),
      run: async (_args, options, invocation) => {
        const client = await invocation.client();
        const purpose = requirePurpose(options.purpose!);
        const expiresS = options.until === undefined ? null : endOf(options.until, client.clock.nowMs());
        const offer = await offerOf(options, client, invocation);
        return await say(targetOf(offer), { state: "given", purposes: [purpose], expiresS }, client);
      },
    },
    context,
    ending,
  );
}

function withdrawCommand(context: Context, ending: Ending): Command {
  return defineCommand<SayOptions>(
    {
      usage: "withdraw",
      summary: "take consent back: in force at the next execution",
      description:
        "With --purpose, that purpose, all narrower ones, and broader ones that include it; else everything. Answers that have left stay " +
        "what they are. Works while the dataset is not offered, too.",
      examples: [
        ["consent withdraw --dataset wages", "Everything"],
        ["consent withdraw --dataset wages --purpose dpv:CommercialResearch", "One purpose"],
      ],
      configure: (command) => saidOf(command).option("--purpose <term>", "what for; everything by default"),
      run: async (_args, options, invocation) => {
        const client = await invocation.client();
        const purposes = options.purpose === undefined ? [] : [requirePurpose(options.purpose)];
        const target = await targetToWithdraw(options, client, invocation);
        return await say(target, { state: "withdrawn", purposes, expiresS: null }, client);
      },
    },
    context,
    ending,
  );
}

function listCommand(context: Context, ending: Ending): Command {
  return defineCommand(
    {
      usage: "list",
      summary: "what you said about which data, what of it counts, and whether it is anchored",
      description:
        "From the receipts that this side keeps; what was never acknowledged is sent again, and places in the log are checked against the chain.",
      examples: [
        ["consent list", "All of it"],
        ["consent list --json", "For programs: {consents: [...]}"],
      ],
      run: async (_args, _options, invocation) => {
        const client = await invocation.client();
        return await listConsents(await giverOf(client), client, invocation);
      },
    },
    context,
    ending,
  );
}

function saidOf(command: Command): Command {
  return command
    .requiredOption("--dataset <name>", "the dataset's name")
    .option("--repository <who>", "whose dataset it is, where several have the name");
}

async function say(
  target: ConsentTarget,
  wish: { state: "given" | "withdrawn"; purposes: string[]; expiresS: number | null },
  client: Client,
): Promise<Outcome> {
  const giver = await giverOf(client);
  const jurisdiction = await jurisdictionOf(target.repository, client);
  const kept = await giver.say(target, { ...wish, jurisdiction });
  const { receipt } = kept.signed;
  const what = wish.purposes.length === 0 ? "everything" : wish.purposes.join(", ");
  // An end is the second after a day.
  const until = wish.expiresS === null ? "" : ` through ${isoTime(wish.expiresS - 1).slice(0, 10)} (UTC)`;
  return {
    document: { receipt: consentHash(receipt), ...consentFacts(kept), acknowledgement: kept.acknowledgement },
    text: [
      wish.state === "given"
        ? `${target.publisher} may answer over your row of ${target.name} for ${what}${until}.`
        : `Consent to ${what} about ${target.name} of ${target.publisher} is withdrawn: no execution from now on includes you.`,
      `Acknowledged, to be anchored by block ${kept.acknowledgement!.promise.byBlock}; npx itd consent list shows when it is.`,
    ].join("\n"),
  };
}

async function giverOf(client: Client): Promise<ConsentGiver> {
  const { deployment, chain, peers, clock, randomness, consents: archive } = client;
  return new ConsentGiver({
    deployment,
    chain,
    signer: await client.signer(),
    peers,
    clock,
    randomness,
    archive,
  });
}

/** That for which the repository is certified. */
async function jurisdictionOf(repository: Hex, { framework }: Client): Promise<string> {
  const member = await framework.member(repository);
  const held = member?.roles.find(({ role }) => role === "repository")?.terms.jurisdiction ?? "";
  return /^[A-Za-z0-9-]{1,32}$/.test(held) ? held : "unknown";
}

async function offerOf(
  { dataset, repository }: SayOptions,
  client: Client,
  { note }: Invocation,
): Promise<DatasetOffer> {
  const { offers, problems } = await discoverDatasets(dataset, client);
  for (const { message, code } of problems) note(`Note: ${message} (${code})`);
  const whose = repository === undefined ? undefined : accountFrom(client, repository);
  const meant = offers.filter(
    (offer) => offer.manifest.name === dataset && (whose === undefined || offer.repository === whose),
  );
  const [offer, ...others] = meant.filter(({ manifest }) => needsConsent(manifest));
  if (offer !== undefined && others.length === 0) return offer;
  if (offer !== undefined)
    throw several(
      dataset,
      meant.map((one) => one.repository),
      client,
    );
  if (meant.length > 0) {
    throw new TrustedDataError(
      "consent_not_needed",
      `${dataset} does not ask for consent: its lawful ground is another one, which its custodian has to state.`,
      { dataset },
    );
  }
  throw new TrustedDataError(
    "no_dataset_found",
    `No dataset here is called ${dataset}; npx itd datasets shows all.`,
    {
      dataset,
    },
  );
}

/** As it is offered, else as it was when something was last said about it. */
async function targetToWithdraw(
  options: SayOptions,
  client: Client,
  invocation: Invocation,
): Promise<ConsentTarget> {
  const { dataset, repository } = options;
  const whose = repository === undefined ? undefined : accountFrom(client, repository);
  const said = (await (await giverOf(client)).kept()).filter(
    ({ signed: { receipt } }) =>
      receipt.dataset.name === dataset && (whose === undefined || receipt.controller.repository === whose),
  );
  const repositories = new Set(said.map(({ signed }) => signed.receipt.controller.repository));
  if (repositories.size > 1) throw several(dataset, [...repositories], client);
  const newest = said.at(-1);
  if (newest === undefined) return targetOf(await offerOf(options, client, invocation));
  return formerTarget(newest, await peerOf(newest.signed.receipt.controller.repository, client));
}

function several(dataset: string, repositories: readonly Hex[], client: Client): TrustedDataError {
  const listed = repositories.map((repository) => accountText(client, repository)).join(", ");
  return usageError(
    `Several repositories have a dataset ${dataset}: say with --repository which: ${listed}.`,
  );
}

function requirePurpose(text: string): string {
  if (isPurpose(text)) return text;
  throw usageError(
    `--purpose takes a term of the Data Privacy Vocabulary 2.0, not ${JSON.stringify(text)}; the nearest is ${nearestPurpose(text)}.`,
  );
}

/** The second after the last one of a day. */
function endOf(text: string, nowMs: number): number {
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  const isDay = !Number.isNaN(day) && new Date(day).toISOString().startsWith(text);
  if (!isDay) throw usageError(`--until takes a day, YYYY-MM-DD, not ${JSON.stringify(text)}.`);
  const endS = day / 1000 + dayS;
  if (endS * 1000 <= nowMs || endS > expiresSMax)
    throw usageError(`--until ${text} is over, or too far off; leave it out for consent without an end.`);
  return endS;
}
