/** Time and metadata on their way to the Secondaries {uptane G5} {uptane I6}. */
import { createHash } from 'node:crypto';
import { Fault } from '@immota/base';
import type { EcuIdentifier, MetadataFile, RepositoryName } from '@immota/uptane';
import { parseDelegatedRoleName, TARGETS_ROLE } from '@immota/uptane';
import { z } from 'zod';
import { bundleName, type MetadataBundle } from '../link/metadata-bundle.ts';
import type { SecondaryInfo, SecondaryLink } from '../link/secondary-link.ts';
import { VehicleFault } from '../vehicle-fault.ts';
import { noteAttack } from './attack-log.ts';
import type { PrimaryContext } from './context.ts';
import { listSecondaries } from './ecu-registry.ts';
import { jsonValue } from './json-value.ts';

/** Which metadata each Secondary has accepted, by digest. */
const DELIVERED = jsonValue(
  'delivered',
  z.array(z.object({ ecu: z.string(), digest: z.string() })),
);

/** Asks each Secondary for its nonce; those that do not answer get no time in this cycle. */
export async function drawTimeNonces(
  context: PrimaryContext,
): Promise<ReadonlyMap<EcuIdentifier, string>> {
  const nonces = new Map<EcuIdentifier, string>();
  await Promise.all(
    context.links.map(async (link) => {
      const nonce = await tried(context, () => link.drawTimeNonce());
      if (nonce !== undefined && /^(?:[0-9a-f]{2}){16,32}$/.test(nonce)) {
        nonces.set(link.ecuIdentifier, nonce);
      }
    }),
  );
  return nonces;
}

/** Hands the attested time to the ECUs whose nonces it answers {uptane I1}. */
export async function distributeTime(
  context: PrimaryContext,
  attestation: Uint8Array,
  nonces: ReadonlyMap<EcuIdentifier, string>,
): Promise<void> {
  const asked = context.links.filter(({ ecuIdentifier }) => nonces.has(ecuIdentifier));
  await Promise.all(asked.map((link) => tried(context, () => link.putTime(attestation))));
}

/**
 * Hands each Secondary what it needs and has not yet {uptane I6}.
 *
 * @returns the refusals, by ECU; the others have it.
 */
export async function distributeMetadata(
  context: PrimaryContext,
): Promise<ReadonlyMap<EcuIdentifier, Fault<string>>> {
  const { state } = context;
  const infos = new Map(listSecondaries(context).map((info) => [info.ecuIdentifier, info]));
  const delivered = new Map(
    (state.values.load(DELIVERED) ?? []).map(({ ecu, digest }) => [ecu, digest]),
  );
  const refusals = new Map<EcuIdentifier, Fault<string>>();
  const deliver = async (link: SecondaryLink): Promise<void> => {
    const info = infos.get(link.ecuIdentifier);
    if (info === undefined) return;
    const bundle = bundleFor(context, info);
    const digest = digestOf(bundle, info);
    if (delivered.get(link.ecuIdentifier) === digest) return;
    try {
      await link.putMetadata(bundle);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      refusals.set(link.ecuIdentifier, error);
      return;
    }
    delivered.set(link.ecuIdentifier, digest);
    const records = [...delivered].map(([ecu, value]) => ({ ecu, digest: value }));
    state.values.save(DELIVERED, records);
  };
  await Promise.all(context.links.map(deliver));
  return refusals;
}

/** Forgets that an ECU has metadata: it may have lost them with a slot, or was replaced. */
export function forgetDelivery({ state }: PrimaryContext, ecu: EcuIdentifier): void {
  const kept = (state.values.load(DELIVERED) ?? []).filter((entry) => entry.ecu !== ecu);
  state.values.save(DELIVERED, kept);
}

/** {uptane I6}: full verification needs all of both repositories, partial the Director's Root and Targets. */
function bundleFor({ state }: PrimaryContext, { verification }: SecondaryInfo): MetadataBundle {
  const bundle = new Map<string, Uint8Array>();
  const repositories: readonly RepositoryName[] =
    verification === 'full' ? ['director', 'image'] : ['director'];
  for (const repository of repositories) {
    for (const [version, bytes] of state.metadata.listRoots(repository)) {
      bundle.set(bundleName(repository, { kind: 'root', version }), bytes);
    }
    for (const { role, bytes } of state.metadata.list(repository)) {
      const file = fileOf(role);
      const isWanted = verification === 'full' || file?.kind === 'targets';
      if (file !== undefined && isWanted) bundle.set(bundleName(repository, file), bytes);
    }
  }
  return bundle;
}

function fileOf(role: string): MetadataFile | undefined {
  switch (role) {
    case 'root':
      return undefined;
    case 'timestamp':
      return { kind: 'timestamp' };
    case 'snapshot':
      return { kind: 'snapshot', version: undefined };
    case 'targets':
      return { kind: 'targets', role: TARGETS_ROLE, version: undefined };
    default:
      return { kind: 'targets', role: parseDelegatedRoleName(role), version: undefined };
  }
}

function digestOf(bundle: MetadataBundle, { identity }: SecondaryInfo): string {
  const hash = createHash('sha256').update(identity.publicKeyDer);
  for (const [name, bytes] of bundle) {
    hash.update(`${name}\n${bytes.length}\n`).update(bytes);
  }
  return hash.digest('hex');
}

/** An ECU that does not answer, or refuses, does not stop the others. */
async function tried<Result>(
  context: PrimaryContext,
  act: () => Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof VehicleFault)) throw error;
    noteAttack(context, error);
    return undefined;
  }
}

/** Finds the link to an ECU. */
export function findLink({ links }: PrimaryContext, ecu: EcuIdentifier): SecondaryLink | undefined {
  return links.find(({ ecuIdentifier }) => ecuIdentifier === ecu);
}
