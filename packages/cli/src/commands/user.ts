/** `immota user`: who may sign in, and what they may. */
import { API_ROLES } from '@immota/api';
import type { JsonObject } from '@immota/base';
import { Command, Option } from 'commander';
import { callServer, listAll } from '../client.ts';
import type { CommandContext } from '../context.ts';
import { CliFault } from '../fault.ts';
import { text } from '../fields.ts';
import { table } from '../terminal/output.ts';

/** Adds `immota user` to the command. */
export function userCommand(context: CommandContext): Command {
  const command = new Command('user').description('let people in, and change what they may');
  command
    .command('create')
    .description('let a person in, by the address that their provider knows')
    .argument('<email>', 'their address')
    .option('--name <NAME>', 'their name; the address when left out')
    .addOption(roleOption().default('viewer'))
    .option('--scope <CEL>', 'a fleet query that bounds what they see')
    .action(
      async (
        email: string,
        options: { readonly name?: string; readonly role: string; readonly scope?: string },
      ) => {
        const { name = email, scope } = options;
        const json = { email, name, role: options.role, ...(scope === undefined ? {} : { scope }) };
        show(context, await callServer(context.connection(), 'createUser', { json }));
      },
    );
  command
    .command('list')
    .description('list people by address')
    .action(async () => {
      const rows = await Array.fromAsync(listAll(context.connection(), 'listUsers'));
      context
        .output()
        .result(rows, () =>
          table([
            ['E-MAIL', 'NAME', 'ROLE', 'SCOPE', 'DISABLED', 'LAST SEEN'],
            ...rows.map((row) =>
              ['email', 'name', 'role', 'scope', 'isDisabled', 'lastSeenAt'].map((field) =>
                text(row, field),
              ),
            ),
          ]),
        );
    });
  addChanges(command, context);
  return command;
}

function roleOption(): Option {
  return new Option('--role <role>', 'what they may do').choices(API_ROLES);
}

function addChanges(command: Command, context: CommandContext): void {
  command
    .command('change')
    .description('change what a person may; it holds from their next request on')
    .argument('<email>', 'their address')
    .addOption(roleOption())
    .option('--scope <CEL>', 'a fleet query that bounds what they see')
    .option('--no-scope', 'let them see all of the tenant')
    .action(
      async (
        email: string,
        options: { readonly role?: string; readonly scope?: string | boolean },
      ) => {
        const { scope } = options;
        await change(context, email, {
          ...(options.role === undefined ? {} : { role: options.role }),
          ...(scope === false ? { scope: null } : {}),
          ...(typeof scope === 'string' ? { scope } : {}),
        });
      },
    );
  for (const [verb, what, patch] of [
    ['disable', 'bar a person; they are signed out everywhere at once', { isDisabled: true }],
    ['enable', 'let a person in again', { isDisabled: false }],
    ['invite', 'make a new link with which a local account sets its password', { invite: true }],
  ] as const) {
    command
      .command(verb)
      .description(what)
      .argument('<email>', 'their address')
      .action((email: string) => change(context, email, patch));
  }
}

async function change(context: CommandContext, email: string, json: JsonObject): Promise<void> {
  const connection = context.connection();
  for await (const user of listAll(connection, 'listUsers')) {
    if (text(user, 'email') !== email.toLowerCase()) continue;
    const params = { userId: text(user, 'userId') };
    show(context, await callServer(connection, 'changeUser', { params, json }));
    return;
  }
  throw new CliFault('USAGE', `Cannot find ${email}: immota user list shows who is there`);
}

function show(context: CommandContext, user: JsonObject): void {
  const output = context.output();
  output.result(user, () => `${text(user, 'email')}: ${text(user, 'role')}`);
  const link = text(user, 'invitation');
  if (link !== '') output.note(`They set their password here, once, within three days:\n  ${link}`);
}
