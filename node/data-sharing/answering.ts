/**
 * From an authorised question to its logged outcome (steps 3 to 5): charge, execute, release, store.
 *
 * The order is what keeps privacy. The charge is durable before the plan runs and is never refunded; the exact reply is durable before
 * anybody sees it, so a retry or a restart gives the same bytes and never fresh noise. A question that was charged when the process
 * stopped is answered anew under the same charge: nothing of it had left.
 */
import { TrustedDataError } from "../errors.ts";
import { unansweredMsMax } from "../ledger/anchoring.ts";
import { assert } from "../primitives/assert.ts";
import { canonicalHash, canonicalJson } from "../primitives/canonical-json.ts";
import type { Hex } from "../primitives/hex.ts";
import { KeyedLock } from "../primitives/keyed-lock.ts";
import type { ConsentedPeople } from "./consent/consented-people.ts";
import { permittingPurpose } from "./consent/purposes.ts";
import { type LogModules, type LogOptions, logOutcome } from "./log-outcome.ts";
import { type DatasetManifest, needsConsent } from "./manifests/dataset-manifest.ts";
import type { Plan } from "./plan/plan.ts";
import { planHash } from "./plan/plan-hash.ts";
import type {
  ChargeRefusal,
  DatasetStore,
  EngineLimits,
  ExactAnswer,
  PeopleFilter,
  PlanEngine,
  QuestionStore,
  StoredQuestion,
  WireReply,
} from "./ports.ts";
import { datasetId } from "./question-request.ts";
import { answerHash, type ReleasedAnswer } from "./release/answer.ts";
import { emptyAnswer, releaseAnswer } from "./release/release.ts";
import type { ReplySlot } from "./reply-slot.ts";

export interface AnsweringOptions extends LogOptions {
  /** How often the data version advances, whether or not data changed. */
  dataVersionMs: number;
  /** How often the consent version advances, whether or not anybody gave or withdrew consent. */
  consentVersionMs: number;
  limits: EngineLimits;
}

export interface AnsweringModules extends LogModules {
  datasets: DatasetStore;
  engine: PlanEngine;
  questions: QuestionStore;
  /** Who takes part where consent is needed. */
  people: Pick<ConsentedPeople, "filter">;
  /** For the custodian's own log. Gets no row, no exact number, no token. */
  onEngineFailure: (dataset: string, error: TrustedDataError) => void;
}

/**
 * Counters that advance on a schedule: were they to advance with data or consents, a free repeat would tell that somebody's row or word
 * changed. The consent version is 0 where no consent is needed.
 */
export interface Versions {
  dataVersion: number;
  consentVersion: number;
}

const refusalReasons = {
  budget_exhausted:
    "The dataset's privacy budget does not cover this answer; a stored answer can still be asked for again.",
  querier_budget_exhausted: "Your privacy budget for this dataset and purpose does not cover this answer.",
  budget_not_reserved:
    "The budget reserved on the chain for this interval is used up; ask again after the next batch is anchored.",
  dataset_unknown: "The dataset is no longer offered here.",
  dataset_unavailable:
    "The dataset cannot be asked at the moment; its custodian has been told. Nothing was charged.",
} as const;

type RefusalCode = keyof typeof refusalReasons;

/** What the charge came to: a refusal, or what is written into the transcript. */
type Charged = { refusal: RefusalCode } | { refusal: undefined; chargeMicroRho: string };

export class Answering {
  readonly #options: AnsweringOptions;
  readonly #modules: AnsweringModules;
  readonly #locks = new KeyedLock();

  constructor(options: AnsweringOptions, modules: AnsweringModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /** Of a dataset by its manifest, if there is any. */
  versions(manifest?: DatasetManifest): Versions {
    const nowMs = this.#modules.clock.nowMs();
    const { dataVersionMs, consentVersionMs } = this.#options;
    const isConsented = manifest !== undefined && needsConsent(manifest);
    return {
      dataVersion: Math.floor(nowMs / dataVersionMs),
      consentVersion: isConsented ? Math.floor(nowMs / consentVersionMs) : 0,
    };
  }

  /** @throws TrustedDataError `token_expired` if the question was never asked in time. An ended question gives its stored bytes. */
  async answerOnce(question: StoredQuestion, slot: ReplySlot): Promise<WireReply> {
    if (question.state === "answered" || question.state === "refused") {
      assert(question.reply !== undefined, "an ended question has its reply");
      return { outcome: question.state, body: question.reply };
    }
    if (question.state === "authorised" && this.#modules.clock.nowMs() > question.tokenExpiresMs) {
      throw new TrustedDataError("token_expired", "The token has expired unused; ask for a new one.");
    }
    if (this.#modules.clock.nowMs() > question.tokenExpiresMs + unansweredMsMax) {
      throw new TrustedDataError(
        "token_expired",
        "The token was used too long ago to be answered still; ask anew.",
      );
    }
    const { dataset, purpose } = question.signed.request;
    const manifest = this.#manifestOf(question);
    const isConsented = manifest !== undefined && needsConsent(manifest);
    const versions = this.versions(manifest);
    // Where consent is needed, another purpose is another set of people.
    const terms = { dataset, plan: planHash(question.plan), ...versions, ...(isConsented && { purpose }) };
    const releaseKey = canonicalHash(terms);
    const people = isConsented ? this.#modules.people.filter(question.dataset, purpose) : undefined;
    // Equal questions wait for each other: the second one gets the first one's release, free. A release may be over somebody who withdrew
    // since: it has left already, and a fresh one in its place would be a second answer about everybody else.
    return await this.#locks.run(
      releaseKey,
      async () => await this.#release(question, releaseKey, versions, people, slot),
    );
  }

