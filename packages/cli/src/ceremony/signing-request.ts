/**
 * A signing request: what several people on several machines are to sign, as one file that travels
 * to them. Each sends back a file of signatures; whoever asked puts them together. Private keys move
 * nowhere, and a signature is checked when it comes in, not when it is too late.
 */
import { createHash } from 'node:crypto';
import {
  type JsonObject,
  type JsonValue,
  isJsonObject,
  member,
  parseJson,
  SIGNATURE_ALGORITHMS,
  type SignatureAlgorithm,
  type Signer,
  utf8,
} from '@immota/base';
import {
  addSignature,
  AKTUALIZR,
  decodeEnvelope,
  type Dialect,
  encodeEnvelope,
  keyIdOf,
  limits,
  makeSignature,
  parseKeyId,
  publicKeyFromDer,
  TUF,
} from '@immota/uptane';
import { CliFault } from '../fault.ts';

/** A request may hold Targets files of 16 MiB in both dialects. */
const REQUEST_MAX_BYTES = 64 * 1024 * 1024;
const DIALECTS: ReadonlyMap<string, Dialect> = new Map([
  [AKTUALIZR.name, AKTUALIZR],
  [TUF.name, TUF],
]);

/** One file that is to be signed. */
export interface RequestedFile {
  readonly dialect: Dialect;
  /** `root`, `targets`, a delegated role, or `release`. */
  readonly role: string;
  readonly version: number;
  /** The file with the signatures gathered so far. */
  readonly bytes: Uint8Array;
}

/** What is to be signed. */
export interface SigningRequest {
  readonly repository: 'director' | 'image';
  readonly files: readonly RequestedFile[];
}

/** One signature that came back. */
export interface GivenSignature {
  readonly dialect: Dialect;
  readonly role: string;
  readonly version: number;
  readonly algorithm: SignatureAlgorithm;
  readonly publicKeyDer: Uint8Array;
  readonly bytes: Uint8Array;
}

/** Makes an unsigned file out of a payload, to be put into a request. */
export function unsignedFile(dialect: Dialect, role: string, signed: JsonObject): RequestedFile {
  const version = member(signed, 'version');
  return {
    dialect,
    role,
    version: typeof version === 'number' ? version : 1,
    bytes: encodeEnvelope(dialect, signed, []),
  };
}

/** Writes a request as JSON that people can read. */
export function encodeRequest({ repository, files }: SigningRequest): Uint8Array<ArrayBuffer> {
  return encodeJson({
    _type: 'SigningRequest',
    repository,
    files: files.map(({ dialect, role, version, bytes }) => ({
      dialect: dialect.name,
      role,
      version,
      file: parseJson(bytes, limits.TARGETS_MAX_BYTES),
    })),
  });
}

/**
 * Reads a request.
 *
 * @throws CliFault USAGE when it is none.
 */
export function parseRequest(bytes: Uint8Array): SigningRequest {
  const document = readDocument(bytes, 'SigningRequest');
  const repository = member(document, 'repository');
  if (repository !== 'director' && repository !== 'image') {
    throw new CliFault('USAGE', 'Cannot read signing request: it is for no repository');
  }
  return {
    repository,
    files: readList(document, 'files').map((item) => {
      const { dialect, role, version } = readPlace(item);
      const file = member(item, 'file');
      if (!isJsonObject(file)) {
        throw new CliFault('USAGE', 'Cannot read signing request: a file is missing');
      }
      return { dialect, role, version, bytes: encodeJsonCompact(file) };
    }),
  };
}

/**
 * Signs everything that is requested.
 *
 * @param signer - one person's key.
 */
export async function signRequest(
  request: SigningRequest,
  signer: Signer,
): Promise<readonly GivenSignature[]> {
  return await Promise.all(
    request.files.map(async ({ dialect, role, version, bytes }) => {
      const { signed } = decodeEnvelope(dialect, bytes, limits.TARGETS_MAX_BYTES);
      const { bytes: signature } = await makeSignature(dialect, signed, signer);
      const { algorithm, publicKeyDer } = signer;
      return { dialect, role, version, algorithm, publicKeyDer, bytes: signature };
    }),
  );
}

/** Writes signatures to be sent back. */
export function encodeSignatures(signatures: readonly GivenSignature[]): Uint8Array<ArrayBuffer> {
  return encodeJson({
    _type: 'Signatures',
    signatures: signatures.map((given) => ({
      dialect: given.dialect.name,
      role: given.role,
      version: given.version,
      algorithm: given.algorithm,
      publicKey: Buffer.from(given.publicKeyDer).toString('base64'),
      signature: Buffer.from(given.bytes).toString('base64'),
    })),
  });
}

/** Reads signatures. @throws CliFault USAGE when they are none. */
export function parseSignatures(bytes: Uint8Array): readonly GivenSignature[] {
  return readList(readDocument(bytes, 'Signatures'), 'signatures').map((item) => ({
    ...readPlace(item),
    algorithm: readAlgorithm(item),
    publicKeyDer: readBase64(item, 'publicKey'),
    bytes: readBase64(item, 'signature'),
  }));
}

