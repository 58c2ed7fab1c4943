/**
 * One question as a client of its own would ask it, byte by byte: the same signed request and the same token as often as it takes. Unlike
 * the project's own querier it never gives up, and remembers whether anything that it was told ever changed.
 */
import { randomBytes } from "node:crypto";
import type { BaseWallet } from "ethers";
import { accountKeyOf } from "../../node/adapters/keys/account-key.ts";
import type { DatasetOffer } from "../../node/data-sharing/discover.ts";
import type { QuestionReply } from "../../node/data-sharing/log-outcome.ts";
import { algorithmHash } from "../../node/data-sharing/manifests/algorithm-manifest.ts";
import { ProofKey } from "../../node/data-sharing/proof-key.ts";
import type { Question } from "../../node/data-sharing/querier.ts";
import {
  type QuestionRequest,
  requestStruct,
  type SignedRequest,
} from "../../node/data-sharing/question-request.ts";
import { type EntryStatus, entryStatusSchema } from "../../node/data-sharing/receipt.ts";
import { transcriptHash } from "../../node/data-sharing/transcript.ts";
import { entryLeaf, transcriptStruct } from "../../node/ledger/audit-entry.ts";
import type { Deployment } from "../../node/ledger/deployment.ts";
import { canonicalJson } from "../../node/primitives/canonical-json.ts";
import { type Hex, toHex } from "../../node/primitives/hex.ts";
import { call, type RawAnswer } from "./https-call.ts";

const json = { "content-type": "application/json" };
const persistMsMax = 90_000;

export class WireQuestion {
  readonly signed: SignedRequest;
  readonly key: ProofKey;
  readonly #offer: DatasetOffer;
  readonly #deployment: Deployment;
  readonly #account: BaseWallet;
  /** Set once it was acknowledged; a later answer with other bytes fails. */
  authorised: string | undefined;
  answered: string | undefined;

  private constructor(
    signed: SignedRequest,
    key: ProofKey,
    offer: DatasetOffer,
    deployment: Deployment,
    account: BaseWallet,
  ) {
    this.signed = signed;
    this.key = key;
    this.#offer = offer;
    this.#deployment = deployment;
    this.#account = account;
  }

  static async make(
    { algorithm, parameters, purpose }: Question,
    offer: DatasetOffer,
    deployment: Deployment,
    account: BaseWallet,
    over: Partial<QuestionRequest> = {},
  ): Promise<WireQuestion> {
    const key = await ProofKey.create();
    const { signer } = accountKeyOf(account);
    const request: QuestionRequest = {
      question: toHex(randomBytes(32)),
      querier: signer.address,
      repository: offer.repository,
      dataset: offer.dataset,
      algorithm: algorithmHash(algorithm),
      parameters,
      purpose,
      keyThumbprint: key.thumbprint,
      expiresS: Math.floor(Date.now() / 1000) + 300,
      ...over,
    };
    const signature = await signer.sign(requestStruct(deployment, request));
    return new WireQuestion({ request, signature }, key, offer, deployment, account);
  }

  get id(): Hex {
    return this.signed.request.question;
  }

  get token(): string {
    return JSON.parse(this.authorised!).token as string;
  }

  get reply(): QuestionReply {
    return JSON.parse(this.answered!) as QuestionReply;
  }

  async proof(path: "authorisations" | "answers", token?: string): Promise<string> {
    const url = `${this.#offer.peer.endpoint}/v1/data-sharing/${path}`;
    return await this.key.prove("POST", url, Date.now(), randomBytes(16).toString("hex"), token);
  }

  /** Once; a reply or an error of the network. */
  async authoriseOnce(proof?: string): Promise<RawAnswer> {
    const dpop = proof ?? (await this.proof("authorisations"));
    const body = canonicalJson(this.signed);
    const reply = await this.#post("authorisations", { ...json, dpop }, body);
    if (reply.status === 200) this.authorised = same(this.authorised, reply.text, "authorisation");
    const refusal = loggedRefusal(reply);
    if (refusal !== undefined) this.answered = same(this.answered, refusal, "refusal");
    return reply;
  }

  async answerOnce(over: { token?: string; proof?: string } = {}): Promise<RawAnswer> {
    const token = over.token ?? this.token;
    const dpop = over.proof ?? (await this.proof("answers", token));
    const reply = await this.#post("answers", { authorization: `DPoP ${token}`, dpop });
    const document = reply.status === 200 ? reply.text : loggedRefusal(reply);
    if (document !== undefined) this.answered = same(this.answered, document, "answer");
    return reply;
  }

  async countersignOnce(): Promise<RawAnswer> {
    const hash = transcriptHash(this.reply.transcript);
    const { signer } = accountKeyOf(this.#account);
    const signature = await signer.sign(transcriptStruct(this.#deployment, hash));
    return await this.#post(`questions/${this.id}/countersignature`, json, JSON.stringify({ signature }));
  }

  /** From request to countersignature, through whatever happens. Again and again: nothing may change. */
  async askPersistently(): Promise<void> {
    await persist(async () => {
      const { status, json: problem } = await this.authoriseOnce();
      return status === 200 || problem?.reply !== undefined;
    }, "the question is authorised, or refused");
    if (this.authorised !== undefined) {
      await persist(async () => {
        const { status, json: problem } = await this.answerOnce();
        return status === 200 || problem?.reply !== undefined;
      }, "the question is answered");
    }
    await persist(async () => {
      const { status, json: problem } = await this.countersignOnce();
      // The batch may have been closed without it: then it stands as never signed.
      return status === 200 || problem?.code === "entry_closed";
    }, "the answer is countersigned");
  }

  async entry(): Promise<EntryStatus> {
    const { text } = await call(this.#offer.peer.endpoint, `GET /v1/data-sharing/questions/${this.id}/entry`);
    return entryStatusSchema.parse(JSON.parse(text));
  }

  /** The leaf under which the question stands in its batch. */
  leaf({ querierSignature }: EntryStatus): Hex {
    const { transcript, repositorySignature } = this.reply;
    return toHex(
      entryLeaf({ transcript: transcriptHash(transcript), repositorySignature, querierSignature }),
    );
  }

  async #post(path: string, headers: Record<string, string>, body?: string): Promise<RawAnswer> {
    const what = `POST /v1/data-sharing/${path}`;
    return await call(this.#offer.peer.endpoint, what, { headers, ...(body === undefined ? {} : { body }) });
  }
}

/** Tries until it works, through dead processes and nodes that are not ready. */
export async function persist(attempt: () => Promise<boolean>, what: string): Promise<void> {
  const deadlineMs = Date.now() + persistMsMax;
  let last = "";
  while (Date.now() < deadlineMs) {
    try {
      if (await attempt()) return;
    } catch (error) {
      if (error instanceof ChangedReply) throw error;
      last = String(error);
    }
    await new Promise((resolve) => setTimeout(resolve, 30 + Math.random() * 70));
  }
  throw new Error(`not in time: ${what} ${last}`);
}

/** The one thing that must never happen. */
class ChangedReply extends Error {}

function same(known: string | undefined, text: string, what: string): string {
  if (known !== undefined && known !== text) throw new ChangedReply(`the ${what} came back with other bytes`);
  return text;
}

function loggedRefusal({ json: problem }: RawAnswer): string | undefined {
  return problem?.reply === undefined ? undefined : canonicalJson(problem.reply);
}
