/** `immota campaign`: a release to the vehicles that a query means, in waves. */
import { setTimeout as pause } from 'node:timers/promises';
import type { OPERATOR_ROUTES } from '@immota/api';
import { isJsonObject, type JsonObject, parseJson } from '@immota/base';
import { Command, InvalidArgumentError, Option } from 'commander';
import {
  campaignScreen,
  conflictsScreen,
  failuresScreen,
  liveScreen,
  rehearsalScreen,
  whyNotScreen,
} from '../campaign/screens.ts';
import { callServer, listAll } from '../client.ts';
import type { CommandContext } from '../context.ts';
import { CliFault } from '../fault.ts';
import { objects, show, text } from '../fields.ts';
import { table } from '../terminal/output.ts';
import { addDecisions } from './campaign-decision.ts';

/** A plan of sixteen waves with its texts is some kilobytes. */
const PLAN_MAX_BYTES = 262_144;
const WATCH_MS = 2000;

/** Adds `immota campaign` to the command. */
export function campaignCommand(context: CommandContext): Command {
  const command = new Command('campaign').description('plan, run and watch campaigns');
  addPlanning(command, context);
  addDecisions(command, context, (campaign) => {
    printCampaign(context, campaign);
  });
  addMove(command, context, { verb: 'start', route: 'startCampaign', what: 'start or go on with' });
  addMove(command, context, {
    verb: 'pause',
    route: 'pauseCampaign',
    what: 'pause',
    reason: 'optional',
  });
  addMove(command, context, {
    verb: 'resume',
    route: 'resumeCampaign',
    what: 'let go on, after it held by itself,',
    reason: 'required',
  });
  addMove(command, context, {
    verb: 'cancel',
    route: 'cancelCampaign',
    what: 'cancel for good',
    reason: 'optional',
  });
  addMove(command, context, { verb: 'show', route: 'getCampaign', what: 'show' });
  addLooking(command, context);
  addLists(command, context);
  return command;
}

interface CreateOptions {
  readonly file?: string;
  readonly release?: string;
  readonly query?: string;
  readonly priority?: number;
  readonly joins?: boolean;
}

function addPlanning(command: Command, context: CommandContext): void {
  const create = command
    .command('create')
    .description(
      'create a campaign, as a draft; nothing is offered before it is approved and started',
    )
    .argument('[name]', 'in your words');
  addPlanOptions(create).action(async (name: string | undefined, options: CreateOptions) => {
    const json = await readPlan(context, name, options);
    printCampaign(context, await callServer(context.connection(), 'createCampaign', { json }));
  });
  const change = command
    .command('change')
    .description('change a draft; what was approved needs a new approval')
    .argument('<campaign>', 'its id')
    .argument('[name]', 'in your words');
  addPlanOptions(change).action(
    async (campaignId: string, name: string | undefined, options: CreateOptions) => {
      const json = await readPlan(context, name, options);
      const call = { params: { campaignId }, json };
      printCampaign(context, await callServer(context.connection(), 'changeCampaign', call));
    },
  );
  command
    .command('rehearse')
    .description('rehearse a campaign over the fleet as it was last seen')
    .argument('<campaign>', 'its id')
    .action(async (campaignId: string) => {
      const call = { params: { campaignId } };
      let rehearsal = await callServer(context.connection(), 'rehearseCampaign', call);
      while (text(rehearsal, 'state') === 'running') {
        await pause(WATCH_MS);
        rehearsal = await callServer(context.connection(), 'getRehearsal', call);
        context.output().say(rehearsalScreen(rehearsal));
      }
      context.output().result(rehearsal, rehearsalScreen);
    });
  command
    .command('open-wave')
    .description('open the next wave by hand')
    .argument('<campaign>', 'its id')
    .argument('<wave>', 'its number')
    .action(async (campaignId: string, wave: string) => {
      const params = { campaignId, wave };
      printCampaign(context, await callServer(context.connection(), 'openWave', { params }));
    });
}

function addPlanOptions(command: Command): Command {
  return command
    .option('--file <JSON>', 'the whole plan: name, releaseId, query, policy, waves, guard')
    .option('--release <ID>', 'the release')
    .option('--query <CEL>', 'which vehicles, for instance vehicle.model == "X1"')
    .option('--priority <N>', 'the higher goes first where two want one vehicle', parseWhole)
    .option('--joins', 'vehicles that come to match while it runs take part');
}

function parseWhole(value: string): number {
  if (!/^\d{1,4}$/.test(value)) throw new InvalidArgumentError('a whole number');
  return Number(value);
}