/**
 * Adds signatures to the files of a request.
 *
 * @throws UptaneFault SIGNATURE_THRESHOLD when one does not verify: nothing is added then.
 * @throws CliFault USAGE when one is for a file that was not requested.
 */
export function importSignatures(
  request: SigningRequest,
  signatures: readonly GivenSignature[],
): SigningRequest {
  const files = [...request.files];
  for (const given of signatures) {
    const at = files.findIndex(
      ({ dialect, role, version }) =>
        dialect === given.dialect && role === given.role && version === given.version,
    );
    const file = files[at];
    if (file === undefined) {
      throw new CliFault('USAGE', `Cannot add signature: "${given.role}" was not requested`);
    }
    const key = publicKeyFromDer(given.algorithm, given.publicKeyDer);
    const signature = {
      keyId: keyIdOf(given.dialect, given.algorithm, given.publicKeyDer),
      method: given.dialect.methodOf(given.algorithm),
      bytes: given.bytes,
    };
    const source = { bytes: file.bytes, lengthMaxBytes: limits.TARGETS_MAX_BYTES };
    files[at] = { ...file, bytes: addSignature(file.dialect, source, { signature, key }) };
  }
  return { ...request, files };
}

/** A public key as people send it to each other. */
export interface PublicKeyCard {
  readonly name: string;
  readonly algorithm: SignatureAlgorithm;
  readonly publicKeyDer: Uint8Array;
}

/** Writes a public key to be handed to others. */
export function encodePublicKey(card: PublicKeyCard): Uint8Array<ArrayBuffer> {
  return encodeJson({
    _type: 'PublicKey',
    name: card.name,
    algorithm: card.algorithm,
    publicKey: Buffer.from(card.publicKeyDer).toString('base64'),
    fingerprint: createHash('sha256').update(card.publicKeyDer).digest('hex'),
  });
}

/** Reads a public key. @throws CliFault USAGE when it is none, or its fingerprint is another's. */
export function parsePublicKey(bytes: Uint8Array): PublicKeyCard {
  const document = readDocument(bytes, 'PublicKey');
  const publicKeyDer = readBase64(document, 'publicKey');
  const fingerprint = createHash('sha256').update(publicKeyDer).digest('hex');
  if (member(document, 'fingerprint') !== fingerprint) {
    throw new CliFault('USAGE', 'Cannot use public key: its fingerprint does not fit');
  }
  const name = member(document, 'name');
  return {
    name: typeof name === 'string' ? parseKeyId(name) : fingerprint.slice(0, 16),
    algorithm: readAlgorithm(document),
    publicKeyDer,
  };
}

function readDocument(bytes: Uint8Array, type: string): JsonObject {
  const document = parseJson(bytes, REQUEST_MAX_BYTES);
  if (!isJsonObject(document) || member(document, '_type') !== type) {
    throw new CliFault('USAGE', `Cannot read file: it is no ${type}`);
  }
  return document;
}

function readList(document: JsonObject, name: string): readonly JsonObject[] {
  const list = member(document, name);
  if (!Array.isArray(list) || !list.every((item: JsonValue) => isJsonObject(item))) {
    throw new CliFault('USAGE', `Cannot read file: "${name}" is no list of objects`);
  }
  return list;
}

function readPlace(item: JsonObject): {
  readonly dialect: Dialect;
  readonly role: string;
  readonly version: number;
} {
  const spelled = member(item, 'dialect');
  const dialect = typeof spelled === 'string' ? DIALECTS.get(spelled) : undefined;
  const role = member(item, 'role');
  const version = member(item, 'version');
  if (dialect === undefined || typeof role !== 'string' || typeof version !== 'number') {
    throw new CliFault('USAGE', 'Cannot read file: dialect, role or version is missing');
  }
  return { dialect, role, version };
}

function readAlgorithm(item: JsonObject): SignatureAlgorithm {
  const name = member(item, 'algorithm');
  const algorithm = SIGNATURE_ALGORITHMS.find((known) => known === name);
  if (algorithm === undefined) throw new CliFault('USAGE', 'Cannot read file: unknown algorithm');
  return algorithm;
}

function readBase64(item: JsonObject, name: string): Uint8Array {
  const text = member(item, name);
  try {
    return Uint8Array.fromBase64(typeof text === 'string' ? text : '?');
  } catch (error) {
    throw new CliFault('USAGE', `Cannot read file: "${name}" is no base64`, { cause: error });
  }
}

function encodeJson(value: JsonValue): Uint8Array<ArrayBuffer> {
  return utf8(`${JSON.stringify(value, undefined, 2)}\n`);
}

function encodeJsonCompact(value: JsonValue): Uint8Array<ArrayBuffer> {
  return utf8(JSON.stringify(value));
}
