/** `immota evidence`: what an authority asks of a campaign, taken away and verified anywhere. */
import { createReadStream, createWriteStream, readFileSync, writeFileSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { isJsonObject, parseJson } from '@immota/base';
import { type EvidenceReport, type EvidenceTrust, verifyEvidence } from '@immota/cloud';
import { Command, Option } from 'commander';
import { encodePublicKey, parsePublicKey } from '../ceremony/signing-request.ts';
import { streamServer } from '../client.ts';
import type { CommandContext } from '../context.ts';
import { CliFault } from '../fault.ts';
import { table } from '../terminal/output.ts';
import { withCloud } from './pki.ts';

const ROOT_MAX_BYTES = 1_048_576;

/** Adds `immota evidence` to the command. */
export function evidenceCommand(context: CommandContext): Command {
  const command = new Command('evidence').description('export and verify evidence of campaigns');
  command
    .command('export')
    .description('write everything that an authority asks of a campaign to a file')
    .argument('<campaign>', 'its id')
    .requiredOption('--out <FILE>', 'where to')
    .action(async (campaignId: string, options: { readonly out: string }) => {
      const params = { campaignId };
      const stream = await streamServer(context.connection(), 'exportEvidence', { params });
      await pipeline(stream, createWriteStream(options.out));
      context.output().result({ file: options.out }, () => `Wrote ${options.out}`);
      context.output().note(`Next: immota evidence verify ${options.out} --trust KEY`);
    });
  command
    .command('verify')
    .description('verify a file of evidence; it needs no server and no network')
    .argument('<file>', 'the evidence')
    .addOption(
      new Option(
        '--trust <FILE>',
        'the key of the event log, or the Root of the Image repository; repeat',
      )
        .argParser(collect)
        .default([])
        .makeOptionMandatory(),
    )
    .action(async (file: string, options: { readonly trust: readonly string[] }) => {
      const trust = readTrust(options.trust);
      const report = await verifyEvidence(createReadStream(file), trust);
      const clauses = report.clauses.map((clause) => ({ ...clause }));
      context
        .output()
        .result({ ...report, targets: { ...report.targets }, clauses, isVerified: true }, () =>
          describe(report),
        );
      if (!report.isRootAnchored) {
        context
          .output()
          .note('The release was held against the Root in the file; give yours with --trust');
      }
    });
  command
    .command('key')
    .description('write the public key of the event log, to be handed to whoever verifies')
    .requiredOption('--out <FILE>', 'where to')
    .action(async (options: { readonly out: string }) => {
      await withCloud(context, (cloud) => {
        const [signer] = cloud.keystore.signers('events');
        if (signer === undefined) {
          throw new CliFault('USAGE', 'Cannot write key: the key of the event log is not here');
        }
        const { algorithm, publicKeyDer } = signer;
        writeFileSync(options.out, encodePublicKey({ name: 'events', algorithm, publicKeyDer }));
        context.output().result({ file: options.out }, () => `Wrote ${options.out}`);
        return Promise.resolve();
      });
    });
  return command;
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

/** A file is a public key, as `evidence key` writes it, or signed Root metadata. */
function readTrust(files: readonly string[]): EvidenceTrust {
  if (files.length === 0) {
    throw new CliFault('USAGE', 'Cannot verify: give the key of the event log with --trust');
  }
  const keys: Uint8Array[] = [];
  let imageRoot: Uint8Array | undefined;
  for (const file of files) {
    const bytes = readFileSync(file);
    const document = parseJson(bytes, ROOT_MAX_BYTES);
    if (isJsonObject(document) && document['_type'] === 'PublicKey') {
      keys.push(parsePublicKey(bytes).publicKeyDer);
    } else imageRoot = bytes;
  }
  return { keys, imageRoot };
}

function describe(report: EvidenceReport): string {
  const { campaignId, name, at, lines, release, isApproved, targets } = report;
  return [
    `Evidence of campaign "${name}" (${campaignId}), release ${release}, written ${at}`,
    `${lines} lines, each as it was signed; ${targets.vehicles} vehicles; ${isApproved ? 'approved by two people' : 'not approved'}`,
    '',
    table([
      ['CLAUSE', 'WHAT', 'VERDICT', 'DETAIL'],
      ...report.clauses.map(({ clause, words, verdict, detail }) => [
        clause,
        words,
        verdict,
        detail,
      ]),
    ]),
  ].join('\n');
}
