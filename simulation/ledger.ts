/**
 * What the cloud was told and has acknowledged, written down outside of it: the measure of whether an
 * accepted manifest was lost.
 */
import { createHash } from 'node:crypto';
import { isJsonObject, type JsonObject, type JsonValue, member, parseJson } from '@immota/base';
import { type CloudSchema, verifyStream } from '@immota/cloud';
import type { Database } from '@immota/store';
import type { DoorRequest } from './door.ts';
import type { SimulatedTime } from './simulated-time.ts';

const MANIFEST_MAX_BYTES = 2_097_152;

interface Manifest {
  readonly sha256: string;
  /** When it was first sent, and when it was acknowledged: it was taken in at one of these instants. */
  readonly instants: readonly Temporal.Instant[];
  readonly counter: number;
  /** ECU to image. */
  readonly images: ReadonlyMap<string, string>;
}

interface Account {
  /** In the order of their acknowledgements. */
  readonly acknowledged: Manifest[];
  /** The SHA-256 of all that was ever sent, acknowledged or not, and since when. */
  readonly sent: Map<string, Temporal.Instant>;
}

/** See the head of the file. */
export class Ledger {
  readonly #time: Pick<SimulatedTime, 'now'>;
  readonly #accounts = new Map<string, Account>();

  constructor(time: Pick<SimulatedTime, 'now'>) {
    this.#time = time;
  }

  /** A manifest is on its way into the cloud, as its sender or an echo sends it. */
  manifestSent(vehicleId: string, { path, body }: DoorRequest): void {
    if (path !== '/director/manifest' || body === undefined) return;
    const { sent } = this.#account(vehicleId);
    const sha256 = digestOf(body);
    if (!sent.has(sha256)) sent.set(sha256, this.#time.now());
  }

  /** The cloud said that it has a manifest. */
  manifestAnswered(vehicleId: string, { path, body }: DoorRequest): void {
    if (path !== '/director/manifest' || body === undefined) return;
    const { sent, acknowledged } = this.#account(vehicleId);
    const sha256 = digestOf(body);
    if (acknowledged.some((one) => one.sha256 === sha256)) return;
    const now = this.#time.now();
    acknowledged.push({ ...readManifest(body), sha256, instants: [sent.get(sha256) ?? now, now] });
  }

  /** How many manifests were acknowledged. */
  get count(): number {
    return [...this.#accounts.values()].reduce(
      (sum, { acknowledged }) => sum + acknowledged.length,
      0,
    );
  }

  /**
   * Holds the cloud's database against what it has acknowledged.
   *
   * @returns one line for each manifest, or trace of one, that is not there.
   */
  async findLost(database: Database<CloudSchema>): Promise<readonly string[]> {
    const lost: string[] = [];
    for (const [vehicleId, account] of this.#accounts) {
      lost.push(...(await findLostOf(database, vehicleId, account)));
    }
    return lost;
  }

  #account(vehicleId: string): Account {
    const known = this.#accounts.get(vehicleId);
    if (known !== undefined) return known;
    const account = { acknowledged: [], sent: new Map<string, Temporal.Instant>() };
    this.#accounts.set(vehicleId, account);
    return account;
  }
}

