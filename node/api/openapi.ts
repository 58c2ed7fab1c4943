/** OpenAPI 3.1, made from the routes themselves. */
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from "zod-openapi";
import { problemMediaType, problemSchema } from "./problem.ts";
import type { Route } from "./route.ts";

export function openApiDocument(routes: readonly Route[]): object {
  const paths: ZodOpenApiPathsObject = {};
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [route.method]: operation(route) };
  }
  const document = createDocument(
    {
      openapi: "3.1.1",
      info: {
        title: "Internet of Trusted Data",
        version: "1",
        description:
          "Ask vetted questions about data that never leaves its custodian; errors are problem details (RFC 9457).",
        license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      },
      paths,
    },
    // A plan is checked by its own code; its outermost schema says that it is an object.
    { allowEmptySchema: { custom: true } },
  );
  return JSON.parse(JSON.stringify(document)) as object;
}

function operation(route: Route): ZodOpenApiOperationObject {
  const { pathParameters, query, headers, body } = route;
  const responses: ZodOpenApiOperationObject["responses"] = {
    default: {
      description: "What went wrong.",
      content: { [problemMediaType]: { schema: problemSchema } },
    },
  };
  for (const [status, { description, mediaType, schema }] of Object.entries(route.responses)) {
    const content =
      schema === undefined ? { [problemMediaType]: { schema: problemSchema } } : { [mediaType]: { schema } };
    responses[status as `${1 | 2 | 3 | 4 | 5}${string}`] = { description, content };
  }
  return {
    operationId: operationId(route),
    tags: [route.tag],
    summary: route.summary,
    requestParams: {
      ...(pathParameters === undefined ? {} : { path: pathParameters }),
      ...(query === undefined ? {} : { query }),
      ...(headers === undefined ? {} : { header: headers }),
    },
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: Object.fromEntries(body.mediaTypes.map((type) => [type, { schema: body.schema }])),
          },
        }),
    responses,
  };
}

/** `POST /v1/data-sharing/answers` to `postDataSharingAnswers`. */
function operationId({ method, path }: Route): string {
  const words = path.replace("/v1/", "/").match(/[A-Za-z]+/g) ?? [];
  return method + words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join("");
}
