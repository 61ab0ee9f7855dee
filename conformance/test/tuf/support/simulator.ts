/**
 * A TUF repository that serves over real HTTP whatever a test has published, right or wrong, and
 * writes down each request. Metadata is plain JSON that a test may bend before it is signed.
 */
import { createHash } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { canonicalBytes, type Json } from './canonical.ts';
import { makeSigner, type TestSigner } from './signer.ts';

export type Metadata = { [name: string]: Json };

/** The instant at which the tests' clients stand unless they say otherwise. */
export const NOW = Temporal.Instant.from('2030-06-01T00:00:00Z');

/** Writes an instant some days from {@link NOW} as metadata does. */
export function inDays(days: number): string {
  return NOW.add({ hours: 24 * days }).toString({ smallestUnit: 'second' });
}

/** Answers one request in the repository's stead. */
export type Answer = (response: ServerResponse) => void;

export interface DelegationOptions {
  readonly paths?: string[];
  readonly pathHashPrefixes?: string[];
  readonly terminating?: boolean;
  readonly threshold?: number;
  readonly expires?: string;
}

const TOP_LEVEL = ['root', 'timestamp', 'snapshot', 'targets'] as const;

export class Simulator {
  /** Every request's path behind `/metadata/` or `/targets/`, as it came over the wire. */
  readonly metadataRequests: string[] = [];
  readonly artifactRequests: string[] = [];
  /** What is to be signed next, by role. */
  readonly metadata = new Map<string, Metadata>();
  /** What was published, by role: the first one is version 1 of the URL. */
  readonly published = new Map<string, Buffer[]>();
  readonly signers = new Map<string, TestSigner[]>();
  readonly artifacts = new Map<string, Buffer>();
  /** Answers of the test's own, by path behind the origin. */
  readonly answers = new Map<string, Answer>();
  /** Whether Timestamp and Snapshot state hashes and lengths. */
  statesHashes = false;
  /** The highest number of requests that were open at one time. */
  openAtOnceMax = 0;
  readonly #server: Server;
  #open = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Starts a repository with one ECDSA key a role and version 1 of each. */
  static async start(): Promise<Simulator> {
    const server = createServer();
    const simulator = new Simulator(server);
    server.on('request', (request, response) => {
      simulator.#serve(request.url ?? '', response);
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    simulator.#lay();
    return simulator;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  get metadataUrl(): string {
    return `${this.#origin}/metadata`;
  }

  get targetsUrl(): string {
    return `${this.#origin}/targets/`;
  }

  get root(): Metadata {
    return this.of('root');
  }

  /** The metadata of a role, to be bent. */
  of(role: string): Metadata {
    const metadata = this.metadata.get(role);
    if (metadata === undefined) throw new TypeError(`no role ${role}`);
    return metadata;
  }

  /** A member that is an object. */
  part(role: string, ...path: string[]): Metadata {
    let part: Metadata = this.of(role);
    for (const name of path) part = (part[name] ??= {}) as Metadata;
    return part;
  }

  /** What a role's newest file is, byte for byte. */
  latest(role: string): Buffer {
    const file = this.published.get(role)?.at(-1);
    if (file === undefined) throw new TypeError(`nothing of ${role} is published`);
    return file;
  }

  /** Signs the next version of each role, in the given order, and notes it in Snapshot or Timestamp. */
  publish(...roles: readonly string[]): void {
    for (const role of roles) {
      const metadata = this.of(role);
      const before = this.published.get(role);
      if (before !== undefined) metadata['version'] = Number(metadata['version']) + 1;
      const file = this.seal(role);
      this.published.set(role, [...(before ?? []), file]);
      this.note(role, file);
    }
  }

  /** Forgets what was published of a role: the next one is version 1 again. */
  forget(role: string): void {
    this.published.delete(role);
    this.of(role)['version'] = 1;
  }

  /** Signs a role's metadata as it stands. */
  seal(role: string, signers: readonly TestSigner[] = this.signers.get(role) ?? []): Buffer {
    const signed = this.of(role);
    const payload = canonicalBytes(signed);
    const signatures = signers.map((signer) => ({
      keyid: signer.keyId,
      sig: signer.sign(payload),
    }));
    return Buffer.from(JSON.stringify({ signatures, signed }, undefined, 1));
  }

  /** Replaces what was published last by something bent. */
  bend(role: string, change: (file: { signatures: Metadata[]; signed: Metadata }) => void): void {
    const file = JSON.parse(this.latest(role).toString()) as never;
    change(file);
    this.published.get(role)?.splice(-1, 1, Buffer.from(JSON.stringify(file)));
  }

  /** Gives a top-level role one more key; in Root and among its signers. */
  addKey(role: string, signer: TestSigner = makeSigner()): TestSigner {
    this.part('root', 'keys')[signer.keyId] = signer.key;
    (this.part('root', 'roles', role)['keyids'] as string[]).push(signer.keyId);
    this.signers.set(role, [...(this.signers.get(role) ?? []), signer]);
    return signer;
  }

  /** Takes all keys of a top-level role and gives it as many new ones as its threshold asks. */
  rotateKeys(role: string): void {
    const threshold = Number(this.part('root', 'roles', role)['threshold']);
    this.clearKeys(role);
    for (let count = 0; count < threshold; count += 1) this.addKey(role);
  }

  /** Takes all keys of a top-level role. */
  clearKeys(role: string): void {
    this.part('root', 'roles', role)['keyids'] = [];
    this.signers.set(role, []);
  }

  /** Delegates from one Targets role to another, with a key of its own. */
  delegate(from: string, to: string, options: DelegationOptions = {}): TestSigner {
    const signer = makeSigner('ed25519');
    const delegations = this.part(from, 'delegations');
    (delegations['keys'] ??= {} as Metadata) as Metadata;
    (delegations['keys'] as Metadata)[signer.keyId] = signer.key;
    const names =
      options.pathHashPrefixes === undefined
        ? { paths: options.paths ?? ['*'] }
        : { path_hash_prefixes: options.pathHashPrefixes };
    ((delegations['roles'] ??= []) as Metadata[]).push({
      name: to,
      keyids: [signer.keyId],
      threshold: options.threshold ?? 1,
      terminating: options.terminating ?? false,
      ...names,
    });
    this.signers.set(to, [...(this.signers.get(to) ?? []), signer]);
    if (!this.metadata.has(to)) this.metadata.set(to, emptyTargets(options.expires));
    return signer;
  }

  /** Delegates to 2^bits bins. */
  delegateSuccinctly(from: string, bitLength: number, namePrefix: string): readonly string[] {
    const signer = makeSigner('ed25519');
    this.of(from)['delegations'] = {
      keys: { [signer.keyId]: signer.key },
      succinct_roles: {
        keyids: [signer.keyId],
        threshold: 1,
        bit_length: bitLength,
        name_prefix: namePrefix,
      },
    };
    const digits = (2 ** bitLength - 1).toString(16).length;
    const bins = Array.from(
      { length: 2 ** bitLength },
      (_, bin) => `${namePrefix}-${bin.toString(16).padStart(digits, '0')}`,
    );
    for (const bin of bins) {
      this.signers.set(bin, [signer]);
      this.metadata.set(bin, emptyTargets());
    }
    return bins;
  }

  /** Lists an artifact in a role and serves it. */
  addArtifact(
    role: string,
    name: string,
    content: string | Buffer,
    functions: readonly string[] = ['sha256'],
  ): Buffer {
    const bytes = Buffer.from(content);
    const hashes = functions.map((each) => [each, createHash(each).update(bytes).digest('hex')]);
    this.part(role, 'targets')[name] = {
      length: bytes.length,
      hashes: Object.fromEntries(hashes) as Metadata,
    };
    this.artifacts.set(name, bytes);
    return bytes;
  }

  /** The hash that metadata states of an artifact. */
  hashOf(role: string, name: string, hashFunction = 'sha256'): string {
    return this.part(role, 'targets', name, 'hashes')[hashFunction] as string;
  }

  get #origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get #consistent(): boolean {
    return this.root['consistent_snapshot'] === true;
  }

  /** Notes a file in Snapshot (Targets roles) or Timestamp (Snapshot). */
  note(role: string, file: Buffer): void {
    if (role === 'root' || role === 'timestamp') return;
    const info: Metadata = { version: this.of(role)['version'] ?? 0 };
    if (this.statesHashes) {
      info['length'] = file.length;
      info['hashes'] = { sha256: createHash('sha256').update(file).digest('hex') };
    }
    this.part(role === 'snapshot' ? 'timestamp' : 'snapshot', 'meta')[`${role}.json`] = info;
  }

  #lay(): void {
    const head = { version: 1, spec_version: '1.0.31', expires: inDays(30) };
    this.metadata.set('root', {
      _type: 'root',
      ...head,
      consistent_snapshot: true,
      keys: {},
      roles: Object.fromEntries(TOP_LEVEL.map((role) => [role, { keyids: [], threshold: 1 }])),
    });
    this.metadata.set('timestamp', { _type: 'timestamp', ...head, meta: {} });
    this.metadata.set('snapshot', { _type: 'snapshot', ...head, meta: {} });
    this.metadata.set('targets', emptyTargets());
    for (const role of TOP_LEVEL) this.addKey(role);
    this.publish('targets', 'snapshot', 'timestamp', 'root');
  }

  #serve(path: string, response: ServerResponse): void {
    this.#open += 1;
    this.openAtOnceMax = Math.max(this.openAtOnceMax, this.#open);
    response.once('close', () => {
      this.#open -= 1;
    });
    const [, kind, name = ''] = /^\/(metadata|targets)\/(.*)$/.exec(path) ?? [];
    if (kind === 'metadata') this.metadataRequests.push(name);
    if (kind === 'targets') this.artifactRequests.push(name);
    const answer = this.answers.get(path.slice(1));
    if (answer !== undefined) {
      answer(response);
      return;
    }
    const file = kind === 'metadata' ? this.#metadataFile(name) : this.#artifactFile(name);
    response.writeHead(file === undefined ? 404 : 200, { 'content-length': file?.length ?? 0 });
    response.end(file);
  }

  #metadataFile(name: string): Buffer | undefined {
    for (const [role, files] of this.published) {
      const encoded = percentEncoded(role);
      const versioned = role === 'root' || (role !== 'timestamp' && this.#consistent);
      if (!versioned && name === `${encoded}.json`) return files.at(-1);
      const index = files.findIndex((_, at) => name === `${at + 1}.${encoded}.json`);
      if (versioned && index >= 0) return files[index];
    }
    return undefined;
  }

  #artifactFile(path: string): Buffer | undefined {
    for (const [name, bytes] of this.artifacts) {
      const encoded = name.split('/').map(percentEncoded).join('/');
      if (!this.#consistent) {
        if (path === encoded) return bytes;
        continue;
      }
      const at = encoded.lastIndexOf('/') + 1;
      const pattern = /^([0-9a-f]{64}|[0-9a-f]{128})\./;
      const rest = path.startsWith(encoded.slice(0, at)) ? path.slice(at) : '';
      if (pattern.test(rest) && rest.replace(pattern, '') === encoded.slice(at)) return bytes;
    }
    return undefined;
  }
}

/** A Targets role that lists nothing. */
function emptyTargets(expires: string = inDays(30)): Metadata {
  return { _type: 'targets', version: 1, spec_version: '1.0.31', expires, targets: {} };
}

/** All but letters, digits and `_.-~` as the bytes of their UTF-8. */
export function percentEncoded(name: string): string {
  return Array.from(Buffer.from(name), (byte) => {
    const character = String.fromCharCode(byte);
    return /[\w.~-]/.test(character)
      ? character
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
}
