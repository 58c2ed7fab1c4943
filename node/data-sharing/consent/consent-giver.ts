/**
 * The person's side: makes a receipt, signs it, keeps it before it is sent, and keeps what comes back. A reply that was lost is asked for
 * again with the same receipt, which is taken once.
 */
import { TrustedDataError } from "../../errors.ts";
import { transcriptStruct } from "../../ledger/audit-entry.ts";
import type { Deployment } from "../../ledger/deployment.ts";
import type { AnchorChain, Clock, Signer } from "../../ledger/ports.ts";
import { canonicalHash } from "../../primitives/canonical-json.ts";
import { type Hex, toHex } from "../../primitives/hex.ts";
import type { DatasetOffer } from "../discover.ts";
import type { Peer, PeerClient, Randomness } from "../ports.ts";
import { entryStatusSchema } from "../receipt.ts";
import { clockSlackS } from "../transcript.ts";
import { acknowledgementSchema } from "./acknowledgement.ts";
import {
  type ConsentReceipt,
  consentHash,
  consentStruct,
  consentTerms,
  type SignedConsent,
} from "./consent-receipt.ts";
import {
  isAcknowledged,
  isAnchored,
  type KeptConsent,
  keptConsentName,
  keptConsentText,
  readKeptConsent,
} from "./kept-consent.ts";
import type { ConsentArchive } from "./ports.ts";

export interface ConsentGiverModules {
  deployment: Deployment;
  chain: Pick<AnchorChain, "verifyAnchor">;
  signer: Signer;
  peers: Pick<PeerClient, "giveConsent" | "consentEntry">;
  clock: Clock;
  randomness: Randomness;
  archive: ConsentArchive;
}

/** What is said something about: a dataset that is offered, or one of a receipt that was given before. */
export interface ConsentTarget {
  dataset: Hex;
  name: string;
  repository: Hex;
  publisher: string;
  /** Hash of the dataset's manifest. */
  notice: Hex;
  dataCategory: string;
  peer: Peer;
}

export function targetOf({ dataset, repository, publisher, manifest, peer }: DatasetOffer): ConsentTarget {
  const { name, dataClass: dataCategory } = manifest;
  return { dataset, name, repository, publisher, notice: canonicalHash(manifest), dataCategory, peer };
}

export function formerTarget({ signed: { receipt } }: KeptConsent, peer: Peer): ConsentTarget {
  const { dataset, controller, notice, dataCategory } = receipt;
  return {
    ...controller,
    dataset: dataset.id,
    name: dataset.name,
    notice: notice.reference,
    dataCategory,
    peer,
  };
}

export interface Wish {
  state: ConsentReceipt["event"]["state"];
  /** None in a withdrawal of everything. */
  purposes: readonly string[];
  expiresS: number | null;
  jurisdiction: string;
}

const attemptsMax = 3;
const retryDelayMs = 500;
/** Then nobody knows whether the receipt was taken, or it may be taken later: it is kept and sent again. */
const openCodes: ReadonlySet<string> = new Set([
  ...["peer_unreachable", "peer_answer_invalid", "peer_certificate", "chain_unavailable", "not_ready"],
  ...["rate_limited", "internal", "storage_full", "storage_failed"],
]);

export class ConsentGiver {
  readonly #modules: ConsentGiverModules;

  constructor(modules: ConsentGiverModules) {
    this.#modules = modules;
  }

  /** All that this side keeps, oldest first. */
  async kept(): Promise<KeptConsent[]> {
    const texts = await this.#modules.archive.texts();
    return texts
      .flatMap((text) => readKeptConsent(text) ?? [])
      .sort((a, b) => a.signed.receipt.event.timeMs - b.signed.receipt.event.timeMs);
  }

