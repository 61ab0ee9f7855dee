/**
 * Writes vectors of our own in the form of the published ones: two repositories a step, right at
 * first, then bent in one place. Made apart from our own encoders, as that generator is.
 */
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, type KeyObject, sign, constants } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export type Json = null | boolean | number | string | Json[] | Members;
export type Members = { [name: string]: Json };

const LATE = '2038-01-19T03:14:06Z';
export const PAST = '2017-01-01T00:00:00Z';
export const ECU = 'test_primary_ecu_serial';
export const HARDWARE = 'test_primary_hardware_id';
export const IMAGE = 'file.txt';
export const CONTENT = 'wat wat wat';

/** A file before it is signed: by which of the ten keys. */
export interface Draft {
  signed: Members;
  signers: number[];
}

/** One repository in one step, before anything is signed. */
export interface Repository {
  readonly roots: Map<number, Draft>;
  readonly targets: Draft;
  readonly snapshot: Draft | undefined;
  readonly timestamp: Draft | undefined;
  readonly delegations: Map<string, Draft>;
  readonly images: Map<string, string>;
  /** Whether Snapshot states the hash and length of Targets too. */
  statesHashes: boolean;
  /** Bends Snapshot after it was told the versions of all Targets files. */
  bendSnapshot: (meta: Members) => void;
  /** Bends what Timestamp says of Snapshot. */
  bendTimestamp: (info: Members) => void;
  /** Files that are not served after all. */
  readonly unserved: Set<string>;
}

/** How a vector's files are spelled. */
export interface Spelling {
  readonly keyType: 'ed25519' | 'rsa';
  readonly encoding: 'base64' | 'hex';
  readonly pretty: boolean;
}

export const PLAIN: Spelling = { keyType: 'ed25519', encoding: 'base64', pretty: false };

interface Key {
  readonly object: Members;
  readonly privateKey: KeyObject;
}

const pool = new Map<string, Key>();

function keyAt(index: number, keyType: Spelling['keyType'] = 'ed25519'): Key {
  const name = `${keyType}-${index}`;
  const known = pool.get(name);
  if (known !== undefined) return known;
  const pair =
    keyType === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ed25519');
  const text =
    keyType === 'rsa'
      ? pair.publicKey.export({ type: 'spki', format: 'pem' })
      : pair.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('hex');
  const made = {
    object: { keytype: keyType, keyval: { public: text } },
    privateKey: pair.privateKey,
  };
  pool.set(name, made);
  return made;
}

/** The identifier of a key, which stands for the key itself until a file is written. */
function idOf(index: number): string {
  return `key-${index}`;
}

/** A key as Root or a delegating file lists it; spelled when the file is written. */
export function listed(...indices: number[]): Members {
  return Object.fromEntries(indices.map((index) => [idOf(index), { index }]));
}

/** A role's keys and threshold. */
export function role(...indices: number[]): Members {
  return { keyids: indices.map(idOf), threshold: indices.length };
}

/** Hashes of an image; `wrong` are those of nothing. */
export function hashesOf(content: string, wrong = false): Members {
  const digest = (name: string): string => createHash(name).update(content).digest('hex');
  if (!wrong) return { sha256: digest('sha256'), sha512: digest('sha512') };
  return { sha256: '0'.repeat(64), sha512: '0'.repeat(128) };
}

/** The Director of one step, all right. */
export function makeDirector(): Repository {
  return makeRepository(4, [5], undefined, {
    [IMAGE]: {
      length: CONTENT.length,
      hashes: hashesOf(CONTENT),
      custom: { ecuIdentifiers: { [ECU]: { hardwareId: HARDWARE } } },
    },
  });
}

/** The Image repository of one step, all right. */
export function makeImage(): Repository {
  return makeRepository(0, [1], [2, 3], {
    [IMAGE]: {
      length: CONTENT.length,
      hashes: hashesOf(CONTENT),
      custom: { hardwareIds: [HARDWARE] },
    },
  });
}

/** A Director with Timestamp and Snapshot, all right. */
export function makeDirectorOfFourRoles(): Repository {
  const plain = makeDirector();
  const { signed } = plain.targets;
  return makeRepository(4, [5], [8, 9], signed['targets'] as Members);
}

function makeRepository(
  rootKey: number,
  targetsKeys: number[],
  others: [snapshot: number, timestamp: number] | undefined,
  targets: Members,
): Repository {
  const head = { expires: LATE, version: 1 };
  const [snapshot, timestamp] = others ?? [];
  const roles: Members = { root: role(rootKey), targets: role(...targetsKeys) };
  if (snapshot !== undefined) roles['snapshot'] = role(snapshot);
  if (timestamp !== undefined) roles['timestamp'] = role(timestamp);
  const keys = listed(rootKey, ...targetsKeys, ...(others ?? []));
  const root = { _type: 'Root', ...head, consistent_snapshot: false, keys, roles };
  return {
    roots: new Map([[1, { signed: root, signers: [rootKey] }]]),
    targets: { signed: { _type: 'Targets', ...head, targets }, signers: targetsKeys },
    snapshot:
      snapshot === undefined
        ? undefined
        : { signed: { _type: 'Snapshot', ...head, meta: {} }, signers: [snapshot] },
    timestamp:
      timestamp === undefined
        ? undefined
        : { signed: { _type: 'Timestamp', ...head, meta: {} }, signers: [timestamp] },
    delegations: new Map(),
    images: new Map([[IMAGE, CONTENT]]),
    statesHashes: false,
    bendSnapshot: () => undefined,
    bendTimestamp: () => undefined,
    unserved: new Set(),
  };
}