async function findLostOf(
  database: Database<CloudSchema>,
  vehicleId: string,
  { acknowledged, sent }: Account,
): Promise<readonly string[]> {
  const newest = acknowledged.toSorted((left, right) => right.counter - left.counter)[0];
  if (newest === undefined) return [];
  const row = await database.kysely
    .selectFrom('vehicle')
    .innerJoin('ecu', (join) =>
      join
        .onRef('ecu.vehicle_id', '=', 'vehicle.vehicle_id')
        .onRef('ecu.ecu_id', '=', 'vehicle.primary_ecu_id'),
    )
    .select(['vehicle.last_manifest_sha256', 'ecu.report_counter'])
    .where('vehicle.vehicle_id', '=', vehicleId)
    .executeTakeFirst();
  const lost: string[] = [];
  const counter = row?.report_counter ?? 0;
  const sha256 = row?.last_manifest_sha256?.toHex() ?? '';
  if (counter < newest.counter) {
    lost.push(`${vehicleId}: manifest ${newest.counter} was acknowledged, ${counter} is stored`);
  }
  // A later one may be there whose acknowledgement died with the cloud; a foreign one may not.
  if (counter === newest.counter && sha256 !== newest.sha256) {
    lost.push(`${vehicleId}: manifest ${counter} is not the one that was acknowledged`);
  }
  if (!sent.has(sha256)) lost.push(`${vehicleId}: the stored manifest was never sent`);
  return [...lost, ...(await findForgotten(database, vehicleId, acknowledged))];
}

/** The event log tells of every image that an acknowledged manifest has reported of an ECU. */
async function findForgotten(
  database: Database<CloudSchema>,
  vehicleId: string,
  acknowledged: readonly Manifest[],
): Promise<readonly string[]> {
  const log: Entry[] = [];
  await verifyStream(database, vehicleId, ({ kind, at, body }) => {
    if (KINDS.has(kind))
      log.push({ kind, at, ecu: textIn(body, 'ecu'), image: textIn(body, 'image') });
  });
  const missing = acknowledged.flatMap(({ images, instants }) =>
    [...images]
      .filter(([ecu, image]) => !instants.some((at) => isTold(log, { ecu, image, at })))
      .map(([ecu, image]) => `${ecu} ${image}`),
  );
  return [...new Set(missing)].map(
    (what) => `${vehicleId}: an acknowledged manifest said "${what}", the log does not`,
  );
}

interface Entry {
  readonly kind: string;
  readonly at: Temporal.Instant;
  readonly ecu: string;
  readonly image: string;
}

/** What the log says of ECUs: from these follows what a report must have left in it. */
const KINDS: ReadonlySet<string> = new Set([
  'ecu.installed',
  'ecu.missing',
  'ecu.replaced',
  'report.refused',
]);

/**
 * Whether the log knew, at an instant, that this very ECU ran an image; or that its report did not count:
 * it was refused, for another's key or for none, and is said again when the ECU was let in.
 */
function isTold(log: readonly Entry[], report: Omit<Entry, 'kind'>): boolean {
  const own = log.filter(
    ({ ecu, at }) => ecu === report.ecu && Temporal.Instant.compare(at, report.at) <= 0,
  );
  const since = own.slice(own.findLastIndex(({ kind }) => kind === 'ecu.replaced') + 1);
  const last = since.at(-1)?.kind;
  return (
    since.some(({ kind, image }) => kind === 'ecu.installed' && image === report.image) ||
    last === 'report.refused' ||
    last === 'ecu.missing'
  );
}

function readManifest(body: Uint8Array): Pick<Manifest, 'counter' | 'images'> {
  const signed = objectIn(parseJson(body, MANIFEST_MAX_BYTES), 'signed');
  const reports = objectIn(signed, 'ecu_version_manifests');
  const images = new Map<string, string>();
  let counter = 0;
  for (const ecu of Object.keys(reports)) {
    const report = objectIn(objectIn(reports, ecu), 'signed');
    // What runs on trial is no installed image yet, and the log does not call it one.
    const isTrial = member(objectIn(report, 'custom'), 'trial') === true;
    if (!isTrial) images.set(ecu, textIn(objectIn(report, 'installed_image'), 'filepath'));
    if (ecu === member(signed, 'primary_ecu_serial'))
      counter = Number(member(report, 'report_counter'));
  }
  return { counter, images };
}

function objectIn(value: JsonValue | undefined, name: string): JsonObject {
  const found = isJsonObject(value) ? member(value, name) : undefined;
  return isJsonObject(found) ? found : {};
}

function textIn(object: JsonObject, name: string): string {
  const found = member(object, name);
  return typeof found === 'string' ? found : '';
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
