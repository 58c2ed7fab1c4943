/**
 * The repository's side of a question (data-sharing flow, steps 2 to 5): authorise, charge, execute, release, log.
 *
 * The order is what keeps privacy: the charge is durable before the plan runs and is never refunded; the exact reply is durable before
 * it is sent, so a retry or a restart gives the same bytes and never fresh noise. What depends on data never decides an error, a
 * status or the time of the reply.
 */
import { TrustedDataError } from "../errors.ts";
import { transcriptStruct } from "../ledger/audit-entry.ts";
import type { AuditStore } from "../ledger/ports.ts";
import { assert } from "../primitives/assert.ts";
import { canonicalHash, canonicalJson } from "../primitives/canonical-json.ts";
import { type Hex, sha256Hex } from "../primitives/hex.ts";
import { KeyedLock } from "../primitives/keyed-lock.ts";
import { signerOf } from "../primitives/typed-data.ts";
import { type Admission, type AdmissionModules, admitQuestion, Refusal } from "./admission.ts";
import { type LogModules, type LogOptions, logOutcome, type QuestionReply } from "./log-outcome.ts";
import type { DatasetManifest } from "./manifests/dataset-manifest.ts";
import { groupCountOf } from "./plan/plan.ts";
import { planHash } from "./plan/plan-hash.ts";
import type {
  DatasetStore,
  EngineLimits,
  ExactAnswer,
  PlanEngine,
  QuestionStore,
  StoredQuestion,
} from "./ports.ts";
import {
  datasetId,
  isSignedByQuerier,
  requestLifetimeSecondsMax,
  type SignedRequest,
} from "./question-request.ts";
import { answerHash, type ReleasedAnswer, releaseAnswer } from "./release/release.ts";
import { checkProof, issueToken, type PresentedProof, readToken } from "./token.ts";
import { transcriptHash } from "./transcript.ts";

export interface RepositoryOptions extends LogOptions {
  /** Between authorisation and the first use of the token. */
  tokenLifetimeMs: number;
  /** Replies leave at whole multiples of this after the question came in, so that their time says little about the data. */
  replySlotMs: number;
  /** How often the data version advances, whether or not data changed. */
  dataVersionMs: number;
  limits: EngineLimits;
}

export interface RepositoryModules extends LogModules, AdmissionModules {
  datasets: DatasetStore;
  engine: PlanEngine;
  questions: QuestionStore;
  audit: AuditStore;
  /** For the custodian's own log. Gets no row, no exact number, no token. */
  onEngineFailure: (dataset: string, error: TrustedDataError) => void;
}

export interface Reply {
  outcome: "authorised" | "answered" | "refused";
  /** The exact bytes, canonical JSON. */
  body: string;
}

/** What the querier gets with its token. */
export interface Authorisation {
  question: Hex;
  token: string;
  tokenExpiresS: number;
  plan: Hex;
  /** The most that the answer will be charged. */
  chargeMicroRho: string;
}

export class Repository {
  readonly #options: RepositoryOptions;
  readonly #modules: RepositoryModules;
  readonly #locks = new KeyedLock();

  constructor(options: RepositoryOptions, modules: RepositoryModules) {
    this.#options = options;
    this.#modules = modules;
  }

  get address(): Hex {
    return this.#modules.signer.address;
  }

  datasetManifests(): DatasetManifest[] {
    return this.#modules.datasets.manifests();
  }