/** A file, and over it what the command line says. */
async function readPlan(
  context: CommandContext,
  name: string | undefined,
  { file, release, query, priority, joins }: CreateOptions,
): Promise<JsonObject> {
  const read = file === undefined ? {} : parseJson(await context.readFile(file), PLAN_MAX_BYTES);
  if (!isJsonObject(read)) throw new CliFault('USAGE', `Cannot read ${file ?? ''}: no plan in it`);
  const stated = isJsonObject(read['policy']) ? read['policy'] : {};
  const policy = {
    ...stated,
    ...(priority === undefined ? {} : { priority }),
    ...(joins === undefined ? {} : { joins }),
  };
  const plan = {
    ...read,
    ...(name === undefined ? {} : { name }),
    ...(release === undefined ? {} : { releaseId: release }),
    ...(query === undefined ? {} : { query }),
    ...(Object.keys(policy).length === 0 ? {} : { policy }),
  };
  const missing = ['name', 'releaseId', 'query'].filter((part) => !Object.hasOwn(plan, part));
  if (missing.length === 0) return plan;
  throw new CliFault('USAGE', `Cannot plan campaign: say ${missing.join(', ')}, or give --file`);
}

function addMove(
  command: Command,
  context: CommandContext,
  move: {
    readonly verb: string;
    readonly route: keyof typeof OPERATOR_ROUTES;
    readonly what: string;
    readonly reason?: 'optional' | 'required';
  },
): void {
  const { verb, route, what, reason } = move;
  const made = command
    .command(verb)
    .description(`${what} a campaign`)
    .argument('<campaign>', 'its id');
  if (reason !== undefined) {
    const option = new Option('--reason <TEXT>', 'why, for the record');
    made.addOption(reason === 'required' ? option.makeOptionMandatory() : option);
  }
  made.action(async (campaignId: string, options: { readonly reason?: string }) => {
    const json = options.reason === undefined ? {} : { json: { reason: options.reason } };
    const call = { params: { campaignId }, ...json };
    printCampaign(context, await callServer(context.connection(), route, call));
  });
}

function addLooking(command: Command, context: CommandContext): void {
  command
    .command('status')
    .description('show the waves, the funnel, and the failures against their limit')
    .argument('<campaign>', 'its id')
    .action(async (campaignId: string) => {
      const status = await loadStatus(context, campaignId);
      context.output().result(status, statusScreen);
    });
  command
    .command('watch')
    .description('show the status again and again, until it is over')
    .argument('<campaign>', 'its id')
    .action(async (campaignId: string) => {
      for (;;) {
        const status = await loadStatus(context, campaignId);
        context.output().result(status, statusScreen);
        const state = isJsonObject(status['campaign']) ? text(status['campaign'], 'state') : '';
        if (state === 'finished' || state === 'cancelled') return;
        await pause(WATCH_MS);
      }
    });
  command
    .command('why-not')
    .description('say for every campaign why a vehicle is not updated')
    .argument('<vehicle>', 'its id')
    .action(async (vehicleId: string) => {
      const call = { params: { vehicleId } };
      const answer = await callServer(context.connection(), 'explainVehicle', call);
      context.output().result([...objects(answer, 'items')], whyNotScreen);
    });
  for (const [verb, route, what, screen] of [
    ['failures', 'listFailures', 'show where failures of a campaign gather', failuresScreen],
    [
      'conflicts',
      'listConflicts',
      'list what other campaigns want of its vehicles',
      conflictsScreen,
    ],
  ] as const) {
    command
      .command(verb)
      .description(what)
      .argument('<campaign>', 'its id')
      .action(async (campaignId: string) => {
        const answer = await callServer(context.connection(), route, { params: { campaignId } });
        context.output().result([...objects(answer, 'items')], screen);
      });
  }
}

async function loadStatus(context: CommandContext, campaignId: string): Promise<JsonObject> {
  const call = { params: { campaignId } };
  const campaign = await callServer(context.connection(), 'getCampaign', call);
  const live = await callServer(context.connection(), 'getLiveCampaign', call);
  return { campaign, live };
}

function statusScreen({ campaign, live }: JsonObject): string {
  const parts = [
    isJsonObject(campaign) ? campaignScreen(campaign) : '',
    isJsonObject(live) ? liveScreen(live) : '',
  ];
  return parts.join('\n\n');
}

function addLists(command: Command, context: CommandContext): void {
  command
    .command('list')
    .description('list campaigns, the newest first')
    .option('--state <STATE>', 'only those in this state')
    .action(async ({ state }: { readonly state?: string }) => {
      const list = listAll(context.connection(), 'listCampaigns', { query: { state } });
      const rows = await Array.fromAsync(list);
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
    .option('--reason <REASON>', 'only those with this reason')
    .option('--wave <N>', 'only those of this wave')
    .option('--search <TEXT>', 'only those whose id or VIN begins so')
    .action(async (campaignId: string, query: Readonly<Record<string, string | undefined>>) => {
      const call = { params: { campaignId }, query };
      const rows = await Array.fromAsync(listAll(context.connection(), 'listMembers', call));
      context
        .output()
        .result(rows, () =>
          table([
            ['VEHICLE', 'WAVE', 'STATE', 'STAGE', 'REASON', 'NEXT STEP', 'WHO'],
            ...rows.map((row) =>
              ['vehicleId', 'wave', 'state', 'stage', 'reason', 'nextStep', 'actor'].map((name) =>
                text(row, name),
              ),
            ),
          ]),
        );
    });
}

function printCampaign(context: CommandContext, campaign: JsonObject): void {
  context.output().result(campaign, campaignScreen);
}
