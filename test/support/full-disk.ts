/**
 * Preloaded into a daemon (`--import`): its state file may grow by so many pages more when the parent process says `{"pages": 3}`, as on a
 * disk that is almost full. SQLite fails in the same way as for ENOSPC, at the page where it needs more.
 */
import { DatabaseSync } from "node:sqlite";

let opened: DatabaseSync | undefined;

const exec = DatabaseSync.prototype.exec;
DatabaseSync.prototype.exec = function (sql: string): void {
  exec.call(this, sql);
  if (sql.startsWith("PRAGMA journal_mode") && this.location()?.endsWith("state.sqlite")) opened = this;
};

process.on("message", ({ pages }: { pages?: number }) => {
  if (pages === undefined || opened === undefined) return;
  const { page_count } = opened.prepare("PRAGMA page_count").get() as { page_count: number };
  exec.call(opened, `PRAGMA max_page_count = ${page_count + pages}`);
  process.send!({ pages });
});
