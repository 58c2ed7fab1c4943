/** Routes for whoever runs the node: is it alive, can it answer, how much does it do, what can it be asked. */
import { z } from "zod";
import type { Metrics } from "./metrics.ts";
import { openApiDocument } from "./openapi.ts";
import { jsonReply, jsonResponse, type Route, route } from "./route.ts";

export interface OperationsApi {
  /** What keeps the node from its work, by code; empty when nothing does. */
  notReadyReasons: () => { code: string; reason: string }[];
  metrics: Metrics;
  /** Whether metrics are for everyone, or for this machine's own clients: they show how busy a node is while it answers. */
  areMetricsPublic: boolean;
}

const readySchema = z.strictObject({
  ready: z.boolean(),
  reasons: z.array(z.strictObject({ code: z.string(), reason: z.string() })),
});

/** `others` are all other routes: the document describes them and these. */
export function operationsRoutes(
  { notReadyReasons, metrics, areMetricsPublic }: OperationsApi,
  others: readonly Route[],
): Route[] {
  const routes: Route[] = [
    route("operations", "GET /health", "Whether the process answers", {
      responses: { 200: jsonResponse("It does.", z.strictObject({ status: z.literal("ok") })) },
      handle: () => jsonReply({ status: "ok" }),
    }),
    route("operations", "GET /ready", "Whether the node can do its work, and if not, why", {
      responses: {
        200: jsonResponse("It can.", readySchema),
        503: jsonResponse("It cannot yet.", readySchema),
      },
      handle: () => {
        const reasons = notReadyReasons();
        return jsonReply({ ready: reasons.length === 0, reasons }, reasons.length === 0 ? 200 : 503);
      },
    }),
    route("operations", "GET /metrics", "Counts and durations for Prometheus", {
      isLocal: !areMetricsPublic,
      isCostly: true,
      responses: { 200: { description: "Text format.", mediaType: "text/plain", schema: z.string() } },
      handle: async () => ({ status: 200, mediaType: metrics.mediaType, body: await metrics.text() }),
    }),
    route("operations", "GET /openapi.json", "This description", {
      responses: { 200: jsonResponse("OpenAPI 3.1.", z.looseObject({ openapi: z.string() })) },
      handle: () => jsonReply(document()),
    }),
  ];
  let made: object | undefined;
  const document = () => {
    made ??= openApiDocument([...others, ...routes]);
    return made;
  };
  return routes;
}
