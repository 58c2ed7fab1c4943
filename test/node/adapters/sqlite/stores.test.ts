import { testAuditStore } from "../../../ports/audit-store.ts";
import { testDirectoryStore } from "../../../ports/directory-store.ts";
import { testQuestionStore } from "../../../ports/question-store.ts";
import { SqliteStores } from "./open-stores.ts";

describe("the question store in SQLite", () => testQuestionStore(() => new SqliteStores()));
describe("the audit store in SQLite", () => testAuditStore(() => new SqliteStores()));
describe("the directory store in SQLite", () => testDirectoryStore(() => new SqliteStores()));