  /**
   * Step 2. The same signed request again gets the same bytes.
   * @throws TrustedDataError for what is not logged: a request that nobody known has signed.
   */
  async authorise(signed: SignedRequest, presented: PresentedProof): Promise<Reply> {
    const { request } = signed;
    this.#requireAddressed(signed);
    const proof = await this.#useProof(presented);
    if (proof.keyThumbprint !== request.keyThumbprint) {
      throw new TrustedDataError(
        "proof_invalid",
        "The proof is made with another key than the request names.",
      );
    }
    return await this.#locks.run(request.question, async () => {
      const known = this.#knownReply(signed);
      if (known !== undefined) return known;
      this.#requireInTime(request.expiresS);
      const admission = await admitQuestion(signed, this.#modules);
      if (admission instanceof Refusal) return await this.#refuseUnauthorised(signed, admission);
      return await this.#issue(signed, admission);
    });
  }

  /** Steps 3 to 5. The token's question again gets the same bytes. */
  async answer(token: string, presented: PresentedProof): Promise<Reply> {
    const startedMs = this.#modules.clock.nowMs();
    const claims = await readToken(this.#tokenSecret(), this.address, token);
    const proof = await this.#useProof(presented, token);
    if (proof.keyThumbprint !== claims.keyThumbprint) {
      throw new TrustedDataError(
        "proof_invalid",
        "The proof is made with another key than the token is bound to.",
      );
    }
    const reply = await this.#locks.run(claims.question, async () => {
      const question = this.#modules.questions.question(claims.question);
      if (question === undefined || question.token !== sha256Hex(token)) {
        throw new TrustedDataError("token_invalid", "The token belongs to no question of this repository.");
      }
      return await this.#answerOnce(question);
    });
    await this.#waitForSlot(startedMs);
    return reply;
  }

  /**
   * Step 5, the querier's signature over the transcript.
   * @throws TrustedDataError `question_unknown`, `signature_invalid`, `entry_closed`
   */
  countersign(question: Hex, signature: Hex): void {
    const { signed, reply } = this.#ended(question);
    const hash = transcriptHash((JSON.parse(reply) as QuestionReply).transcript);
    if (signerOf(transcriptStruct(this.#options.deployment, hash), signature) !== signed.request.querier) {
      throw new TrustedDataError(
        "signature_invalid",
        "The signature is not the querier's over this transcript.",
      );
    }
    this.#modules.audit.countersign(hash, signature);
  }

  /** The hash under which an ended question stands in the log. @throws TrustedDataError `question_unknown` */
  transcriptOf(question: Hex): Hex {
    return transcriptHash((JSON.parse(this.#ended(question).reply) as QuestionReply).transcript);
  }

  #ended(question: Hex): { signed: SignedRequest; reply: string } {
    const { questions } = this.#modules;
    const refusal = questions.refusal(question);
    if (refusal !== undefined) return refusal;
    const found = questions.question(question);
    if (found?.reply === undefined) {
      throw new TrustedDataError("question_unknown", "This repository has ended no question of this id.");
    }
    return { signed: found.signed, reply: found.reply };
  }

  #requireAddressed(signed: SignedRequest): void {
    if (signed.request.repository !== this.address) {
      throw new TrustedDataError("request_invalid", "The request is addressed to another repository.");
    }
    if (!isSignedByQuerier(this.#options.deployment, signed)) {
      throw new TrustedDataError(
        "signature_invalid",
        "The request is not signed by the querier that it names.",
      );
    }
  }

  #requireInTime(expiresS: number): void {
    const nowS = this.#modules.clock.nowMs() / 1000;
    if (expiresS <= nowS || expiresS > nowS + requestLifetimeSecondsMax) {
      throw new TrustedDataError(
        "request_expired",
        `The request is over, or signed for more than ${requestLifetimeSecondsMax} s ahead; sign a new one and compare the clocks.`,
      );
    }
  }

  async #useProof(presented: PresentedProof, token?: string) {
    const proof = await checkProof(presented, this.#modules.clock.nowMs(), token);
    if (!this.#modules.questions.useProof(proof.proofId, proof.expiresMs)) {
      throw new TrustedDataError(
        "proof_replayed",
        "This proof of possession was used before; make a new one.",
      );
    }
    return proof;
  }

  #knownReply(signed: SignedRequest): Reply | undefined {
    const { questions } = this.#modules;
    const question = questions.question(signed.request.question);
    const refusal = questions.refusal(signed.request.question);
    const known = question ?? refusal;
    if (known === undefined) return undefined;
    if (canonicalHash(known.signed) !== canonicalHash(signed)) {
      throw new TrustedDataError(
        "question_conflict",
        "Another question was asked under this id; choose a new one.",
      );
    }
    if (question !== undefined) return { outcome: "authorised", body: question.authorisation };
    return { outcome: "refused", body: refusal!.reply };
  }

  async #issue(signed: SignedRequest, { dataset, plan, block }: Admission): Promise<Reply> {
    const { clock, questions } = this.#modules;
    const nowMs = clock.nowMs();
    const tokenExpiresMs = nowMs + this.#options.tokenLifetimeMs;
    const { request } = signed;
    const claims = { ...request, question: request.question };
    const token = await issueToken(this.#tokenSecret(), claims, nowMs, tokenExpiresMs);
    const authorisation: Authorisation = {
      question: request.question,
      token,
      tokenExpiresS: Math.ceil(tokenExpiresMs / 1000),
      plan: planHash(plan),
      chargeMicroRho: plan.microRho,
    };
    const body = canonicalJson(authorisation);
    questions.saveAuthorised({
      id: request.question,
      state: "authorised",
      signed,
      dataset: dataset.name,
      block,
      token: sha256Hex(token),
      tokenExpiresMs,
      plan,
      authorisation: body,
      reply: undefined,
    });
    return { outcome: "authorised", body };
  }

  async #refuseUnauthorised(signed: SignedRequest, refusal: Refusal): Promise<Reply> {
    const facts = {
      request: signed.request,
      requestSignature: signed.signature,
      block: { number: refusal.block.number, hash: refusal.block.hash },
      outcome: "refused" as const,
      refusal: refusal.code,
      token: null,
      plan: null,
      ...this.#versions(),
      chargeMicroRho: "0",
      answer: null,
    };
    const shown = { plan: null, answer: null, reason: refusal.reason };
    const { reply, outcome } = await logOutcome(facts, shown, this.#options, this.#modules);
    this.#modules.questions.saveRefused(signed.request.question, signed, reply, outcome);
    return { outcome: "refused", body: reply };
  }

  async #answerOnce(question: StoredQuestion): Promise<Reply> {
    if (question.state === "answered" || question.state === "refused") {
      assert(question.reply !== undefined, "an ended question has its reply");
      return { outcome: question.state, body: question.reply };
    }
    if (question.state === "authorised" && this.#modules.clock.nowMs() > question.tokenExpiresMs) {
      throw new TrustedDataError("token_expired", "The token has expired unused; ask for a new one.");
    }
    const versions = this.#versions();
    const dataset = question.signed.request.dataset;
    const releaseKey = canonicalHash({ dataset, plan: planHash(question.plan), ...versions });
    // Equal questions wait for each other: the second one gets the first one's release, free.
    return await this.#locks.run(releaseKey, async () => await this.#release(question, releaseKey, versions));
  }

  async #release(
    question: StoredQuestion,
    key: Hex,
    versions: { dataVersion: number; consentVersion: number },
  ): Promise<Reply> {
    const { questions, datasets } = this.#modules;
    const { plan, signed } = question;
    const stored = questions.release(key);
    let chargeMicroRho = "0";
    let code: string | undefined;
    if (stored === undefined || question.state === "charged") {
      const manifest = datasets
        .manifests()
        .find((m) => datasetId(this.address, m.name) === signed.request.dataset);
      code = manifest === undefined ? "dataset_unknown" : this.#charge(question, manifest);
      if (code === undefined) chargeMicroRho = plan.microRho;
    }
    const isNew = code === undefined && stored === undefined;
    const text = isNew
      ? canonicalJson(releaseAnswer(await this.#execute(question), plan, this.#modules.randomness))
      : stored;
    const answer = code === undefined ? (JSON.parse(text!) as ReleasedAnswer) : null;
    const facts = {
      request: signed.request,
      requestSignature: signed.signature,
      block: question.block,
      outcome: answer === null ? ("refused" as const) : ("answered" as const),
      refusal: code ?? null,
      token: question.token,
      plan: planHash(plan),
      ...versions,
      chargeMicroRho,
      answer: answer === null ? null : answerHash(answer),
    };
    const shown = {
      plan,
      answer,
      reason: code === undefined ? null : refusalReasons[code as keyof typeof refusalReasons],
    };
    const { reply, outcome } = await logOutcome(facts, shown, this.#options, this.#modules);
    questions.saveReply(
      question.id,
      facts.outcome,
      reply,
      outcome,
      isNew ? { key, answer: text! } : undefined,
    );
    return { outcome: facts.outcome, body: reply };
  }

  #charge(question: StoredQuestion, { budget }: DatasetManifest): string | undefined {
    const limits = {
      totalMicroRho: BigInt(budget.totalMicroRho),
      perQuerierMicroRho: BigInt(budget.perQuerierMicroRho),
    };
    return this.#modules.questions.charge(question.id, BigInt(question.plan.microRho), limits);
  }

  /** An engine that fails or takes too long counts as one that saw nobody: an error would tell about the data. */
  async #execute({ dataset, plan }: StoredQuestion): Promise<ExactAnswer> {
    try {
      return await this.#modules.engine.execute(dataset, plan, this.#options.limits);
    } catch (error) {
      if (!(error instanceof TrustedDataError)) throw error;
      this.#modules.onEngineFailure(dataset, error);
      const groups = groupCountOf(plan);
      return { vectors: plan.vectors.map(() => new Array<bigint>(groups).fill(0n)) };
    }
  }

  #versions() {
    const dataVersion = Math.floor(this.#modules.clock.nowMs() / this.#options.dataVersionMs);
    return { dataVersion, consentVersion: 0 };
  }

  async #waitForSlot(startedMs: number): Promise<void> {
    const { replySlotMs } = this.#options;
    const elapsedMs = this.#modules.clock.nowMs() - startedMs;
    await this.#modules.clock.sleep(Math.ceil((elapsedMs + 1) / replySlotMs) * replySlotMs - elapsedMs);
  }

  #tokenSecret(): Uint8Array {
    return this.#modules.questions.secret("token", 32);
  }
}

const refusalReasons = {
  budget_exhausted:
    "The dataset's privacy budget does not cover this answer; a stored answer can still be asked for again.",
  querier_budget_exhausted: "Your privacy budget for this dataset and purpose does not cover this answer.",
  budget_not_reserved:
    "The budget reserved on the chain for this interval is used up; ask again after the next batch is anchored.",
  dataset_unknown: "The dataset is no longer offered here.",
} as const;