  async #release(
    question: StoredQuestion,
    key: Hex,
    versions: Versions,
    people: PeopleFilter | undefined,
    slot: ReplySlot,
  ): Promise<WireReply> {
    const { questions, randomness } = this.#modules;
    const { plan } = question;
    const stored = questions.release(key);
    const charged = await this.#charge(question, stored !== undefined);
    if (charged.refusal !== undefined) return await this.#end(question, versions, slot, charged, null);
    if (stored !== undefined) {
      return await this.#end(question, versions, slot, charged, JSON.parse(stored) as ReleasedAnswer);
    }
    try {
      const answer = releaseAnswer(await this.#execute(question.dataset, plan, people), plan, randomness);
      return await this.#end(question, versions, slot, charged, answer, key);
    } finally {
      // Who waits for this release must not see when the engine was done.
      await slot.end();
    }
  }

  async #charge(question: StoredQuestion, isStored: boolean): Promise<Charged> {
    const { plan, state } = question;
    if (state === "charged") return { refusal: undefined, chargeMicroRho: plan.microRho };
    if (isStored) return { refusal: undefined, chargeMicroRho: "0" };
    const refusal = (await this.#isAvailable(question)) ? this.#take(question) : "dataset_unavailable";
    return refusal === undefined ? { refusal, chargeMicroRho: plan.microRho } : { refusal };
  }

  /** Asked before the charge: what is wrong with files or machine has nothing to do with anybody's row. */
  async #isAvailable({ dataset, plan }: StoredQuestion): Promise<boolean> {
    try {
      await this.#modules.engine.requireAvailable(dataset, plan);
      return true;
    } catch (error) {
      if (!(error instanceof TrustedDataError)) throw error;
      this.#modules.onEngineFailure(dataset, error);
      return false;
    }
  }

  #take(question: StoredQuestion): ChargeRefusal | "dataset_unknown" | undefined {
    const manifest = this.#manifestOf(question);
    if (manifest === undefined) return "dataset_unknown";
    const { totalMicroRho, perQuerierMicroRho } = manifest.budget;
    const { id, plan, signed } = question;
    const limits = {
      totalMicroRho: BigInt(totalMicroRho),
      perQuerierMicroRho: BigInt(perQuerierMicroRho),
      // Else a purpose with many narrower ones would have as many budgets.
      purpose: permittingPurpose(manifest.purposes, signed.request.purpose),
    };
    return this.#modules.questions.charge(id, BigInt(plan.microRho), limits);
  }

  #manifestOf({ signed: { request } }: StoredQuestion): DatasetManifest | undefined {
    return this.#modules.datasets
      .manifests()
      .find(({ name }) => datasetId(request.repository, name) === request.dataset);
  }

  /** An engine that fails or takes too long counts as one that saw nobody: an error would tell about the data. */
  async #execute(dataset: string, plan: Plan, people: PeopleFilter | undefined): Promise<ExactAnswer> {
    try {
      return await this.#modules.engine.execute(dataset, plan, this.#options.limits, people);
    } catch (error) {
      if (!(error instanceof TrustedDataError)) throw error;
      this.#modules.onEngineFailure(dataset, error);
      return emptyAnswer(plan);
    }
  }

  /** Logs and stores the outcome; `newRelease` is the key under which a fresh answer is kept for repeats. */
  async #end(
    question: StoredQuestion,
    versions: Versions,
    slot: ReplySlot,
    charged: Charged,
    answer: ReleasedAnswer | null,
    newRelease?: Hex,
  ): Promise<WireReply> {
    const { plan, signed } = question;
    const state = answer === null ? "refused" : "answered";
    const facts = {
      request: signed.request,
      requestSignature: signed.signature,
      block: question.block,
      outcome: state,
      refusal: charged.refusal ?? null,
      token: question.token,
      plan: planHash(plan),
      manifest: question.manifest,
      ...versions,
      chargeMicroRho: charged.refusal === undefined ? charged.chargeMicroRho : "0",
      answer: answer === null ? null : answerHash(answer),
    } as const;
    const reason = charged.refusal === undefined ? null : refusalReasons[charged.refusal];
    const shown = { plan, answer, reason };
    const { reply, outcome } = await logOutcome(facts, shown, this.#options, this.#modules, slot.endMs());
    const release = newRelease === undefined ? undefined : { key: newRelease, answer: canonicalJson(answer) };
    this.#modules.questions.saveReply(question.id, state, reply, outcome, release);
    return { outcome: state, body: reply };
  }
}
