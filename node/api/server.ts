/**
 * The node's HTTPS server: TLS 1.3 or newer, and a bound on everything that a client can make it hold (connections, headers, bodies,
 * replies, time, requests in a minute). Node's own timeouts would hold hundreds of slow connections open for minutes.
 */
import { randomUUID } from "node:crypto";
import { createServer as createHttpsServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import express, { type Express, type NextFunction, type Request, type Response } from "express";
import { rateLimit } from "express-rate-limit";
import type { Logger } from "pino";
import type { z } from "zod";
import { TrustedDataError } from "../errors.ts";
import { isLoopback, limitConnections } from "./client-address.ts";
import { limitAllConnections } from "./connection-room.ts";
import { loggable } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { problemReply, publicError } from "./problem.ts";
import { readBody, requireNoBody } from "./read-body.ts";
import { ReplySender, type SendingLimits } from "./reply-sender.ts";
import type { Route, RouteReply, RouteRequest } from "./route.ts";

export interface ServerOptions {
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** PEM */
  tls: { certificate: string; key: string };
  requestsPerMinute: number;
  questionsPerMinute: number;
  connectionsMax: number;
  /** Of one client address. */
  connectionsPerAddressMax: number;
  sending?: SendingLimits;
  /** Whether a client's address is this machine's own. */
  isLocal?: (address: string | undefined) => boolean;
}

export interface ServerModules {
  routes: readonly Route[];
  log: Logger;
  metrics: Metrics;
}

export interface ListeningServer {
  host: string;
  port: number;
  /** Open ones, also those that do nothing. */
  connectionCount(): Promise<number>;
  /** Takes no more requests; those in flight may end within `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** Headers must be in by then, and the whole request; a slow sender holds a connection no longer. */
const headersTimeoutMs = 5_000;
const requestTimeoutMs = 10_000;
const keepAliveTimeoutMs = 5_000;
const handshakeTimeoutMs = 5_000;
/** How often Node looks for connections that are over their time. */
const checkIntervalMs = 500;
/** A token and a proof take 1.5 KB. */
const headerBytesMax = 16 * 1024;

/** @throws TrustedDataError `port_in_use`, `config_invalid` when certificate and key are not usable together. */
export async function listen(options: ServerOptions, modules: ServerModules): Promise<ListeningServer> {
  const sender = new ReplySender(options.sending);
  const server = createTlsServer(options, createApp(options, modules, sender));
  server.once("close", () => sender.close());
  limitConnections(server, options.connectionsPerAddressMax);
  limitAllConnections(server, options.connectionsMax);
  server.keepAliveTimeout = keepAliveTimeoutMs;
  await started(server, options);
  const { port } = server.address() as AddressInfo;
  return {
    host: options.host,
    port,
    close: (graceMs) => close(server, graceMs),
    connectionCount: () => connectionCount(server),
  };
}

function createTlsServer({ tls }: ServerOptions, app: Express): Server {
  try {
    return createHttpsServer(
      {
        cert: tls.certificate,
        key: tls.key,
        minVersion: "TLSv1.3",
        handshakeTimeout: handshakeTimeoutMs,
        headersTimeout: headersTimeoutMs,
        requestTimeout: requestTimeoutMs,
        connectionsCheckingInterval: checkIntervalMs,
        maxHeaderSize: headerBytesMax,
      },
      app,
    );
  } catch {
    throw new TrustedDataError(
      "config_invalid",
      "The TLS certificate and key are not usable together; make both again.",
      { "tls.certificateFile": "does not fit the key, or is no PEM" },
    );
  }
}

function createApp(options: ServerOptions, modules: ServerModules, sender: ReplySender): Express {
  const isLocal = options.isLocal ?? isLoopback;
  const app = express();
  app
    .disable("x-powered-by")
    .disable("etag")
    .set("query parser", "simple")
    .set("case sensitive routing", true);
  app.set("strict routing", true);
  app.use(observe(modules));
  app.use(limiter(options.requestsPerMinute));
  const costly = limiter(options.questionsPerMinute);
  const methods = new Map<string, string[]>();
  for (const route of modules.routes) {
    methods.set(route.path, [...(methods.get(route.path) ?? []), route.method.toUpperCase()]);
    const handlers = route.isCostly ? [costly] : [];
    if (route.requestsPerMinute !== undefined) handlers.push(limiter(route.requestsPerMinute));
    app[route.method](route.path, ...handlers, async (request: Request, response: Response) => {
      if (route.isLocal && !isLocal(request.socket.remoteAddress)) throw noSuchPath();
      response.locals.route = `${route.method.toUpperCase()} ${route.path}`;
      send(response, await answer(route, request), sender);
    });
  }
  for (const [path, allowed] of methods) {
    app.all(path, (_request, response) => {
      response.setHeader("allow", allowed.join(", "));
      throw new TrustedDataError("method_not_allowed", `This path takes ${allowed.join(" and ")} only.`, {
        allowed: allowed.join(", "),
      });
    });
  }
  app.use(() => {
    throw noSuchPath();
  });
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
    sendProblem(error, request, response, modules.log, sender);
  });
  return app;
}

