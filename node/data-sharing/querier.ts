/**
 * The querier's side of a question (steps 2 to 7): signs the request, uses the token with proofs of possession, compares everything that
 * comes back with what it asked, countersigns the transcript only if both sides hold the same one, and keeps the receipt.
 */
import { z } from "zod";
import { TrustedDataError } from "../errors.ts";
import { transcriptStruct } from "../ledger/audit-entry.ts";
import type { Signer } from "../ledger/ports.ts";
import { sha256Hex, toHex } from "../primitives/hex.ts";
import { parseStrictJson } from "../primitives/strict-json.ts";
import { type AgreementModules, type Expected, mismatch, replySchema, requireAgreed } from "./agreement.ts";
import type { DatasetOffer } from "./discover.ts";
import { type AlgorithmManifest, algorithmHash } from "./manifests/algorithm-manifest.ts";
import { microRhoSchema } from "./manifests/dataset-manifest.ts";
import { compilePlan } from "./plan/compile-plan.ts";
import { loadSqlParser } from "./plan/parse-sql.ts";
import type { Plan } from "./plan/plan.ts";
import { planHash } from "./plan/plan-hash.ts";
import type { PeerClient, Randomness } from "./ports.ts";
import { ProofKey } from "./proof-key.ts";
import {
  type Parameters,
  type QuestionRequest,
  requestStruct,
  type SignedRequest,
} from "./question-request.ts";
import { entryStatusSchema, type Receipt } from "./receipt.ts";
import type { ReleasedAnswer } from "./release/answer.ts";
import { type Transcript, transcriptHash } from "./transcript.ts";

const requestLifetimeSeconds = 300;
/** A lost reply is asked for again; the repository then gives the stored bytes. */
const attemptsMax = 4;
const retryDelayMs = 500;

export interface Question {
  algorithm: AlgorithmManifest;
  parameters: Parameters;
  purpose: string;
}

export interface QuerierModules extends AgreementModules {
  signer: Signer;
  peers: PeerClient;
  randomness: Randomness;
}

export type Stage = "authorise" | "answer" | "countersign" | "done";

/** A question that has ended, answered or refused, with its pending receipt. */
export interface Ended {
  offer: DatasetOffer;
  transcript: Transcript;
  plan: Plan | null;
  answer: ReleasedAnswer | null;
  /** The refusal's sentence. */
  reason: string | null;
  receipt: Receipt;
  /** What this querier had spent of the dataset for the purpose before it asked; undefined where no token was given. */
  spentMicroRho?: string;
}

const authorisationSchema = z.strictObject({
  question: z.string(),
  token: z.string().min(1).max(4_096),
  tokenExpiresS: z.int(),
  plan: z.string(),
  chargeMicroRho: z.string(),
  /** What this querier had spent of the dataset for the purpose before. */
  spentMicroRho: microRhoSchema,
});

export class Querier {
  readonly #modules: QuerierModules;

  constructor(modules: QuerierModules) {
    this.#modules = modules;
  }

