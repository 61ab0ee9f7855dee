/** `immota image`: look into firmware, upload it, have it signed. */
import { createHash } from 'node:crypto';
import { createReadStream, statSync, writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { findFaultCode } from '@immota/base';
import { type Cloud, describeUploaded, draftTargets, type OfferedFile } from '@immota/cloud';
import { detectFormat, readLayout } from '@immota/image';
import {
  AKTUALIZR,
  type Dialect,
  parseDelegatedRoleName,
  type RoleName,
  signMetadata,
  TARGETS_ROLE,
  TUF,
} from '@immota/uptane';
import { Command } from 'commander';
import { encodeRequest, unsignedFile } from '../ceremony/signing-request.ts';
import { callServer, type Connection, listAll } from '../client.ts';
import type { CommandContext } from '../context.ts';
import { CliFault } from '../fault.ts';
import { text } from '../fields.ts';
import { progressBar } from '../terminal/progress-bar.ts';
import { table } from '../terminal/output.ts';
import { delegateCommand } from './delegate.ts';
import { withCloud } from './pki.ts';

/** Bytes sent in one request: an interruption costs no more than this. */
const PART_BYTES = 16 * 1024 * 1024;

/** What is uploaded. */
export interface UploadRequest {
  readonly file: string;
  readonly name: string;
  readonly role: string;
  readonly hardwareIds: readonly string[];
  readonly version: string;
  readonly releaseCounter: number;
  readonly isEncrypted: boolean;
}

/** Adds `immota image` to the command. */
export function imageCommand(context: CommandContext): Command {
  const command = new Command('image').description('inspect, upload and sign images');
  command
    .command('inspect')
    .description('say what a file is: format, address map, hashes')
    .argument('<file>', 'raw binary, Intel HEX or S-record')
    .action(async (file: string) => {
      const found = await inspect(file);
      context
        .output()
        .result(found, () =>
          [
            `${file}: ${found.format}, ${found.lengthBytes} bytes, sha256 ${found.sha256}`,
            ...found.segments.map((one) => `  ${one.address}  ${one.lengthBytes} bytes`),
          ].join('\n'),
        );
    });
  addUpload(command, context);
  addSign(command, context);
  command.addCommand(delegateCommand(context));
  command
    .command('list')
    .description('list images on the server')
    .action(async () => {
      const rows = await Array.fromAsync(listAll(context.connection(), 'listImages'));
      context
        .output()
        .result(rows, () =>
          table([
            ['NAME', 'VERSION', 'COUNTER', 'HARDWARE', 'BYTES', 'ENCRYPTED', 'SIGNED'],
            ...rows.map((row) =>
              [
                'name',
                'version',
                'releaseCounter',
                'hardwareIds',
                'lengthBytes',
                'isEncrypted',
                'isSigned',
              ].map((field) => text(row, field)),
            ),
          ]),
        );
    });
  return command;
}

function addUpload(command: Command, context: CommandContext): void {
  command
    .command('upload')
    .description('upload an image; run it again to go on after an interruption')
    .argument('<file>', 'the image')
    .requiredOption('--name <NAME>', 'its name, with its version in it; names are never used again')
    .requiredOption('--hardware <ID...>', 'the hardware it fits')
    .requiredOption('--version <VERSION>', 'for people')
    .requiredOption('--counter <N>', 'release counter: goes up with each release, never down')
    .option('--role <ROLE>', 'who signs it: targets, or a delegated role', 'targets')
    .option('--encrypt', 'encrypt it once; each ECU gets the key wrapped for itself')
    .action(
      async (
        file: string,
        options: {
          readonly name: string;
          readonly hardware: readonly string[];
          readonly version: string;
          readonly counter: string;
          readonly role: string;
          readonly encrypt?: true;
        },
      ) => {
        const releaseCounter = Number(options.counter);
        if (!Number.isSafeInteger(releaseCounter) || releaseCounter < 0) {
          throw new CliFault('USAGE', 'Cannot upload: --counter is no whole number');
        }
        const bar = progressBar(context.output(), `upload ${options.name}`);
        const request = {
          file,
          name: options.name,
          role: options.role,
          hardwareIds: options.hardware,
          version: options.version,
          releaseCounter,
          isEncrypted: options.encrypt === true,
        };
        const image = await uploadImage(context.connection(), request, (sent, all) => {
          bar.update(sent, all);
        });
        bar.done();
        context.output().result(image, () => `Stored ${text(image, 'name')}`);
        context.output().note('Next: immota image sign');
      },
    );
}

/**
 * Uploads an image in parts, going on where an earlier try ended.
 *
 * @param progress - told of bytes sent and of all.
 * @throws CliFault SERVER, FILE.
 */
export async function uploadImage(
  connection: Connection,
  request: UploadRequest,
  progress: (sentBytes: number, lengthBytes: number) => void,
): Promise<Awaited<ReturnType<typeof callServer>>> {
  const { file, ...facts } = request;
  const lengthBytes = statSync(file).size;
  const sha256 = await hashFile(file);
  const json = { ...facts, lengthBytes, sha256 };
  const upload = await callServer(connection, 'createUpload', { json });
  const params = { uploadId: text(upload, 'uploadId') };
  let offset = Number(text(upload, 'offsetBytes'));
  while (offset < lengthBytes) {
    const end = Math.min(offset + PART_BYTES, lengthBytes) - 1;
    const body = Readable.toWeb(createReadStream(file, { start: offset, end }));
    const query = { offset: String(offset) };
    const state = await callServer(connection, 'appendUpload', { params, query, body });
    offset = Number(text(state, 'offsetBytes'));
    progress(offset, lengthBytes);
  }
  return await callServer(connection, 'finishUpload', { params });
}

function addSign(command: Command, context: CommandContext): void {
  command
    .command('sign')
    .description('list all uploaded images in the next Targets of the Image repository')
    .option(
      '--request <FILE>',
      'write a signing request instead of signing with keys that are here',
    )
    .option(
      '--role <ROLE>',
      'a delegated role instead of the top-level one; always by request',
      'targets',
    )
    .action(async (options: { readonly request?: string; readonly role: string }) => {
      const { request } = options;
      const role =
        options.role === TARGETS_ROLE ? TARGETS_ROLE : parseDelegatedRoleName(options.role);
      if (role !== TARGETS_ROLE && request === undefined) {
        throw new CliFault(
          'USAGE',
          `Cannot sign for "${role}": its keys are its own; use --request`,
        );
      }
      await withCloud(context, async (cloud) => {
        if (request === undefined) {
          const count = await signTargets(cloud);
          context.output().result({ images: count }, () => `Signed and published ${count} images`);
          return;
        }
        const drafts = await draftAll(cloud, role);
        const files = drafts.map(({ dialect, signed }) => unsignedFile(dialect, role, signed));
        writeFileSync(request, encodeRequest({ repository: 'image', files }));
        context.output().result({ file: request }, () => `Wrote ${request}`);
        context
          .output()
          .note(
            `Next: immota key sign ${request} --key NAME --out NAME.sig, then key import and key publish`,
          );
      });
    });
}

/** Drafts the next Targets in both dialects, with every image that was uploaded for the role. */
async function draftAll(
  cloud: Cloud,
  role: RoleName,
): Promise<
  readonly { readonly dialect: Dialect; readonly signed: ReturnType<typeof draftTargets> }[]
> {
  const images = await describeUploaded(cloud.context, role);
  return [AKTUALIZR, TUF].map((dialect) => {
    const current = findTargets(cloud, dialect, role);
    return { dialect, signed: draftTargets(cloud.trust, dialect, { current, add: images }) };
  });
}

/** The Targets in force; undefined before the first ceremony. */
function findTargets(cloud: Cloud, dialect: Dialect, role: RoleName): Uint8Array | undefined {
  try {
    return cloud.store.image(dialect.name).targets.get(role)?.bytes;
  } catch (error) {
    if (findFaultCode(error) === 'REPOSITORY_STATE') return undefined;
    throw error;
  }
}

/**
 * Signs and publishes the next Targets with keys of the data folder.
 *
 * @returns how many images are listed.
 * @throws CliFault USAGE when the keys are elsewhere.
 */
export async function signTargets(cloud: Cloud): Promise<number> {
  const signers = cloud.keystore.signers('image-targets');
  if (signers.length === 0) {
    throw new CliFault('USAGE', 'Cannot sign: the targets keys are elsewhere; use --request');
  }
  const files: OfferedFile[] = [];
  for (const { dialect, signed } of await draftAll(cloud, TARGETS_ROLE)) {
    const bytes = await signMetadata(dialect, signed, signers);
    files.push({ repository: 'image', dialect: dialect.name, role: TARGETS_ROLE, bytes });
  }
  await cloud.publish(files);
  return (await describeUploaded(cloud.context, TARGETS_ROLE)).length;
}

async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(file)) hash.update(Buffer.from(part));
  return hash.digest('hex');
}

async function inspect(file: string): Promise<{
  readonly format: string;
  readonly lengthBytes: number;
  readonly sha256: string;
  readonly segments: readonly { readonly address: string; readonly lengthBytes: number }[];
}> {
  const head = createReadStream(file, { start: 0, end: 4095 });
  const first = await Array.fromAsync(head);
  const format = detectFormat(Buffer.concat(first.map((part) => Buffer.from(part))));
  const isRecords = format === 'intel-hex' || format === 's-record';
  const layout = isRecords ? (await readLayout(createReadStream(file))).layout : undefined;
  return {
    format,
    lengthBytes: statSync(file).size,
    sha256: await hashFile(file),
    segments: (layout?.segments ?? []).map(({ address, bytes }) => ({
      address: `0x${address.toString(16).padStart(8, '0')}`,
      lengthBytes: bytes.length,
    })),
  };
}