/** One line in the log and one count for each request; of the URL only the route's pattern. */
function observe({ log, metrics }: ServerModules) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const startedMs = performance.now();
    const requestId = randomUUID();
    response.locals.requestId = requestId;
    response.setHeader("x-request-id", requestId);
    response.setHeader("cache-control", "no-store");
    response.setHeader("x-content-type-options", "nosniff");
    response.once("close", () => {
      const { route = "other", code } = response.locals as { route?: string; code?: string };
      const ms = Math.round(performance.now() - startedMs);
      metrics.observeRequest(route, response.statusCode, ms / 1000);
      const { method } = request;
      log.debug({ requestId, method, route, status: response.statusCode, code, ms }, "request");
    });
    next();
  };
}

function limiter(limit: number) {
  return rateLimit({
    windowMs: 60_000,
    limit,
    standardHeaders: "draft-8",
    legacyHeaders: false,
    validate: false,
    handler: () => {
      throw new TrustedDataError("rate_limited", "Too many requests from this address; wait a minute.", {
        requestsPerMinute: String(limit),
      });
    },
  });
}

async function answer(route: Route, request: Request): Promise<RouteReply> {
  const checked: RouteRequest = {
    path: parse(route.pathParameters, { ...request.params }, "path"),
    query: parse(route.query, { ...request.query }, "query"),
    headers: parse(route.headers, headersOf(route, request), "header"),
    body: undefined,
  };
  if (route.body === undefined) requireNoBody(request);
  else checked.body = parse(route.body.schema, await readBody(request, route.body), "body");
  return await route.handle(checked);
}

function headersOf({ headers }: Route, request: Request): Record<string, string> {
  const names = Object.keys(headers?.shape ?? {});
  const given = names.map((name) => [name, request.headers[name.toLowerCase()]] as const);
  return Object.fromEntries(given.filter((pair): pair is [string, string] => typeof pair[1] === "string"));
}

/** Without a schema nothing is taken over, and an unknown query is no error. */
function parse(schema: z.ZodType | undefined, value: unknown, place: string): unknown {
  if (schema === undefined) return undefined;
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const fields: Record<string, string> = {};
  for (const { path, message, ...issue } of parsed.error.issues.slice(0, 20)) {
    const names = issue.code === "unrecognized_keys" ? issue.keys : [""];
    for (const name of names)
      fields[[place, ...path.map(String), name].filter((part) => part !== "").join(".")] = message;
  }
  const [[where, reason] = [place, "not acceptable"]] = Object.entries(fields);
  throw new TrustedDataError(
    "request_invalid",
    `The request is not acceptable: ${where}: ${reason}.`,
    fields,
  );
}

function noSuchPath(): TrustedDataError {
  return new TrustedDataError("not_found", "There is no such path; /openapi.json lists those that are.");
}

function send(response: Response, { status, mediaType, body }: RouteReply, sender: ReplySender): void {
  response.status(status).setHeader("content-type", mediaType);
  sender.send(response, body);
}

function sendProblem(
  error: unknown,
  request: Request,
  response: Response,
  log: Logger,
  sender: ReplySender,
): void {
  const { requestId } = response.locals as { requestId?: string };
  if (!response.socket || response.socket.destroyed) return;
  // Express and Node throw errors with a status for paths and requests that cannot be read.
  const isUnreadable = error instanceof URIError;
  const told = isUnreadable
    ? new TrustedDataError("request_invalid", "The path is not well-formed.")
    : publicError(error);
  response.locals.code = told.code;
  if (told.status >= 500 && !(error instanceof TrustedDataError && error.code === "not_ready"))
    log.error({ requestId, ...loggable(error) }, "request failed");
  if (response.headersSent) {
    response.socket.destroy();
    return;
  }
  // What is left of an unread body must not be taken for the next request, nor be waited for.
  if (!request.complete) response.setHeader("connection", "close");
  send(response, problemReply(told), sender);
}

async function started(server: Server, { host, port }: ServerOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const isTaken = error.code === "EADDRINUSE";
      const place = `${host} port ${port}`;
      reject(
        isTaken
          ? new TrustedDataError(
              "port_in_use",
              `${place} is taken: stop what listens there, or choose another port.`,
              {
                port: String(port),
              },
            )
          : new TrustedDataError("config_invalid", `Listening on ${place} is not possible (${error.code}).`, {
              "listen.host": String(error.code),
            }),
      );
    });
    server.listen(port, host, resolve);
  });
}

function connectionCount(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
  });
}

async function close(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  await Promise.race([closed, delay(graceMs, undefined, { ref: false })]);
  server.closeAllConnections();
  await closed;
}
