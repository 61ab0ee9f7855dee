/** `immota audit`: who changed what, and whether the record is as it was written. */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { JsonObject } from '@immota/base';
import { Command, Option } from 'commander';
import { callServer, listAll, streamServer } from '../client.ts';
import type { CommandContext } from '../context.ts';
import { object, text } from '../fields.ts';
import { table } from '../terminal/output.ts';

/** Entries that `list` shows unless more are asked for. */
const LISTED = '50';

/** Adds `immota audit` to the command. */
export function auditCommand(context: CommandContext): Command {
  const command = new Command('audit').description('read, check and export the audit log');
  command
    .command('list')
    .description('list who changed what, the newest first')
    .option('--kind <KIND>', 'of the event; user.* means all that begin so')
    .option('--by <NAME>', 'a person’s address or a token’s name')
    .option('--from <INSTANT>', 'not before, as 2026-11-22T10:00:00Z')
    .option('--to <INSTANT>', 'before')
    .option('--limit <N>', 'how many', LISTED)
    .action(async (options: Readonly<Record<string, string | undefined>>) => {
      const { limit = LISTED, kind, by, from, to } = options;
      const rows: JsonObject[] = [];
      for await (const row of listAll(context.connection(), 'listAudit', {
        query: { kind, by, from, to, limit: String(Math.min(Number(limit), 1000)) },
      })) {
        rows.push(row);
        if (rows.length >= Number(limit)) break;
      }
      context.output().result(rows, () =>
        table([
          ['AT', 'WHO', 'FROM', 'WHAT', 'RECORD'],
          ...rows.map((row) => {
            const body = object(row, 'body');
            const actor = object(body, 'actor');
            const who = text(actor, 'name') || text(body, 'by');
            const where = `${text(row, 'stream')} ${text(row, 'sequence')}`;
            return [text(row, 'at'), who, text(actor, 'from'), text(row, 'kind'), where];
          }),
        ]),
      );
    });
  command
    .command('verify')
    .description(
      'check every link of the chain, and the signed checkpoints; fails when one is broken',
    )
    .action(async () => {
      const verdict = await callServer(context.connection(), 'verifyAudit');
      const isIntact = verdict['isIntact'] === true;
      context
        .output()
        .result(verdict, () =>
          isIntact
            ? `Intact: ${text(verdict, 'checked')} events, head ${text(verdict, 'head')}`
            : `BROKEN: ${text(verdict, 'problem')}`,
        );
      if (!isIntact) process.exitCode = 1;
    });
  command
    .command('export')
    .description('write the audit log to a file')
    .argument('<file>', 'where')
    .addOption(new Option('--format <FORMAT>').choices(['csv', 'ndjson']).default('ndjson'))
    .action(async (file: string, options: { readonly format: string }) => {
      const body = await streamServer(context.connection(), 'exportAudit', {
        query: { format: options.format },
      });
      await pipeline(Readable.fromWeb(body), createWriteStream(file));
      context.output().result({ file }, () => `Wrote ${file}`);
    });
  return command;
}
