/** `immota release`: sign what belongs together, and hand it to the server. */
import { readFileSync, writeFileSync } from 'node:fs';
import { isJsonObject, type JsonValue, parseJson } from '@immota/base';
import type { Cloud } from '@immota/cloud';
import { loadKeyFile, parseKeyName } from '@immota/pki';
import { AKTUALIZR, signMetadata } from '@immota/uptane';
import { Command } from 'commander';
import { callServer, listAll } from '../client.ts';
import type { CommandContext } from '../context.ts';
import { CliFault } from '../fault.ts';
import { show, text } from '../fields.ts';
import { table } from '../terminal/output.ts';
import { withCloud } from './pki.ts';
import { addReleaseQueries } from './release-queries.ts';

const RELEASE_MAX_BYTES = 2_097_152;

/** Adds `immota release` to the command. */
export function releaseCommand(context: CommandContext): Command {
  const command = new Command('release').description('sign and list releases');
  command
    .command('sign')
    .description('sign a release document with a release key')
    .argument('<file>', 'the release as JSON; see the guide on releases')
    .requiredOption('--key <NAME>', 'the release key')
    .requiredOption('--out <FILE>', 'the signed release')
    .option('--keys <DIR>', 'the folder of your key files', 'keys')
    .option('--passphrase-file <FILE>', 'reads the passphrase from a file instead of asking')
    .action(
      async (
        file: string,
        options: {
          readonly key: string;
          readonly keys: string;
          readonly out: string;
          readonly passphraseFile?: string;
        },
      ) => {
        const signed = parseJson(readFileSync(file), RELEASE_MAX_BYTES);
        if (!isJsonObject(signed)) throw new CliFault('USAGE', `Cannot sign ${file}: no object`);
        const secret = await context.askSecret('Passphrase', options.passphraseFile);
        const signer = loadKeyFile(options.keys, parseKeyName(options.key), secret);
        writeFileSync(options.out, await signMetadata(AKTUALIZR, signed, [signer]));
        context.output().result({ file: options.out }, () => `Wrote ${options.out}`);
        context.output().note(`Next: immota release create ${options.out}`);
      },
    );
  command
    .command('create')
    .description('hand a release to the server')
    .argument('<file>', 'the signed release; with --sign the release as JSON')
    .option('--sign', 'sign it with the targets keys of the data folder first')
    .action(async (file: string, options: { readonly sign?: true }) => {
      const given = new Uint8Array(readFileSync(file));
      const body = options.sign === true ? await signHere(context, given) : given;
      const release = await callServer(context.connection(), 'createRelease', { body });
      context
        .output()
        .result(release, () => `Release ${text(release, 'releaseId')}: ${text(release, 'name')}`);
      context
        .output()
        .note(
          `Next: immota campaign create NAME --release ${text(release, 'releaseId')} --query true`,
        );
    });
  command
    .command('list')
    .description('list releases, the newest first')
    .action(async () => {
      const rows = await Array.fromAsync(listAll(context.connection(), 'listReleases'));
      context
        .output()
        .result(rows, () =>
          table([
            ['RELEASE', 'NAME', 'VERSION', 'CREATED', 'GOAL'],
            ...rows.map((row) => [
              text(row, 'releaseId'),
              text(row, 'name'),
              text(row, 'version'),
              text(row, 'createdAt'),
              show(row['goal']),
            ]),
          ]),
        );
    });
  addReleaseQueries(command, context);
  return command;
}

/** Signs with keys of the data folder, where they were not moved offline. */
async function signHere(
  context: CommandContext,
  document: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  let signed: Uint8Array<ArrayBuffer> | undefined;
  await withCloud(context, async (cloud) => {
    signed = await signRelease(cloud, parseJson(document, RELEASE_MAX_BYTES));
  });
  if (signed === undefined)
    throw new CliFault('USAGE', 'Cannot sign: the data folder did not open');
  return signed;
}

/**
 * Signs a release with the targets keys of a data folder.
 *
 * @throws CliFault USAGE when the keys are elsewhere.
 */
export async function signRelease(
  cloud: Cloud,
  release: JsonValue,
): Promise<Uint8Array<ArrayBuffer>> {
  if (!isJsonObject(release)) throw new CliFault('USAGE', 'Cannot sign release: it is no object');
  const signers = cloud.keystore.signers('image-targets');
  if (signers.length === 0) {
    throw new CliFault('USAGE', 'Cannot sign: the targets keys are elsewhere; use release sign');
  }
  return await signMetadata(AKTUALIZR, release, signers);
}
