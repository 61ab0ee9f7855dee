/** The client under test: the very code of the executable, with a clock that the test holds. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFaultCode } from '@immota/base';
import { runClient } from '../../../tuf/client.ts';
import type { Patience } from '../../../tuf/transport.ts';
import { NOW, Simulator } from './simulator.ts';

/** `DONE`, or the code of the refusal. */
export type Outcome = string;

export class Subject {
  readonly repository: Simulator;
  readonly #folder = mkdtempSync(join(tmpdir(), 'immota-tuf-'));
  now: Temporal.Instant = NOW;
  patience: Patience | undefined;

  constructor(repository: Simulator) {
    this.repository = repository;
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }

  get metadataDir(): string {
    return join(this.#folder, 'metadata');
  }

  get targetDir(): string {
    return join(this.#folder, 'targets');
  }

  /** Starts from version 1 of the repository's Root, or from other bytes. */
  async init(
    root: Uint8Array | undefined = this.repository.published.get('root')?.[0],
  ): Promise<Outcome> {
    const path = join(this.#folder, 'initial.json');
    writeFileSync(path, root ?? '');
    return await this.run('--metadata-dir', this.metadataDir, 'init', path);
  }

  async refresh(): Promise<Outcome> {
    const { metadataUrl } = this.repository;
    return await this.run(
      '--metadata-url',
      metadataUrl,
      '--metadata-dir',
      this.metadataDir,
      'refresh',
    );
  }

  async download(...names: readonly string[]): Promise<Outcome> {
    const { metadataUrl, targetsUrl } = this.repository;
    return await this.run(
      `--metadata-url=${metadataUrl}`,
      `--metadata-dir=${this.metadataDir}`,
      ...names.flatMap((name) => ['--target-name', name]),
      `--target-dir=${this.targetDir}`,
      `--target-base-url=${targetsUrl}`,
      'download',
    );
  }

  async run(...args: readonly string[]): Promise<Outcome> {
    const clock = { now: (): Temporal.Instant => this.now };
    try {
      await runClient(
        args,
        this.patience === undefined ? { clock } : { clock, patience: this.patience },
      );
      return 'DONE';
    } catch (error) {
      const code = findFaultCode(error);
      if (code === undefined) throw error;
      return code;
    }
  }

  /** What the client trusts: the name of each metadata file without `.json`, and its version. */
  trusted(): Readonly<Record<string, number>> {
    const files = readdirSync(this.metadataDir).filter((name) => name.endsWith('.json'));
    return Object.fromEntries(
      files.toSorted().map((name) => {
        const file = JSON.parse(readFileSync(join(this.metadataDir, name), 'utf8')) as {
          readonly signed: { readonly version: number };
        };
        return [name.slice(0, -'.json'.length), file.signed.version];
      }),
    );
  }

  /** A trusted file, byte for byte. */
  stored(role: string): Buffer {
    return readFileSync(join(this.metadataDir, `${role}.json`));
  }

  /** The names in the folder of artifacts. */
  artifactNames(): readonly string[] {
    return readdirSync(this.targetDir).toSorted();
  }

  /** The contents in the folder of artifacts, in no order. */
  artifacts(): readonly string[] {
    return this.artifactNames()
      .map((name) => join(this.targetDir, name))
      .filter((path) => statSync(path).isFile())
      .map((path) => readFileSync(path, 'utf8'))
      .toSorted();
  }
}

/** Runs a test against a fresh repository and a client that starts from its Root. */
export async function withClient(
  test: (client: Subject, repository: Simulator) => Promise<void>,
): Promise<void> {
  await using repository = await Simulator.start();
  using client = new Subject(repository);
  await test(client, repository);
}
