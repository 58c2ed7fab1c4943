/**
 * Routes of a repository for people: consent receipts, and their place in the anchored log. What is answered depends on the receipt and its
 * signer's own enrolment alone, so that nobody learns about anybody else.
 */
import { z } from "zod";
import { acknowledgementSchema } from "../data-sharing/consent/acknowledgement.ts";
import type { ConsentDesk } from "../data-sharing/consent/consent-desk.ts";
import { signedConsentSchema } from "../data-sharing/consent/consent-receipt.ts";
import { type EntryStatus, entryStatusSchema } from "../data-sharing/receipt.ts";
import { TrustedDataError } from "../errors.ts";
import { hash32Schema } from "../ledger/audit-entry.ts";
import type { Hex } from "../primitives/hex.ts";
import { json, jsonReply, jsonResponse, type Route, route } from "./route.ts";

export interface ConsentApi {
  desk: Pick<ConsentDesk, "take">;
  entryStatus: (transcript: Hex) => EntryStatus | undefined;
}

/** Of one client address; as for entries of questions. */
const entriesPerMinute = 600;

export function consentRoutes({ desk, entryStatus }: ConsentApi): Route[] {
  return [
    route("data-sharing", "POST /v1/data-sharing/consents", "Give or withdraw consent", {
      body: { schema: signedConsentSchema.meta({ id: "SignedConsent" }) },
      isCostly: true,
      responses: {
        200: jsonResponse(
          "Taken, and in force; the same receipt again gets the same bytes.",
          acknowledgementSchema.meta({ id: "ConsentAcknowledgement" }),
        ),
        403: jsonResponse("The key is enrolled for nobody, or the dataset is not used for the purpose."),
        409: jsonResponse("Something newer was said, or the dataset is declared otherwise by now."),
      },
      handle: async ({ body }) => ({ status: 200, mediaType: json, body: await desk.take(body) }),
    }),
    route(
      "data-sharing",
      "GET /v1/data-sharing/consents/:receipt/entry",
      "The log entry of a consent receipt, by its hash, and its anchor",
      {
        path: z.strictObject({ receipt: hash32Schema }),
        requestsPerMinute: entriesPerMinute,
        responses: { 200: jsonResponse("The entry; `anchor` is null while pending.", entryStatusSchema) },
        handle: ({ path }) => {
          const status = entryStatus(path.receipt);
          if (status === undefined) throw new TrustedDataError("entry_unknown", "The log has no such entry.");
          return jsonReply(status);
        },
      },
    ),
  ];
}