  /**
   * Gives or withdraws consent; returns once it is in force and acknowledged.
   * @throws TrustedDataError the repository's refusal, then nothing is kept; or `peer_unreachable`, then the receipt is kept and sent again.
   */
  async say(target: ConsentTarget, wish: Wish): Promise<KeptConsent> {
    const { signer, clock } = this.#modules;
    const own = (await this.kept()).filter(
      ({ signed: { receipt } }) =>
        receipt.dataset.id === target.dataset && receipt.principal === signer.address,
    );
    const newestMs = Math.max(0, ...own.map(({ signed }) => signed.receipt.event.timeMs));
    const first = await this.#make(target, wish, Math.max(clock.nowMs(), newestMs + 1));
    try {
      return await this.#deliver(first, target.peer);
    } catch (error) {
      // What was said from another machine, or before the clock was set back.
      const newerMs = error instanceof TrustedDataError ? supersededBy(error) : undefined;
      if (newerMs === undefined || newerMs >= clock.nowMs() + clockSlackS * 1000) throw error;
      return await this.#deliver(await this.#make(target, wish, newerMs + 1), target.peer);
    }
  }

  /** Sends again what was never acknowledged, and fetches the place in the log where there is one by now; checked, then kept. */
  async refreshed(kept: KeptConsent, peer: Peer): Promise<KeptConsent> {
    if (kept.acknowledgement === null) return await this.#deliver(kept, peer);
    if (kept.anchor !== null) return kept;
    const status = entryStatusSchema.safeParse(
      await this.#modules.peers.consentEntry(peer, consentHash(kept.signed.receipt)),
    );
    const anchored = { ...kept, anchor: status.data?.anchor ?? null };
    if (anchored.anchor === null) return kept;
    if (!(await isAnchored(anchored, this.#modules))) {
      throw invalid(peer, "the place in the log that it claims for a consent receipt does not fit the chain");
    }
    await this.#keep(anchored);
    return anchored;
  }

  async #make(target: ConsentTarget, wish: Wish, timeMs: number): Promise<KeptConsent> {
    const { deployment, signer, randomness } = this.#modules;
    const { lawfulBasis, ...terms } = consentTerms;
    const receipt: ConsentReceipt = {
      version: "itd-consent/1",
      record: toHex(randomness.bytes(32)),
      principal: signer.address,
      controller: { repository: target.repository, publisher: target.publisher },
      dataset: { id: target.dataset, name: target.name },
      notice: { reference: target.notice, language: "en" },
      purposes: wish.purposes.map((purpose) => ({ purpose, lawfulBasis })),
      dataCategory: target.dataCategory,
      ...terms,
      jurisdiction: wish.jurisdiction,
      event: { state: wish.state, timeMs },
      expiresS: wish.expiresS,
    };
    const signature = await signer.sign(consentStruct(deployment, receipt));
    const entrySignature = await signer.sign(transcriptStruct(deployment, consentHash(receipt)));
    const signed: SignedConsent = { receipt, signature, entrySignature };
    const kept: KeptConsent = { version: "itd-kept-consent/1", signed, acknowledgement: null, anchor: null };
    await this.#keep(kept);
    return kept;
  }

  async #deliver(kept: KeptConsent, peer: Peer): Promise<KeptConsent> {
    const reply = await this.#send(kept, peer);
    const said = acknowledgementSchema.safeParse(reply);
    if (!said.success || !isAcknowledged(this.#modules.deployment, kept.signed, said.data))
      throw invalid(peer, "it acknowledges something else than the consent receipt that was sent");
    const acknowledged = { ...kept, acknowledgement: said.data };
    await this.#keep(acknowledged);
    return acknowledged;
  }

  async #send(kept: KeptConsent, peer: Peer): Promise<unknown> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#modules.peers.giveConsent(peer, kept.signed);
      } catch (error) {
        if (!(error instanceof TrustedDataError)) throw error;
        if (!openCodes.has(error.code)) await this.#modules.archive.drop(keptConsentName(kept));
        if (error.code !== "peer_unreachable" || attempt === attemptsMax) throw error;
        await this.#modules.clock.sleep(retryDelayMs * attempt);
      }
    }
  }

  async #keep(kept: KeptConsent): Promise<void> {
    await this.#modules.archive.keep(keptConsentName(kept), keptConsentText(kept));
  }
}

function supersededBy({ code, fields }: TrustedDataError): number | undefined {
  const timeMs = Number(fields.timeMs);
  return code === "consent_superseded" && Number.isSafeInteger(timeMs) ? timeMs : undefined;
}

function invalid({ endpoint }: Peer, why: string): TrustedDataError {
  const sentence = `The answer of ${endpoint} is not acceptable: ${why}.`;
  return new TrustedDataError("peer_answer_invalid", sentence, { endpoint });
}
