/** `immota campaign`: a release to the vehicles that a query means. */
import type { OPERATOR_ROUTES } from '@immota/api';
import type { JsonObject } from '@immota/base';
import { Command } from 'commander';
import { callServer, listAll } from '../client.ts';
import type { CommandContext } from '../context.ts';
import { object, show, text } from '../fields.ts';
import { table } from '../terminal/output.ts';

/** Adds `immota campaign` to the command. */
export function campaignCommand(context: CommandContext): Command {
  const command = new Command('campaign').description('create, run and watch campaigns');
  command
    .command('create')
    .description('create a campaign; nothing is offered before it is started')
    .argument('<name>', 'in your words')
    .requiredOption('--release <ID>', 'the release')
    .requiredOption('--query <CEL>', 'which vehicles, for instance vehicle.model == "X1"')
    .action(async (name: string, options: { readonly release: string; readonly query: string }) => {
      const json = { name, releaseId: options.release, query: options.query };
      printCampaign(context, await callServer(context.connection(), 'createCampaign', { json }));
    });
  addMove(command, context, { verb: 'start', route: 'startCampaign', what: 'start or resume' });
  addMove(command, context, { verb: 'pause', route: 'pauseCampaign', what: 'pause' });
  addMove(command, context, { verb: 'cancel', route: 'cancelCampaign', what: 'cancel for good' });
  addMove(command, context, { verb: 'show', route: 'getCampaign', what: 'count the vehicles of' });
  command
    .command('list')
    .description('list campaigns, the newest first')
    .action(async () => {
      const rows = await Array.fromAsync(listAll(context.connection(), 'listCampaigns'));
      context
        .output()
        .result(rows, () =>
          table([
            ['CAMPAIGN', 'NAME', 'STATE', 'VEHICLES'],
            ...rows.map((row) => [
              text(row, 'campaignId'),
              text(row, 'name'),
              text(row, 'state'),
              show(row['counts']),
            ]),
          ]),
        );
    });
  command
    .command('vehicles')
    .description('list the vehicles of a campaign with the reason why each is not updated')
    .argument('<campaign>', 'its id')
    .option('--state <STATE>', 'only those in this state')
    .action(async (campaignId: string, options: { readonly state?: string }) => {
      const call = { params: { campaignId }, query: { state: options.state } };
      const list = listAll(context.connection(), 'listCampaignVehicles', call);
      const rows = await Array.fromAsync(list);
      context
        .output()
        .result(rows, () =>
          table([
            ['VEHICLE', 'STATE', 'REASON', 'NEXT STEP', 'WHO'],
            ...rows.map((row) => [
              text(row, 'vehicleId'),
              text(row, 'state'),
              text(row, 'reason'),
              text(row, 'nextStep'),
              text(row, 'actor'),
            ]),
          ]),
        );
    });
  return command;
}

function addMove(
  command: Command,
  context: CommandContext,
  { verb, route, what }: { verb: string; route: keyof typeof OPERATOR_ROUTES; what: string },
): void {
  command
    .command(verb)
    .description(`${what} a campaign`)
    .argument('<campaign>', 'its id')
    .action(async (campaignId: string) => {
      const params = { campaignId };
      printCampaign(context, await callServer(context.connection(), route, { params }));
    });
}

function printCampaign(context: CommandContext, campaign: JsonObject): void {
  context
    .output()
    .result(campaign, () =>
      [
        `Campaign ${text(campaign, 'campaignId')}: ${text(campaign, 'name')}`,
        `state ${text(campaign, 'state')}, vehicles: ${show(object(campaign, 'counts')) || 'none yet'}`,
      ].join('\n'),
    );
}