  /**
   * Asks one repository. A refusal that is logged comes back as an ended question.
   * @throws TrustedDataError the repository's or the network's code, or `transcript_mismatch` when the repository claims something else.
   */
  async ask(
    question: Question,
    offer: DatasetOffer,
    onStage: (stage: Stage) => void = () => undefined,
  ): Promise<Ended> {
    await loadSqlParser();
    const plan = compilePlan(question.algorithm, question.parameters, offer.manifest);
    const asked = { algorithm: question.algorithm, offer, plan };
    const key = await ProofKey.create();
    const signed = await this.#signRequest(question, offer, key.thumbprint);
    onStage("authorise");
    const authorised = await this.#send(async () => {
      const proof = await this.#proof(key, offer, "authorisations");
      return await this.#modules.peers.authorise(offer.peer, signed, proof);
    });
    if (authorised.outcome === "refused") {
      return await this.#end(authorised.body, { ...asked, signed, token: null }, onStage);
    }
    const authorisation = read(authorisationSchema, authorised.body, offer);
    // Before anything is charged.
    if (authorisation.plan !== planHash(plan)) throw mismatch(offer, "plan");
    if (authorisation.chargeMicroRho !== plan.microRho) throw mismatch(offer, "chargeMicroRho");
    const { token, spentMicroRho } = authorisation;
    onStage("answer");
    const replied = await this.#send(async () => {
      const proof = await this.#proof(key, offer, "answers", token);
      return await this.#modules.peers.answer(offer.peer, token, proof);
    });
    const ended = await this.#end(replied.body, { ...asked, signed, token: sha256Hex(token) }, onStage);
    return { ...ended, spentMicroRho };
  }

  /** Completes a pending receipt when the batch is on the chain; undefined while it is not. */
  async complete(receipt: Receipt, offer: Pick<DatasetOffer, "peer">): Promise<Receipt | undefined> {
    return await completeReceipt(receipt, offer, this.#modules.peers);
  }

  async #end(body: string, expected: Expected, onStage: (stage: Stage) => void): Promise<Ended> {
    const { offer } = expected;
    const reply = read(replySchema, body, offer);
    await requireAgreed(reply, expected, this.#modules);
    onStage("countersign");
    const { transcript, plan, answer, reason, repositorySignature, promise } = reply;
    const struct = transcriptStruct(this.#modules.deployment, transcriptHash(transcript));
    const querierSignature = await this.#modules.signer.sign(struct);
    await this.#send(async () => {
      await this.#modules.peers.countersign(offer.peer, transcript.request.question, querierSignature);
    });
    onStage("done");
    const receipt: Receipt = {
      version: "itd-receipt/1",
      transcript,
      plan,
      algorithm: plan === null ? null : expected.algorithm,
      dataset: plan === null ? null : offer.manifest,
      answer,
      repositorySignature,
      querierSignature,
      promise,
      anchor: null,
    };
    return { offer, transcript, plan, answer, reason, receipt };
  }

  async #signRequest(
    { algorithm, parameters, purpose }: Question,
    offer: DatasetOffer,
    keyThumbprint: string,
  ): Promise<SignedRequest> {
    const { signer, randomness, clock, deployment } = this.#modules;
    const request: QuestionRequest = {
      question: toHex(randomness.bytes(32)),
      querier: signer.address,
      repository: offer.repository,
      dataset: offer.dataset,
      algorithm: algorithmHash(algorithm),
      parameters,
      purpose,
      keyThumbprint,
      expiresS: Math.floor(clock.nowMs() / 1000) + requestLifetimeSeconds,
    };
    return { request, signature: await signer.sign(requestStruct(deployment, request)) };
  }

  async #proof(key: ProofKey, { peer }: DatasetOffer, path: string, token?: string): Promise<string> {
    const url = `${peer.endpoint}/v1/data-sharing/${path}`;
    return await key.prove(
      "POST",
      url,
      this.#modules.clock.nowMs(),
      toHex(this.#modules.randomness.bytes(16)),
      token,
    );
  }

  /** The network may lose a reply; what the other side stored makes asking again safe. */
  async #send<T>(request: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await request();
      } catch (error) {
        const isLost = error instanceof TrustedDataError && error.code === "peer_unreachable";
        if (!isLost || attempt === attemptsMax) throw error;
        await this.#modules.clock.sleep(retryDelayMs * attempt);
      }
    }
  }
}

/** The receipt with its anchor, or undefined while the batch is not on the chain. */
export async function completeReceipt(
  receipt: Receipt,
  offer: Pick<DatasetOffer, "peer">,
  peers: PeerClient,
): Promise<Receipt | undefined> {
  const status = entryStatusSchema.safeParse(
    await peers.entry(offer.peer, receipt.transcript.request.question),
  );
  if (!status.success) {
    throw new TrustedDataError(
      "peer_answer_invalid",
      `The repository ${offer.peer.endpoint} does not answer with a log entry.`,
    );
  }
  const { anchor, querierSignature } = status.data;
  return anchor === null ? undefined : { ...receipt, querierSignature, anchor };
}

function read<T>(schema: z.ZodType<T>, body: string, offer: DatasetOffer): T {
  const parsed = schema.safeParse(parseStrictJson(body));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new TrustedDataError(
    "peer_answer_invalid",
    `The repository ${offer.peer.endpoint} answers with something else than agreed (${issue.path.join(".")}: ${issue.message}).`,
  );
}
