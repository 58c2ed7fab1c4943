/** Routes of a repository (data-sharing flow, steps 1 to 7). The bytes of a reply are sent as they were stored. */
import { z } from "zod";
import { budgetStatementSchema, type SignedBudget } from "../data-sharing/budget-statement.ts";
import { type SignedCatalogue, signedCatalogueSchema } from "../data-sharing/catalogue.ts";
import type { QuestionReply } from "../data-sharing/log-outcome.ts";
import { planSchema } from "../data-sharing/plan/plan-schema.ts";
import type { WireReply } from "../data-sharing/ports.ts";
import { signedRequestSchema } from "../data-sharing/question-request.ts";
import { type EntryStatus, entryStatusSchema, promiseSchema } from "../data-sharing/receipt.ts";
import { releasedAnswerSchema } from "../data-sharing/release/answer.ts";
import type { Repository } from "../data-sharing/repository.ts";
import { transcriptSchema } from "../data-sharing/transcript.ts";
import { TrustedDataError } from "../errors.ts";
import { hash32Schema, signatureSchema } from "../ledger/audit-entry.ts";
import type { Hex } from "../primitives/hex.ts";
import type { Metrics } from "./metrics.ts";
import { publicError, refusalReply } from "./problem.ts";
import { json, jsonReply, jsonResponse, type Route, type RouteReply, route } from "./route.ts";

export interface RepositoryApi {
  repository: Pick<Repository, "authorise" | "answer" | "countersign" | "transcriptOf">;
  /** Scheme, host and port under which clients reach this node: their proofs are made for it. */
  endpoint: () => string;
  /** Why no question can be taken now; undefined if it can. */
  notReady: () => string | undefined;
  entryStatus: (transcript: Hex) => EntryStatus | undefined;
  catalogue: () => Promise<SignedCatalogue>;
  budget: (dataset: Hex) => Promise<SignedBudget | undefined>;
  metrics: Metrics;
}

const authorisationSchema = z
  .strictObject({
    question: hash32Schema,
    token: z.string(),
    tokenExpiresS: z.int(),
    plan: hash32Schema,
    chargeMicroRho: z.string(),
    spentMicroRho: z.string(),
  })
  .meta({ id: "Authorisation" });

const questionReplySchema = z
  .strictObject({
    transcript: transcriptSchema,
    repositorySignature: signatureSchema,
    promise: promiseSchema,
    plan: planSchema
      .meta({ id: "Plan", description: "The plan, in whole numbers.", override: { type: "object" } })
      .nullable(),
    answer: releasedAnswerSchema.nullable(),
    reason: z.string().nullable(),
  })
  .meta({ id: "QuestionReply" });

const proofHeader = z.string().min(1).max(4_096);
/** Of one client address. An entry may need the tree of its batch built again, which takes up to a second. */
const entriesPerMinute = 600;
const questionPath = z.strictObject({ question: hash32Schema });
const refused = jsonResponse("Refused; `reply` holds the logged refusal, if it is logged.");

export function dataSharingRoutes(api: RepositoryApi): Route[] {
  return [
    route("data-sharing", "POST /v1/data-sharing/authorisations", "Ask whether a question may be asked", {
      headers: z.object({ DPoP: proofHeader }),
      body: { schema: signedRequestSchema },
      isCostly: true,
      responses: { 200: jsonResponse("The question is authorised.", authorisationSchema), 403: refused },
      handle: ({ headers, body }) =>
        counted("authorise", api, async () => {
          const proof = presented(api, "authorisations", headers.DPoP);
          return await api.repository.authorise(body, proof);
        }),
    }),
    route("data-sharing", "POST /v1/data-sharing/answers", "Use the token: get the safe answer", {
      headers: z.object({ DPoP: proofHeader, Authorization: z.string().min(1).max(4_200) }),
      isCostly: true,
      responses: {
        200: jsonResponse("The answer, with what both sides log.", questionReplySchema),
        403: refused,
      },
      handle: ({ headers }) =>
        counted("answer", api, async () => {
          const proof = presented(api, "answers", headers.DPoP);
          return await api.repository.answer(tokenOf(headers.Authorization), proof);
        }),
    }),
    route(
      "data-sharing",
      "POST /v1/data-sharing/questions/:question/countersignature",
      "Sign the transcript too",
      {
        path: questionPath,
        body: { schema: z.strictObject({ signature: signatureSchema }) },
        isCostly: true,
        responses: { 200: jsonResponse("Signed.", z.strictObject({})) },
        handle: ({ path, body }) => {
          api.repository.countersign(path.question, body.signature);
          return jsonReply({});
        },
      },
    ),
    route(
      "data-sharing",
      "GET /v1/data-sharing/questions/:question/entry",
      "The question's log entry and its anchor",
      {
        path: questionPath,
        requestsPerMinute: entriesPerMinute,
        responses: { 200: jsonResponse("The entry; `anchor` is null while pending.", entryStatusSchema) },
        handle: ({ path }) => {
          const status = api.entryStatus(api.repository.transcriptOf(path.question));
          if (status === undefined) throw new TrustedDataError("entry_unknown", "The log has no such entry.");
          return jsonReply(status);
        },
      },
    ),
    route("data-sharing", "GET /v1/data-sharing/catalogue", "The signed catalogue of this repository", {
      responses: { 200: jsonResponse("The catalogue.", signedCatalogueSchema) },
      handle: async () => jsonReply(await api.catalogue()),
    }),
    route(
      "data-sharing",
      "GET /v1/data-sharing/datasets/:dataset/budget",
      "What is left of a dataset's budget",
      {
        path: z.strictObject({ dataset: hash32Schema }),
        responses: { 200: jsonResponse("The signed statement.", budgetStatementSchema) },
        handle: async ({ path }) => {
          const budget = await api.budget(path.dataset);
          if (budget === undefined)
            throw new TrustedDataError("dataset_unknown", "This repository offers no such dataset.");
          return jsonReply(budget);
        },
      },
    ),
  ];
}

/** Whatever becomes of it, a question is counted once a step. */
async function counted(
  step: "authorise" | "answer",
  { notReady, metrics }: RepositoryApi,
  ask: () => Promise<WireReply>,
): Promise<RouteReply> {
  try {
    const reason = notReady();
    if (reason !== undefined) throw new TrustedDataError("not_ready", reason);
    const { outcome, body } = await ask();
    if (outcome !== "refused") {
      metrics.countQuestion(step, outcome);
      return { status: 200, mediaType: json, body };
    }
    const document = JSON.parse(body) as QuestionReply;
    const code = document.transcript.refusal ?? "internal";
    metrics.countQuestion(step, outcome, code);
    return refusalReply(code, document.reason ?? "The question is refused.", document);
  } catch (error) {
    metrics.countQuestion(step, "failed", publicError(error).code);
    throw error;
  }
}

function presented({ endpoint }: RepositoryApi, path: string, proof: string) {
  return { proof, method: "POST", url: `${endpoint()}/v1/data-sharing/${path}` };
}

function tokenOf(authorization: string): string {
  const token = /^DPoP ([A-Za-z0-9_.-]+)$/i.exec(authorization)?.[1];
  if (token !== undefined) return token;
  throw new TrustedDataError("token_invalid", "Send the token as `Authorization: DPoP <token>`.");
}
