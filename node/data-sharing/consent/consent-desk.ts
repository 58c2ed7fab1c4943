/**
 * Where a repository takes consent receipts. Nothing counts but the word of the key to which the custodian has bound the person: a receipt of
 * anybody else, for elsewhere, from another time, or older than the newest one is refused, and what is refused changes nothing.
 *
 * Whether a key is enrolled is told to those alone who sign with it. A receipt is on disk with its log entry before it is acknowledged;
 * the same receipt again gets the same bytes. A withdrawal never needs the chain, and is never too old: it counts unless something newer was
 * said.
 */
import { TrustedDataError } from "../../errors.ts";
import { promiseStruct, transcriptStruct } from "../../ledger/audit-entry.ts";
import type { Deployment } from "../../ledger/deployment.ts";
import type { AnchorChain, Clock, Signer } from "../../ledger/ports.ts";
import { canonicalHash, canonicalJson } from "../../primitives/canonical-json.ts";
import { KeyedLock } from "../../primitives/keyed-lock.ts";
import { HourlyLimit } from "../hourly-limit.ts";
import { needsConsent } from "../manifests/dataset-manifest.ts";
import type { DatasetStore } from "../ports.ts";
import { datasetId } from "../question-request.ts";
import { clockSlackS } from "../transcript.ts";
import type { Acknowledgement } from "./acknowledgement.ts";
import { consentHash, isSignedByPrincipal, type SignedConsent } from "./consent-receipt.ts";
import type { ConsentedPeople } from "./consented-people.ts";
import type { ConsentStore, Enrolment, EnrolmentReader } from "./ports.ts";
import { permittingPurpose } from "./purposes.ts";

const receiptsPerHourMax = 60;

export interface ConsentDeskOptions {
  deployment: Deployment;
  /** As in the catalogue. */
  publisher: string;
  anchorWithinBlocks: number;
  /** New receipts of one key in an hour, given and withdrawn apart: each is kept for good. */
  receiptsPerHourMax?: number;
}

export interface ConsentDeskModules {
  clock: Clock;
  signer: Signer;
  chain: Pick<AnchorChain, "head">;
  datasets: Pick<DatasetStore, "manifests">;
  enrolments: Pick<EnrolmentReader, "enrolmentOf">;
  consents: ConsentStore;
  people: Pick<ConsentedPeople, "note">;
}

export class ConsentDesk {
  readonly #options: ConsentDeskOptions;
  readonly #modules: ConsentDeskModules;
  readonly #locks = new KeyedLock();
  readonly #taken: HourlyLimit;
  /** The newest block that was seen, for promises while the chain is away. */
  #headNumber: number | undefined;

  constructor(options: ConsentDeskOptions, modules: ConsentDeskModules) {
    this.#options = options;
    this.#modules = modules;
    this.#taken = new HourlyLimit(options.receiptsPerHourMax ?? receiptsPerHourMax);
  }

  /**
   * The acknowledgement (canonical JSON), once the receipt is in force.
   * @throws TrustedDataError `request_invalid`, `signature_invalid`, `consent_conflict`, `consent_out_of_time`, `dataset_unknown`,
   * `consent_not_needed`, `consent_key_unknown`, `consent_superseded` (with the newest `timeMs`), `notice_outdated`,
   * `purpose_not_permitted`, `rate_limited`, `chain_unavailable`
   */
  async take(signed: SignedConsent): Promise<string> {
    const { receipt } = signed;
    if (receipt.controller.repository !== this.#modules.signer.address)
      throw new TrustedDataError("request_invalid", "The receipt is for another repository.");
    if (!isSignedByPrincipal(this.#options.deployment, signed)) {
      throw new TrustedDataError(
        "signature_invalid",
        "The receipt is not signed by the key that it names, for this chain and these contracts.",
      );
    }
    // One after the other of a key, so that order and time are those of one line.
    return await this.#locks.run(receipt.principal, async () => {
      const known = this.#modules.consents.consent(receipt.record);
      if (known === undefined) return await this.#takeNew(signed);
      if (canonicalHash(known.signed.receipt) === canonicalHash(receipt)) return known.reply;
      throw new TrustedDataError(
        "consent_conflict",
        "Another receipt was given under this record; choose a new random one.",
      );
    });
  }

