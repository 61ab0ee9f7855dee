/** `immota token`: who may use the operator API. */
import { API_ROLES, type ApiRole } from '@immota/api';
import { Command, Option } from 'commander';
import { callServer } from '../client.ts';
import type { CommandContext } from '../context.ts';
import { text } from '../fields.ts';

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
    .action(
      async (
        name: string,
        options: {
          readonly role: ApiRole;
          readonly uploadsFor: readonly string[];
          readonly days: string;
        },
      ) => {
        const { role, uploadsFor, days } = options;
        const json = { name, role, uploadsFor, ttlDays: Number(days) };
        const token = await callServer(context.connection(), 'createToken', { json });
        context.output().result(token, () => text(token, 'token'));
        context.output().note('Use it as IMMOTA_TOKEN; it is not shown again');
      },
    );
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
