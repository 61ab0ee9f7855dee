/** `immota token`: who may use the operator API. */
import { API_ROLES, type ApiRole } from '@immota/api';
import { Command, Option } from 'commander';
import { callServer, listAll } from '../client.ts';
import type { CommandContext } from '../context.ts';
import { text } from '../fields.ts';
import { table } from '../terminal/output.ts';

/** Adds `immota token` to the command. */
export function tokenCommand(context: CommandContext): Command {
  const command = new Command('token').description('create and revoke API tokens');
  command
    .command('create')
    .description('create a token; it is shown this once')
    .argument('<name>', 'whose it is')
    .addOption(new Option('--role <role>', 'what it may do').choices(API_ROLES).default('viewer'))
    .option('--uploads-for <ROLE...>', 'delegated roles that a supplier may upload for', [])
    .option('--days <N>', 'how long it is good', '90')
    .option('--scope <CEL>', 'a fleet query that bounds what its holder sees')
    .action(
      async (
        name: string,
        options: {
          readonly role: ApiRole;
          readonly uploadsFor: readonly string[];
          readonly days: string;
          readonly scope?: string;
        },
      ) => {
        const { role, uploadsFor, days, scope } = options;
        const bound = scope === undefined ? {} : { scope };
        const json = { name, role, uploadsFor, ttlDays: Number(days), ...bound };
        const token = await callServer(context.connection(), 'createToken', { json });
        context.output().result(token, () => text(token, 'token'));
        context.output().note('Use it as IMMOTA_TOKEN; it is not shown again');
      },
    );
  command
    .command('list')
    .description('list tokens, those that are over too')
    .action(async () => {
      const rows = await Array.fromAsync(listAll(context.connection(), 'listTokens'));
      const fields = ['name', 'role', 'scope', 'createdBy', 'expiresAt', 'revokedAt'];
      context
        .output()
        .result(rows, () =>
          table([
            ['NAME', 'ROLE', 'SCOPE', 'MADE BY', 'UNTIL', 'REVOKED'],
            ...rows.map((row) => fields.map((field) => text(row, field))),
          ]),
        );
    });
  command
    .command('revoke')
    .description('revoke a token at once')
    .argument('<name>', 'whose it is')
    .action(async (name: string) => {
      const answer = await callServer(context.connection(), 'revokeToken', { params: { name } });
      context
        .output()
        .result(answer, () => (answer['isRevoked'] === true ? 'Revoked' : 'There was none'));
    });
  return command;
}
