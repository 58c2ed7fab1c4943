/**
 * The repository's side of a question (data-sharing flow, steps 2 to 5), as its interface serves it: authorise, answer, countersign.
 * What depends on data never decides an error, a status or the time of the reply.
 */
import { TrustedDataError } from "../errors.ts";
import { transcriptStruct } from "../ledger/audit-entry.ts";
import type { AuditStore } from "../ledger/ports.ts";
import { canonicalHash, canonicalJson } from "../primitives/canonical-json.ts";
import { type Hex, sha256Hex } from "../primitives/hex.ts";
import { KeyedLock } from "../primitives/keyed-lock.ts";
import { signerOf } from "../primitives/typed-data.ts";
import { type Admission, type AdmissionModules, admitQuestion, Refusal } from "./admission.ts";
import { Answering, type AnsweringModules, type AnsweringOptions } from "./answering.ts";
import { permittingPurpose } from "./consent/purposes.ts";
import { HourlyLimit } from "./hourly-limit.ts";
import { logOutcome, type QuestionReply } from "./log-outcome.ts";
import type { DatasetManifest } from "./manifests/dataset-manifest.ts";
import { planHash } from "./plan/plan-hash.ts";
import type { WireReply } from "./ports.ts";
import { isSignedByQuerier, requestLifetimeSecondsMax, type SignedRequest } from "./question-request.ts";
import { ReplySlot } from "./reply-slot.ts";
import { checkProof, issueToken, type PresentedProof, readToken } from "./token.ts";
import { transcriptHash } from "./transcript.ts";

export interface RepositoryOptions extends AnsweringOptions {
  /** Between authorisation and the first use of the token. */
  tokenLifetimeMs: number;
  /** Replies leave at whole multiples of this after the question came in, so that their time says little about the data. */
  replySlotMs: number;
  /** Logged refusals of one querier in an hour; each is kept for good and costs two signatures. */
  refusalsPerHourMax?: number;
  /** New questions of one querier in an hour, authorised or refused: each is kept, also those that are free or whose token is never used. */
  questionsPerHourMax?: number;
}

const refusalsPerHourMax = 600;
const questionsPerHourMax = 3_000;

export interface RepositoryModules extends AnsweringModules, AdmissionModules {
  audit: AuditStore;
}

/** What the querier gets with its token. */
export interface Authorisation {
  question: Hex;
  token: string;
  tokenExpiresS: number;
  plan: Hex;
  /** The most that the answer will be charged. */
  chargeMicroRho: string;
  /** What this querier has spent of the dataset for this purpose so far; told to nobody else. */
  spentMicroRho: string;
}

export class Repository {
  readonly #options: RepositoryOptions;
  readonly #modules: RepositoryModules;
  readonly #answering: Answering;
  readonly #locks = new KeyedLock();
  /** Questions of which the reply has not left yet. */
  readonly #leaving = new Set<Hex>();
  readonly #refusals: HourlyLimit;
  readonly #asked: HourlyLimit;

  constructor(options: RepositoryOptions, modules: RepositoryModules) {
    this.#options = options;
    this.#modules = modules;
    this.#answering = new Answering(options, modules);
    this.#refusals = new HourlyLimit(options.refusalsPerHourMax ?? refusalsPerHourMax);
    this.#asked = new HourlyLimit(options.questionsPerHourMax ?? questionsPerHourMax);
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
  async authorise(signed: SignedRequest, presented: PresentedProof): Promise<WireReply> {
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
  async answer(token: string, presented: PresentedProof): Promise<WireReply> {
    const slot = new ReplySlot(this.#modules.clock, this.#options.replySlotMs);
    const claims = await readToken(this.#tokenSecret(), this.address, token);
    const proof = await this.#useProof(presented, token);
    if (proof.keyThumbprint !== claims.keyThumbprint) {
      throw new TrustedDataError(
        "proof_invalid",
        "The proof is made with another key than the token is bound to.",
      );
    }
    return await this.#locks.run(claims.question, async () => {
      const question = this.#modules.questions.question(claims.question);
      if (question === undefined || question.token !== sha256Hex(token)) {
        throw new TrustedDataError("token_invalid", "The token belongs to no question of this repository.");
      }
      if (question.reply === undefined) this.#leaving.add(question.id);
      try {
        return await this.#answering.answerOnce(question, slot);
      } finally {
        await slot.end();
        this.#leaving.delete(question.id);
      }
    });
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
    // Whether it has a reply that did not leave yet would tell when the engine was done.
    if (found?.reply === undefined || this.#leaving.has(question)) {
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

  #knownReply(signed: SignedRequest): WireReply | undefined {
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

  async #issue(signed: SignedRequest, { dataset, plan, block }: Admission): Promise<WireReply> {
    const { clock, questions } = this.#modules;
    const nowMs = clock.nowMs();
    this.#countQuestion(signed.request.querier, nowMs);
    const tokenExpiresMs = nowMs + this.#options.tokenLifetimeMs;
    const { request } = signed;
    // As it is charged (answering.ts).
    const purpose = permittingPurpose(dataset.purposes, request.purpose) ?? request.purpose;
    const claims = { ...request, question: request.question };
    const token = await issueToken(this.#tokenSecret(), claims, nowMs, tokenExpiresMs);
    const authorisation: Authorisation = {
      question: request.question,
      token,
      tokenExpiresS: Math.ceil(tokenExpiresMs / 1000),
      plan: planHash(plan),
      chargeMicroRho: plan.microRho,
      spentMicroRho: String(questions.spentBy(request.dataset, request.querier, purpose)),
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
      manifest: canonicalHash(dataset),
      authorisation: body,
      reply: undefined,
    });
    return { outcome: "authorised", body };
  }

  async #refuseUnauthorised(signed: SignedRequest, refusal: Refusal): Promise<WireReply> {
    const nowMs = this.#modules.clock.nowMs();
    if (!this.#refusals.take(signed.request.querier, nowMs)) {
      throw new TrustedDataError(
        "rate_limited",
        "Too many of your questions were refused within an hour; correct them and ask again later.",
        { code: refusal.code },
      );
    }
    this.#countQuestion(signed.request.querier, nowMs);
    const facts = {
      request: signed.request,
      requestSignature: signed.signature,
      block: { number: refusal.block.number, hash: refusal.block.hash },
      outcome: "refused" as const,
      refusal: refusal.code,
      token: null,
      plan: null,
      manifest: null,
      ...this.#answering.versions(),
      chargeMicroRho: "0",
      answer: null,
    };
    const shown = { plan: null, answer: null, reason: refusal.reason };
    const { reply, outcome } = await logOutcome(facts, shown, this.#options, this.#modules);
    this.#modules.questions.saveRefused(signed.request.question, signed, reply, outcome);
    return { outcome: "refused", body: reply };
  }

  #countQuestion(querier: Hex, nowMs: number): void {
    if (this.#asked.take(querier, nowMs)) return;
    throw new TrustedDataError(
      "rate_limited",
      "You asked too many new questions within an hour; answers that you have stay valid, ask others later.",
    );
  }

  #tokenSecret(): Uint8Array {
    return this.#modules.questions.secret("token", 32);
  }
}
