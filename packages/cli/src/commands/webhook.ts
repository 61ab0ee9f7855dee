/** `immota webhook`: hands events to other systems. */
import { Command } from 'commander';
import { callServer, listAll } from '../client.ts';
import type { CommandContext } from '../context.ts';
import { show, text } from '../fields.ts';
import { table } from '../terminal/output.ts';

/** Adds `immota webhook` to the command. */
export function webhookCommand(context: CommandContext): Command {
  const command = new Command('webhook').description('hand events to other systems');
  command
    .command('create')
    .description('create a webhook; its secret is shown this once')
    .argument('<url>', 'https, at a public address')
    .requiredOption('--events <KIND...>', 'kinds of events; campaign.* means all that begin so')
    .action(async (url: string, options: { readonly events: readonly string[] }) => {
      const json = { url, events: options.events };
      const made = await callServer(context.connection(), 'createWebhook', { json });
      context.output().result(made, () => `${text(made, 'webhookId')}\n${text(made, 'secret')}`);
      context.output().note('Its receiver verifies with the secret, which is not shown again');
    });
  command
    .command('list')
    .description('list webhooks')
    .action(async () => {
      const rows = await Array.fromAsync(listAll(context.connection(), 'listWebhooks'));
      context
        .output()
        .result(rows, () =>
          table([
            ['WEBHOOK', 'URL', 'EVENTS', 'WAITING', 'LAST'],
            ...rows.map((row) => [
              text(row, 'webhookId'),
              text(row, 'url'),
              show(row['events']),
              text(row, 'waiting'),
              text(row, 'lastStatus'),
            ]),
          ]),
        );
    });
  addMessages(command, context);
  return command;
}

function addMessages(command: Command, context: CommandContext): void {
  command
    .command('test')
    .description('send a test message, and show what the receiver says')
    .argument('<webhook>', 'its id')
    .action(async (webhookId: string) => {
      const params = { webhookId };
      const sent = await callServer(context.connection(), 'testWebhook', { params });
      context
        .output()
        .result(sent, () =>
          [text(sent, 'state'), text(sent, 'status'), text(sent, 'problem')].join(' ').trim(),
        );
    });
  command
    .command('deliveries')
    .description('list what a webhook sent, the newest first')
    .argument('<webhook>', 'its id')
    .action(async (webhookId: string) => {
      const list = listAll(context.connection(), 'listDeliveries', { params: { webhookId } });
      const rows = await Array.fromAsync(list);
      context
        .output()
        .result(rows, () =>
          table([
            ['MESSAGE', 'EVENT', 'STATE', 'TRIES', 'STATUS', 'PROBLEM', 'NEXT'],
            ...rows.map((row) =>
              ['deliveryId', 'eventKind', 'state', 'attempts', 'status', 'problem', 'nextAt'].map(
                (field) => text(row, field),
              ),
            ),
          ]),
        );
    });
  command
    .command('delete')
    .description('delete a webhook, and what waits for it')
    .argument('<webhook>', 'its id')
    .action(async (webhookId: string) => {
      const params = { webhookId };
      const answer = await callServer(context.connection(), 'deleteWebhook', { params });
      context.output().result(answer, () => 'Deleted');
    });
}