  async #takeNew(signed: SignedConsent): Promise<string> {
    const { receipt } = signed;
    this.#requireInTime(signed);
    const enrolment = this.#requireFit(signed);
    const nowMs = this.#modules.clock.nowMs();
    if (!this.#taken.take(`${receipt.event.state} ${receipt.principal}`, nowMs)) {
      throw new TrustedDataError(
        "rate_limited",
        "Too many receipts of this key within an hour; those that were taken stand.",
      );
    }
    const { acknowledgement, promisedBlock } = await this.#acknowledge(signed);
    // The custodian may have bound the person anew meanwhile.
    if (this.#requireFit(signed).binding !== enrolment.binding) throw keyUnknown();
    const statement = {
      person: enrolment.number,
      binding: enrolment.binding,
      state: receipt.event.state,
      purposes: receipt.purposes.map(({ purpose }) => purpose),
      expiresS: receipt.expiresS,
    };
    const reply = canonicalJson(acknowledgement);
    const { receipt: transcript, repositorySignature } = acknowledgement;
    const outcome = { transcript, repositorySignature, promisedBlock, createdMs: nowMs };
    this.#modules.consents.saveConsent({ signed, reply, ...statement }, outcome);
    this.#modules.people.note(receipt.dataset.name, statement);
    return reply;
  }

  #requireInTime({ receipt: { event, expiresS } }: SignedConsent): void {
    const nowMs = this.#modules.clock.nowMs();
    const slackMs = clockSlackS * 1000;
    const isOld = event.state === "given" && event.timeMs < nowMs - slackMs;
    if (isOld || event.timeMs > nowMs + slackMs || (expiresS !== null && expiresS * 1000 <= nowMs)) {
      throw new TrustedDataError(
        "consent_out_of_time",
        `The receipt is over, or dated more than ${clockSlackS} s from now; sign a new one and compare the clocks.`,
      );
    }
  }

  /** What may change at any moment: dataset, binding, what was said before. */
  #requireFit({ receipt }: SignedConsent): Enrolment {
    const { dataset, principal, event } = receipt;
    if (datasetId(this.#modules.signer.address, dataset.name) !== dataset.id)
      throw new TrustedDataError("dataset_unknown", "This repository has no such dataset.");
    if (event.state === "given") this.#requireTerms(receipt);
    const enrolment = this.#modules.enrolments.enrolmentOf(dataset.name, principal);
    if (enrolment === undefined) throw keyUnknown();
    const newestMs = this.#modules.consents.newestTimeMs(dataset.id, principal);
    if (newestMs !== undefined && event.timeMs <= newestMs) {
      throw new TrustedDataError(
        "consent_superseded",
        "A newer receipt of this key for the dataset was taken already; sign a new one, dated after it.",
        { timeMs: String(newestMs) },
      );
    }
    return enrolment;
  }

  /** Consent is to what the dataset is declared to be now. A withdrawal needs no terms, not even that the dataset is still offered. */
  #requireTerms(receipt: SignedConsent["receipt"]): void {
    const manifest = this.#modules.datasets.manifests().find(({ name }) => name === receipt.dataset.name);
    if (manifest === undefined)
      throw new TrustedDataError("dataset_unknown", "This repository offers no such dataset.");
    if (!needsConsent(manifest)) {
      throw new TrustedDataError(
        "consent_not_needed",
        "The dataset does not ask for consent: its lawful ground is another one.",
      );
    }
    const isShown =
      receipt.notice.reference === canonicalHash(manifest) &&
      receipt.controller.publisher === this.#options.publisher &&
      receipt.dataCategory === manifest.dataClass;
    if (!isShown) {
      throw new TrustedDataError(
        "notice_outdated",
        "The dataset is declared otherwise by now than the receipt says; look at it again and sign a new one.",
      );
    }
    // Broader than what the dataset permits would be consent to nothing that is done here.
    const stray = receipt.purposes.find(({ purpose }) => !permittingPurpose(manifest.purposes, purpose));
    if (stray !== undefined) {
      throw new TrustedDataError(
        "purpose_not_permitted",
        `The dataset is not used for ${stray.purpose}; it is for: ${manifest.purposes.join(", ")}.`,
      );
    }
  }

  async #acknowledge({
    receipt,
  }: SignedConsent): Promise<{ acknowledgement: Acknowledgement; promisedBlock: number }> {
    const { deployment, anchorWithinBlocks } = this.#options;
    const { signer } = this.#modules;
    const hash = consentHash(receipt);
    const byBlock = (await this.#newestBlock()) + anchorWithinBlocks;
    const repositorySignature = await signer.sign(transcriptStruct(deployment, hash));
    const promise = { byBlock, signature: await signer.sign(promiseStruct(deployment, hash, byBlock)) };
    return {
      acknowledgement: { version: "itd-consent-taken/1", receipt: hash, repositorySignature, promise },
      promisedBlock: byBlock,
    };
  }

  async #newestBlock(): Promise<number> {
    try {
      this.#headNumber = (await this.#modules.chain.head()).number;
    } catch (error) {
      if (this.#headNumber === undefined) throw error;
    }
    return this.#headNumber;
  }
}

function keyUnknown(): TrustedDataError {
  return new TrustedDataError(
    "consent_key_unknown",
    "The custodian has bound nobody of this dataset to the key; ask them to enrol you.",
  );
}
