/**
 * What the cloud was told and has acknowledged, written down outside of it: the measure of whether an
 * accepted manifest was lost.
 */
import { createHash } from 'node:crypto';
import { isJsonObject, type JsonObject, type JsonValue, member, parseJson } from '@immota/base';
import { type CloudSchema, verifyStream } from '@immota/cloud';
import type { Database } from '@immota/store';
import type { DoorRequest } from './door.ts';

const MANIFEST_MAX_BYTES = 2_097_152;

interface Manifest {
  readonly sha256: string;
  readonly counter: number;
  /** ECU to image. */
  readonly images: ReadonlyMap<string, string>;
}

interface Account {
  /** In the order of their acknowledgements. */
  readonly acknowledged: Manifest[];
  /** The SHA-256 of all that was ever sent, acknowledged or not. */
  readonly sent: Set<string>;
}

/** See the head of the file. */
export class Ledger {
  readonly #accounts = new Map<string, Account>();

  /** A manifest is on its way into the cloud, as its sender or an echo sends it. */
  manifestSent(vehicleId: string, { path, body }: DoorRequest): void {
    if (path === '/director/manifest' && body !== undefined) {
      this.#account(vehicleId).sent.add(digestOf(body));
    }
  }

  /** The cloud said that it has a manifest. */
  manifestAnswered(vehicleId: string, { path, body }: DoorRequest): void {
    if (path !== '/director/manifest' || body === undefined) return;
    this.#account(vehicleId).acknowledged.push(readManifest(body));
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
    const account = { acknowledged: [], sent: new Set<string>() };
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

/** The event log tells of every image that an acknowledged manifest has reported. */
async function findForgotten(
  database: Database<CloudSchema>,
  vehicleId: string,
  acknowledged: readonly Manifest[],
): Promise<readonly string[]> {
  const logged = new Set<string>();
  const refused = new Set<string>();
  await verifyStream(database, vehicleId, ({ kind, body }) => {
    // What an ECU says that is not registered yet is refused by itself, on record, and said again later.
    if (kind === 'report.refused') refused.add(textIn(body, 'ecu'));
    if (kind === 'ecu.installed') logged.add(`${textIn(body, 'ecu')} ${textIn(body, 'image')}`);
  });
  const reported = new Set(
    acknowledged.flatMap(({ images }) =>
      [...images].filter(([ecu]) => !refused.has(ecu)).map(([ecu, image]) => `${ecu} ${image}`),
    ),
  );
  return [...reported.difference(logged)].map(
    (missing) => `${vehicleId}: an acknowledged manifest said "${missing}", the log does not`,
  );
}

function readManifest(body: Uint8Array): Manifest {
  const signed = objectIn(parseJson(body, MANIFEST_MAX_BYTES), 'signed');
  const reports = objectIn(signed, 'ecu_version_manifests');
  const images = new Map<string, string>();
  let counter = 0;
  for (const ecu of Object.keys(reports)) {
    const report = objectIn(objectIn(reports, ecu), 'signed');
    images.set(ecu, textIn(objectIn(report, 'installed_image'), 'filepath'));
    if (ecu === member(signed, 'primary_ecu_serial'))
      counter = Number(member(report, 'report_counter'));
  }
  return { sha256: digestOf(body), counter, images };
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
