/** `immota fleet`: the fleet as a whole, by the same queries as everywhere. */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { type JsonObject, member } from '@immota/base';
import { Command, Option } from 'commander';
import { callServer, streamServer } from '../client.ts';
import type { CommandContext } from '../context.ts';
import { objects, show, text } from '../fields.ts';
import { table } from '../terminal/output.ts';

const LISTED = '100';

/** Adds `immota fleet` to the command. */
export function fleetCommand(context: CommandContext): Command {
  const command = new Command('fleet').description('count, list and export vehicles');
  addCount(command, context);
  addList(command, context);
  addExport(command, context);
  command
    .command('facets')
    .description('list the values that queries can ask for')
    .action(async () => {
      const facets = await callServer(context.connection(), 'listFacets');
      context.output().result(facets, () => renderFacets(facets));
    });
  command
    .command('cockpit')
    .description('show what to do next, and how the fleet is')
    .action(async () => {
      const cockpit = await callServer(context.connection(), 'getCockpit');
      context.output().result(cockpit, () => renderCockpit(cockpit));
    });
  return command;
}

function addCount(command: Command, context: CommandContext): void {
  command
    .command('count')
    .description('count the vehicles that a query means, and show some')
    .argument('<query>', 'CEL, for instance: vehicle.model == "X1" && "gw-hw" in vehicle.hardware')
    .option('--sample <COUNT>', 'how many to show', '5')
    .action(async (query: string, options: { readonly sample: string }) => {
      const json = { query, sample: Number(options.sample) };
      const counted = await callServer(context.connection(), 'countFleet', { json });
      context.output().result(counted, () => {
        const about = member(counted, 'isExact') === true ? '' : 'about ';
        const sample = objects(counted, 'sample');
        const head = `${about}${show(member(counted, 'vehicles'))} vehicles`;
        return sample.length === 0 ? head : `${head}\n${renderVehicles(sample)}`;
      });
    });
}

function addList(command: Command, context: CommandContext): void {
  const sorts = ['vehicleId', 'lastSeenAt', '-lastSeenAt', 'model', 'market'];
  command
    .command('list')
    .description('list vehicles, page by page')
    .option('--query <CEL>', 'which vehicles')
    .option('--search <TEXT>', 'the beginning of an id or a VIN')
    .addOption(new Option('--sort <FIELD>', 'by what').choices(sorts).default('vehicleId'))
    .option('--after <PLACE>', 'where the page before ended')
    .option('--limit <COUNT>', 'vehicles of a page', LISTED)
    .action(async (query: Readonly<Record<string, string>>) => {
      const page = await callServer(context.connection(), 'listFleet', { query });
      context.output().result(page, () => {
        const next = text(page, 'next');
        const more = next === '' ? '' : `\nmore: --after ${next}`;
        return `${renderVehicles(objects(page, 'items'))}${more}`;
      });
    });
}

function addExport(command: Command, context: CommandContext): void {
  command
    .command('export')
    .description('write the vehicles that a query means into a file')
    .argument('<file>', 'the file; - for the standard output')
    .option('--query <CEL>', 'which vehicles; all when left out')
    .addOption(new Option('--format <FORMAT>').choices(['csv', 'ndjson']).default('csv'))
    .action(async (file: string, query: Readonly<Record<string, string>>) => {
      const stream = await streamServer(context.connection(), 'exportFleet', { query });
      if (file === '-') {
        for await (const chunk of stream) {
          if (!process.stdout.write(chunk)) await once(process.stdout, 'drain');
        }
        return;
      }
      const target = createWriteStream(file, { flags: 'wx' });
      let lengthBytes = 0;
      for await (const chunk of stream) {
        lengthBytes += chunk.length;
        if (!target.write(chunk)) await once(target, 'drain');
      }
      target.end();
      await finished(target);
      const result = { file, lengthBytes };
      context.output().result(result, () => `${file}: ${lengthBytes} bytes`);
    });
}

function renderVehicles(vehicles: readonly JsonObject[]): string {
  return table([
    ['VEHICLE', 'VIN', 'MODEL', 'MARKET', 'LAST SEEN', 'STATE', 'REASON'],
    ...vehicles.map((vehicle) =>
      ['vehicleId', 'vin', 'model', 'market', 'lastSeenAt', 'state', 'reason'].map((name) =>
        text(vehicle, name),
      ),
    ),
  ]);
}

function renderFacets(facets: JsonObject): string {
  const counted = ['models', 'markets', 'hardware', 'images', 'rxswins'].flatMap((facet) =>
    objects(facets, facet).map((one) => [
      facet,
      [text(one, 'hardwareId'), text(one, 'value')].filter((part) => part !== '').join(' '),
      show(member(one, 'vehicles')),
    ]),
  );
  const tags = objects(facets, 'tags').map((tag) => [
    'tag',
    text(tag, 'name'),
    show(member(tag, 'values')),
  ]);
  return table([['FACET', 'VALUE', 'VEHICLES'], ...counted, ...tags]);
}

function renderCockpit(cockpit: JsonObject): string {
  const actions = objects(cockpit, 'actions');
  const shown = (name: string): string => show(member(cockpit, name));
  return [
    `${shown('vehicles')} vehicles, ${shown('seenLastDay')} seen since yesterday, ${shown('quarantined')} barred`,
    '',
    actions.length === 0
      ? 'nothing to do'
      : table([
          ['SEVERITY', 'WHAT'],
          ...actions.map((action) => [text(action, 'severity'), text(action, 'title')]),
        ]),
    '',
    table([
      ['CAMPAIGN', 'STATE', 'UPDATED', 'FAILED', 'OF'],
      ...objects(cockpit, 'campaigns').map((campaign) => [
        text(campaign, 'name'),
        text(campaign, 'state'),
        ...['updated', 'failed', 'vehicles'].map((name) => show(member(campaign, name))),
      ]),
    ]),
    '',
    table([
      ['SILENT FOR DAYS', 'VEHICLES'],
      ...objects(cockpit, 'silence').map((bucket) => [
        text(bucket, 'days'),
        show(member(bucket, 'vehicles')),
      ]),
    ]),
  ].join('\n');
}
