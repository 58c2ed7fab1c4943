// biome-ignore-all lint/suspicious/noExplicitAny: the document is looked into as JSON.
import { expect } from "chai";
import { type ConsentApi, consentRoutes } from "../../../node/api/consent.ts";
import { dataSharingRoutes, type RepositoryApi } from "../../../node/api/data-sharing.ts";
import { directoryRoutes } from "../../../node/api/directory.ts";
import { ledgerRoutes } from "../../../node/api/ledger.ts";
import { Metrics } from "../../../node/api/metrics.ts";
import { operationsRoutes } from "../../../node/api/operations.ts";
import type { Route } from "../../../node/api/route.ts";
import type { Directory } from "../../../node/data-sharing/directory.ts";
import type { AuditStore } from "../../../node/ledger/ports.ts";

/** No handler runs but the document's own. */
const unused = {};
const description = { version: "itd-directory/1" as const, directory: `0x${"11".repeat(20)}`, name: "d" };

describe("the OpenAPI document", () => {
  const others = [
    ...dataSharingRoutes(unused as RepositoryApi),
    ...consentRoutes(unused as ConsentApi),
    ...directoryRoutes(unused as Directory, description),
    ...ledgerRoutes(unused as AuditStore),
  ];
  const own = operationsRoutes(
    { notReadyReasons: () => [], metrics: new Metrics(() => undefined), areMetricsPublic: false },
    others,
  );
  const routes: Route[] = [...others, ...own];
  let document: any;
  before(async () => {
    const route = own.find(({ path }) => path === "/openapi.json")!;
    const reply = await route.handle({
      path: undefined,
      query: undefined,
      headers: undefined,
      body: undefined,
    });
    document = JSON.parse(reply.body);
  });

  it("has every route and no other", () => {
    const documented = Object.entries<object>(document.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method} ${path}`),
    );
    const served = routes.map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, "{$1}")}`);
    expect(documented.sort()).to.deep.equal(served.sort());
    expect(new Set(served).size).to.equal(served.length);
  });

  it("has the structure of OpenAPI 3.1", () => {
    expect(document.openapi).to.match(/^3\.1\.\d$/);
    expect(document.info).to.include.keys("title", "version");
    const ids = new Set<string>();
    for (const [path, item] of Object.entries<Record<string, any>>(document.paths)) {
      for (const operation of Object.values(item)) {
        expect(operation, path).to.include.keys("operationId", "summary", "tags", "responses");
        expect(ids.has(operation.operationId), operation.operationId).to.equal(false);
        ids.add(operation.operationId);
        for (const response of Object.values<any>(operation.responses)) {
          expect(response.description).to.be.a("string").with.length.greaterThan(0);
          for (const media of Object.values<any>(response.content)) expect(media.schema).to.be.an("object");
        }
        expect(operation.responses.default.content).to.have.key("application/problem+json");
        const named = (operation.parameters ?? [])
          .filter((p: any) => p.in === "path")
          .map((p: any) => p.name);
        expect(named).to.deep.equal([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
        for (const parameter of operation.parameters ?? []) {
          expect(parameter.schema).to.be.an("object");
          if (parameter.in === "path") expect(parameter.required).to.equal(true);
        }
      }
    }
  });

  it("refers to nothing that is not in it", () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref]) => ref!);
    expect(references.length).to.be.greaterThan(0);
    for (const reference of references) {
      const found = reference
        .replace(/^#\//, "")
        .split("/")
        .reduce<any>((at, part) => at?.[part], document);
      expect(found, reference).to.be.an("object");
    }
  });

  it("says what is required: proofs, tokens and bodies", () => {
    const answers = document.paths["/v1/data-sharing/answers"].post;
    const headers = answers.parameters.filter((p: any) => p.in === "header");
    expect(headers.map((p: any) => [p.name, p.required])).to.have.deep.members([
      ["DPoP", true],
      ["Authorization", true],
    ]);
    expect(answers.requestBody).to.equal(undefined);
    const authorisations = document.paths["/v1/data-sharing/authorisations"].post;
    expect(authorisations.requestBody.required).to.equal(true);
  });
});
