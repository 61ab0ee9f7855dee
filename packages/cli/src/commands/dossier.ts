/** `immota dossier`: what an authority asks of a release, item by item {R156 7.1.2.5}. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { releaseSchemas } from '@immota/api';
import type { JsonObject } from '@immota/base';
import { Command, Option } from 'commander';
import { callServer } from '../client.ts';
import type { CommandContext } from '../context.ts';
import { CliFault } from '../fault.ts';
import { objects, text } from '../fields.ts';
import { table } from '../terminal/output.ts';

interface WriteOptions {
  readonly text: string;
  readonly answer?: 'yes' | 'no';
  readonly approval?: string;
  readonly evidence: readonly string[];
}

/** Adds `immota dossier` to the command. */
export function dossierCommand(context: CommandContext): Command {
  const command = new Command('dossier').description('show and write the dossier of a release');
  command
    .command('show')
    .description('show the nine items, and what they lack')
    .argument('<release>', 'its id')
    .action(async (releaseId: string) => {
      const params = { releaseId };
      printDossier(context, await callServer(context.connection(), 'getDossier', { params }));
    });
  command
    .command('write')
    .description('write one item')
    .argument('<release>', 'its id')
    .argument('<item>', 'a to i')
    .requiredOption('--text <TEXT>', 'in your words')
    .addOption(new Option('--answer <ANSWER>', 'of c, d, e, f, h and i').choices(['yes', 'no']))
    .option('--approval <NUMBER>', 'of f: the number of the approval or its extension')
    .option(
      '--evidence <FILE>',
      'a document; its hash is noted, and it stays where it is',
      collect,
      [],
    )
    .action(async (releaseId: string, item: string, options: WriteOptions) => {
      if (!releaseSchemas.DOSSIER_ITEMS.some((known) => known === item)) {
        throw new CliFault('USAGE', `Cannot write item "${item}": a dossier has a to i`);
      }
      const json = {
        text: options.text,
        ...(options.answer === undefined ? {} : { answer: options.answer === 'yes' }),
        ...(options.approval === undefined ? {} : { approvalNumber: options.approval }),
        evidence: options.evidence.map(describeFile),
      };
      const params = { releaseId, item };
      const call = { params, json };
      printDossier(context, await callServer(context.connection(), 'writeDossierItem', call));
    });
  return command;
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

function describeFile(file: string): JsonObject {
  const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
  return { name: basename(file), sha256 };
}

function printDossier(context: CommandContext, dossier: JsonObject): void {
  const items = objects(dossier, 'items');
  const isComplete = dossier['isComplete'] === true;
  context
    .output()
    .result(dossier, () =>
      [
        table([
          ['ITEM', 'ASKS', 'ANSWER', 'SAID', 'LACKS'],
          ...items.map((item) => [
            text(item, 'item'),
            text(item, 'title'),
            answerOf(item),
            text(item, 'text'),
            text(item, 'missing'),
          ]),
        ]),
        isComplete ? 'complete' : 'not complete: no campaign of it can be approved',
      ].join('\n'),
    );
}

function answerOf(item: JsonObject): string {
  const { answer } = item;
  if (typeof answer !== 'boolean') return '';
  return answer ? 'yes' : 'no';
}
