/** What `itd consent list` shows: each receipt that this side keeps, what of it still counts, and its place in the log. */
import type { ConsentGiver } from "../data-sharing/consent/consent-giver.ts";
import { consentHash } from "../data-sharing/consent/consent-receipt.ts";
import { effectOn } from "../data-sharing/consent/effect.ts";
import type { KeptConsent } from "../data-sharing/consent/kept-consent.ts";
import { TrustedDataError } from "../errors.ts";
import { describeError, type Invocation, type Outcome } from "./command.ts";
import { peerOf } from "./consent-peer.ts";
import type { Client } from "./context.ts";
import { isoTime } from "./names.ts";
import { renderTable } from "./table.ts";

export async function listConsents(
  giver: ConsentGiver,
  client: Client,
  { note, terminal, paint }: Invocation,
): Promise<Outcome> {
  const kept: KeptConsent[] = [];
  for (const one of await giver.kept()) kept.push(await refreshed(one, giver, client, note));
  const listed = kept.map((one) => ({
    receipt: consentHash(one.signed.receipt),
    ...consentFacts(one),
    inForce: purposesInForce(one, kept, client.clock.nowMs()),
  }));
  if (listed.length === 0) {
    const text =
      "You have consented to nothing here. npx itd datasets shows what there is; npx itd consent grant gives consent.";
    return { document: { consents: listed }, text };
  }
  const columns = ["dataset", "whose: what you said", "when", "counts", "in the log"];
  const rows = listed.map((one) => [
    one.dataset,
    `${client.names.get(one.repository) ?? one.publisher}: ${one.state} for ${one.purposes.join(" ") || "everything"}`,
    `${one.time.slice(0, 16).replace("T", " ")}`,
    one.state === "withdrawn" ? "" : one.inForce.length === 0 ? "no more" : countsText(one),
    one.anchored ? "anchored" : one.acknowledged ? "pending" : "not acknowledged",
  ]);
  const titles = columns.map((title) => ({ title, isWhole: title === "dataset" }));
  return { document: { consents: listed }, text: renderTable(titles, rows, terminal.columns, paint) };
}

function countsText({
  inForce,
  purposes,
  expires,
}: {
  inForce: string[];
  purposes: string[];
  expires: string | null;
}): string {
  const which = inForce.length < purposes.length ? inForce.join(" ") : "yes";
  return expires === null ? which : `${which}, to ${lastDay(expires)}`;
}

/** An end is the second after a day, when this program made it. */
function lastDay(expires: string): string {
  return new Date(Date.parse(expires) - 1).toISOString().slice(0, 10);
}

/** Those of a receipt's purposes for which nothing else was said about the dataset since. */
function purposesInForce(one: KeptConsent, all: readonly KeptConsent[], nowMs: number): string[] {
  const { receipt } = one.signed;
  if (receipt.event.state === "withdrawn" || one.acknowledgement === null) return [];
  if (receipt.expiresS !== null && receipt.expiresS * 1000 <= nowMs) return [];
  const since = all.filter(
    ({ acknowledgement, signed: { receipt: other } }) =>
      acknowledgement !== null &&
      other.dataset.id === receipt.dataset.id &&
      other.principal === receipt.principal &&
      other.event.timeMs > receipt.event.timeMs,
  );
  return receipt.purposes
    .map(({ purpose }) => purpose)
    .filter((purpose) =>
      since.every(({ signed }) => effectOn(purpose, statementOf(signed.receipt)) === undefined),
    );
}

function statementOf({ event, purposes }: KeptConsent["signed"]["receipt"]) {
  return { state: event.state, purposes: purposes.map(({ purpose }) => purpose) };
}

/** Of a receipt, as programs read it. */
export function consentFacts({ signed: { receipt }, acknowledgement, anchor }: KeptConsent) {
  const { dataset, controller, event, purposes, expiresS, record, principal } = receipt;
  return {
    record,
    principal,
    dataset: dataset.name,
    datasetId: dataset.id,
    ...controller,
    state: event.state,
    purposes: purposes.map(({ purpose }) => purpose),
    time: new Date(event.timeMs).toISOString(),
    expires: expiresS === null ? null : isoTime(expiresS),
    acknowledged: acknowledgement !== null,
    anchored: anchor !== null,
    batch: anchor?.sequence ?? null,
  };
}

/** As far as the repository can be reached now. */
async function refreshed(
  kept: KeptConsent,
  giver: ConsentGiver,
  client: Client,
  note: Invocation["note"],
): Promise<KeptConsent> {
  if (kept.anchor !== null) return kept;
  const { repository } = kept.signed.receipt.controller;
  try {
    return await giver.refreshed(kept, await peerOf(repository, client));
  } catch (error) {
    if (!(error instanceof TrustedDataError)) throw error;
    const { message, code } = describeError(error);
    note(`Note: ${message} (${code})`);
    return kept;
  }
}
