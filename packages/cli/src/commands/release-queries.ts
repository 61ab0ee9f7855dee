/** `immota release show|solve|block|unblock|rxswins`. */
import type { JsonObject } from '@immota/base';
import type { Command } from 'commander';
import { callServer, listAll } from '../client.ts';
import type { CommandContext } from '../context.ts';
import { object, objects, show, text } from '../fields.ts';
import { table } from '../terminal/output.ts';

/** Adds the commands that ask the server about releases. */
export function addReleaseQueries(command: Command, context: CommandContext): void {
  command
    .command('show')
    .description('show a release: images, what each installs over, and its RXSWINs')
    .argument('<release>', 'its id')
    .action(async (releaseId: string) => {
      const params = { releaseId };
      printRelease(context, await callServer(context.connection(), 'getRelease', { params }));
    });
  command
    .command('solve')
    .description('find the shortest safe way of a vehicle to a release, or what stands against it')
    .argument('<release>', 'its id')
    .requiredOption('--vehicle <VIN>', 'the vehicle')
    .action(async (releaseId: string, options: { readonly vehicle: string }) => {
      const call = { params: { releaseId }, json: { vehicleId: options.vehicle } };
      printSolution(context, await callServer(context.connection(), 'solveRelease', call));
    });
  addBlock(command, context, true);
  addBlock(command, context, false);
  command
    .command('rxswins')
    .description('list the register of RXSWINs, the newest first')
    .option('--regulation <NAME>', 'only this one’s, as R79')
    .option('--rxswin <RXSWIN>', 'only this one')
    .action(async (query: { readonly regulation?: string; readonly rxswin?: string }) => {
      const list = listAll(context.connection(), 'listRxswins', { query: { ...query } });
      const rows = await Array.fromAsync(list);
      context.output().result(rows, () => describeRegister(rows));
    });
}

function addBlock(command: Command, context: CommandContext, isBlocked: boolean): void {
  command
    .command(isBlocked ? 'block' : 'unblock')
    .description(
      isBlocked ? 'block a release for every campaign at once' : 'let a blocked release go again',
    )
    .argument('<release>', 'its id')
    .requiredOption('--reason <TEXT>', 'for whoever asks why')
    .action(async (releaseId: string, options: { readonly reason: string }) => {
      const call = { params: { releaseId }, json: { isBlocked, reason: options.reason } };
      printRelease(context, await callServer(context.connection(), 'blockRelease', call));
    });
}

function printRelease(context: CommandContext, release: JsonObject): void {
  const blocked = text(release, 'blockedBecause');
  context
    .output()
    .result(release, () =>
      [
        `Release ${text(release, 'releaseId')}: ${text(release, 'name')} ${text(release, 'version')}`,
        ...(blocked === '' ? [] : [`blocked: ${blocked}`]),
        `dossier ${release['isDossierComplete'] === true ? 'complete' : 'not complete'}`,
        table([
          ['HARDWARE', 'IMAGE', 'VERSION', 'GOAL', 'INSTALLS OVER'],
          ...objects(release, 'images').map((image) => [
            text(image, 'hardwareId'),
            text(image, 'name'),
            text(image, 'version'),
            image['isGoal'] === true ? 'goal' : '',
            show(image['installsOver'] ?? 'anything'),
          ]),
        ]),
        ...objects(release, 'rxswins').map((one) => describeRxswin(one)),
      ].join('\n'),
    );
}

function describeRxswin(one: JsonObject): string {
  const before = text(one, 'before');
  const from = before === '' ? '' : ` (before ${before})`;
  return `${text(one, 'regulation')} on ${text(one, 'hardwareId')}: ${text(one, 'rxswin')}${from}`;
}

function printSolution(context: CommandContext, solution: JsonObject): void {
  const bundles = objects(solution, 'bundles');
  const clash = objects(solution, 'clash').map((fact) => `  ${text(fact, 'fact')}`);
  context.output().result(solution, () => {
    if (text(solution, 'kind') === 'none') {
      return ['There is no way, for all of this is true at once:', ...clash].join('\n');
    }
    if (bundles.length === 0) return 'It runs the release already';
    return bundles
      .map((bundle, index) => `${index + 1}. ${show(object({ bundle }, 'bundle'))}`)
      .join('\n');
  });
}

function describeRegister(rows: readonly JsonObject[]): string {
  return table([
    [
      '#',
      'REGULATION',
      'RXSWIN',
      'BEFORE',
      'HARDWARE',
      'RELEASE',
      'APPROVAL',
      'VEHICLES',
      'DISAGREE',
    ],
    ...rows.map((row) =>
      [
        'sequence',
        'regulation',
        'rxswin',
        'before',
        'hardwareId',
        'releaseName',
        'approvalNumber',
        'vehicles',
        'disagreeing',
      ].map((name) => text(row, name)),
    ),
  ]);
}
