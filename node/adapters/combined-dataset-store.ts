/** The datasets of one custodian, whether imported from files or lying in PostgreSQL, under one set of names and in one catalogue. */
import { catalogueDatasetsMax, catalogueOf } from "../data-sharing/catalogue.ts";
import type { EnrolmentCheck } from "../data-sharing/consent/ports.ts";
import type { DatasetManifest } from "../data-sharing/manifests/dataset-manifest.ts";
import type { DatasetStore, ImportReport } from "../data-sharing/ports.ts";
import { TrustedDataError } from "../errors.ts";
import { canonicalJson } from "../primitives/canonical-json.ts";
import { isDatabaseUrl } from "./postgresql/database-address.ts";
import type { PostgresDatasetStore } from "./postgresql/postgres-dataset-store.ts";

/** Of the canonical catalogue, as the store of files has it: directories take 1 MiB, and titles may still grow by hand. */
const catalogueBytesMax = 768 * 1024;

export class CombinedDatasetStore implements DatasetStore, EnrolmentCheck {
  readonly #files: DatasetStore & EnrolmentCheck;
  readonly #databases: PostgresDatasetStore;

  constructor(modules: { files: DatasetStore & EnrolmentCheck; databases: PostgresDatasetStore }) {
    this.#files = modules.files;
    this.#databases = modules.databases;
  }

  /**
   * @param request The file is a path, or the address of a database.
   * @throws TrustedDataError as the stores do, and `dataset_exists` where the name belongs to a dataset of the other kind.
   */
  async importFile(...request: Parameters<DatasetStore["importFile"]>): Promise<ImportReport> {
    const [file, manifest] = request;
    const isDatabase = isDatabaseUrl(file);
    const { name } = manifest;
    const isOther = isDatabase
      ? this.#files.manifests().some((other) => other.name === name)
      : this.#databases.has(name);
    if (isOther)
      throw new TrustedDataError(
        "dataset_exists",
        `There is a dataset ${name} here already, ${isDatabase ? "imported from a file" : "that lies in a database"}: take another name, or first remove ${name}.json from the node's folder ${isDatabase ? "datasets" : "postgresql"}.`,
        { name },
      );
    this.#requireRoom(manifest);
    return await (isDatabase ? this.#databases : this.#files).importFile(...request);
  }

  async countPeopleMissing(dataset: string, people: ReadonlySet<string>): Promise<number> {
    const store = this.#databases.has(dataset) ? this.#databases : this.#files;
    return await store.countPeopleMissing(dataset, people);
  }

  /** By name. */
  manifests(): DatasetManifest[] {
    const databases = this.#databases.manifests();
    // As questions are routed: a name that is in both means the database.
    const files = this.#files.manifests().filter(({ name }) => !this.#databases.has(name));
    return [...databases, ...files].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #requireRoom(manifest: DatasetManifest): void {
    const others = this.manifests().filter(({ name }) => name !== manifest.name);
    const catalogue = catalogueOf(`0x${"00".repeat(20)}`, "", [...others, manifest]);
    const bytes = Buffer.byteLength(canonicalJson(catalogue));
    if (bytes <= catalogueBytesMax && others.length < catalogueDatasetsMax) return;
    throw new TrustedDataError(
      "catalogue_too_large",
      `With ${manifest.name} the catalogue has ${others.length + 1} datasets and ${bytes} bytes; at most ${catalogueDatasetsMax} and ${catalogueBytesMax} go. Shorten domains and descriptions, or use another node.`,
      { bytes: String(bytes), bytesMax: String(catalogueBytesMax) },
    );
  }
}