/** The first Root. */
export function rootOf(repository: Repository): Members {
  return repository.roots.get(1)?.signed ?? {};
}

/** A role as the first Root lists it. */
export function roleOf(repository: Repository, name: string): Members {
  return (rootOf(repository)['roles'] as Members)[name] as Members;
}

/** The entry of the one image. */
export function targetOf(draft: Draft): Members {
  return (draft.signed['targets'] as Members)[IMAGE] as Members;
}

/** A role of a repository, to be bent. */
export function draftOf(repository: Repository, name: string): Draft {
  const draft =
    name === 'root'
      ? repository.roots.get(1)
      : {
          targets: repository.targets,
          snapshot: repository.snapshot,
          timestamp: repository.timestamp,
        }[name];
  assert(draft !== undefined);
  return draft;
}

/** Moves the images of an Image repository into a delegated role. */
export function delegateAll(image: Repository, name = 'foo', keys: number[] = [6]): Draft {
  const { signed } = image.targets;
  const delegated = {
    signed: { _type: 'Targets', expires: LATE, version: 1, targets: signed['targets'] ?? {} },
    signers: keys,
  };
  signed['targets'] = {};
  signed['delegations'] = {
    keys: listed(...keys),
    roles: [{ name, paths: [IMAGE], terminating: false, ...role(...keys) }],
  };
  image.delegations.set(name, delegated);
  return delegated;
}

/** The one delegation that {@link delegateAll} made. */
export function delegation(image: Repository): Members {
  const delegations = image.targets.signed['delegations'] as Members;
  return (delegations['roles'] as Members[])[0] ?? {};
}

/** Signs and writes one repository of one step. */
export function writeRepository(folder: string, repository: Repository, spelling: Spelling): void {
  const { snapshot, timestamp, delegations } = repository;
  const files = new Map<string, string>();
  for (const [version, root] of repository.roots)
    files.set(`${version}.root.json`, seal(root, spelling));
  files.set('targets.json', seal(repository.targets, spelling));
  for (const [name, draft] of delegations) {
    files.set(`delegations/${name}.json`, seal(draft, spelling));
  }
  if (snapshot !== undefined) {
    const meta: Members = {
      'targets.json': { version: repository.targets.signed['version'] ?? 0 },
    };
    for (const [name, { signed }] of delegations) {
      meta[`${name}.json`] = { version: signed['version'] ?? 0 };
    }
    if (repository.statesHashes) {
      const text = canonical(JSON.parse(files.get('targets.json') ?? '') as Json);
      Object.assign(meta['targets.json'] as Members, {
        length: text.length,
        hashes: hashesOf(text),
      });
    }
    repository.bendSnapshot(meta);
    snapshot.signed['meta'] = meta;
    files.set('snapshot.json', seal(snapshot, spelling));
  }
  if (snapshot !== undefined && timestamp !== undefined) {
    const served = files.get('snapshot.json') ?? '';
    const info: Members = {
      version: snapshot.signed['version'] ?? 0,
      length: served.length,
      hashes: hashesOf(canonical(JSON.parse(served) as Json)),
    };
    repository.bendTimestamp(info);
    timestamp.signed['meta'] = { 'snapshot.json': info };
    files.set('timestamp.json', seal(timestamp, spelling));
  }
  for (const [name, content] of repository.images) files.set(name, content);
  for (const [name, text] of files) {
    if (repository.unserved.has(name)) continue;
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

function seal(draft: Draft, spelling: Spelling): string {
  const { signed: unspelled, signers } = draft;
  const signed = spell(structuredClone(unspelled), spelling) as Members;
  const payload = Buffer.from(canonical(signed));
  const signatures = signers.map((index) => ({
    keyid: idOf(index),
    method: spelling.keyType === 'rsa' ? 'rsassa-pss-sha256' : 'ed25519',
    sig: signatureOf(keyAt(index, spelling.keyType).privateKey, payload).toString(
      spelling.encoding,
    ),
  }));
  const file: Json = { signatures, signed };
  return spelling.pretty ? `${JSON.stringify(file, undefined, 2)}\n` : canonical(file);
}

/** Puts the keys in where only their indices stood. */
function spell(value: Json, spelling: Spelling): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const keys = value['keys'];
  if (typeof keys === 'object' && keys !== null && !Array.isArray(keys)) {
    value['keys'] = Object.fromEntries(
      Object.entries(keys).map(([id, key]) => [
        id,
        keyAt((key as { index: number }).index, spelling.keyType).object,
      ]),
    );
  }
  const delegations = value['delegations'];
  if (delegations !== undefined) value['delegations'] = spell(delegations, spelling);
  return value;
}

function signatureOf(key: KeyObject, payload: Uint8Array): Buffer {
  if (key.asymmetricKeyType === 'ed25519') return sign(null, payload, key);
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return sign('sha256', payload, { key, padding, saltLength: 32 });
}

/** Sorted members, no spaces, nothing beyond ASCII: these vectors hold no other letters. */
export function canonical(value: Json): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  const names = Object.keys(value).toSorted();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name] ?? null)}`).join()}}`;
}
