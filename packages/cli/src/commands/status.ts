/** `immota status VIN`: what a vehicle runs, what happened to it, and why it is not updated. */
import { member, type JsonObject } from '@immota/base';
import { Command } from 'commander';
import { callServer } from '../client.ts';
import type { CommandContext } from '../context.ts';
import { object, objects, show, text } from '../fields.ts';
import { table } from '../terminal/output.ts';

/** Events shown unless more are asked for. */
const EVENTS_SHOWN = 20;

/** Adds `immota status` to the command. */
export function statusCommand(context: CommandContext): Command {
  return new Command('status')
    .description('show a vehicle: its ECUs, its timeline, and why it is not updated')
    .argument('<vehicle>', 'VIN or device id')
    .option('--events <COUNT>', 'how many events', String(EVENTS_SHOWN))
    .action(async (vehicleId: string, options: { readonly events: string }) => {
      const connection = context.connection();
      const params = { vehicleId };
      const vehicle = await callServer(connection, 'getVehicle', { params });
      const why = await callServer(connection, 'explainVehicle', { params });
      const query = { limit: options.events };
      const timeline = await callServer(connection, 'listTimeline', { params, query });
      const status = {
        vehicle,
        whyNot: objects(why, 'items'),
        timeline: objects(timeline, 'items'),
      };
      context.output().result(status, () => render(status));
    });
}

interface VehicleStatus {
  readonly vehicle: JsonObject;
  readonly whyNot: readonly JsonObject[];
  readonly timeline: readonly JsonObject[];
}

function render({ vehicle, whyNot, timeline }: VehicleStatus): string {
  const barred = member(vehicle, 'isQuarantined') === true ? ', BARRED' : '';
  return [
    `${text(vehicle, 'vehicleId')} ${text(vehicle, 'model')} ${text(vehicle, 'market')}${barred}`,
    `last seen ${text(vehicle, 'lastSeenAt') || 'never'}`,
    '',
    table([
      ['ECU', 'HARDWARE', 'RUNS', 'SINCE', 'NOTES'],
      ...objects(vehicle, 'ecus').map((ecu) => [
        text(ecu, 'ecuId'),
        text(ecu, 'hardwareId'),
        text(object(ecu, 'installed'), 'name'),
        text(object(ecu, 'installed'), 'since'),
        notesOf(ecu),
      ]),
    ]),
    ...whyNot.flatMap((why) => [
      '',
      `${text(why, 'campaignName')} (${text(why, 'release')}): ${text(why, 'state')}${text(why, 'reason') === '' ? '' : ` · ${text(why, 'reason')}`}`,
      `  ${text(why, 'meaning')}`,
      `  next: ${text(why, 'nextStep')} (${text(why, 'actor')})`,
    ]),
    '',
    ...timeline
      .toReversed()
      .map(
        (event) => `${text(event, 'at')}  ${text(event, 'kind')}  ${show(member(event, 'body'))}`,
      ),
  ].join('\n');
}

function notesOf(ecu: JsonObject): string {
  const attack = text(ecu, 'attacksDetected');
  return [
    ...(member(ecu, 'isPrimary') === true ? ['Primary'] : []),
    ...(attack === '' ? [] : [`ATTACK: ${attack}`]),
    ...(member(ecu, 'missingSince') === undefined
      ? []
      : [`missing since ${text(ecu, 'missingSince')}`]),
    ...(member(ecu, 'isReplacementPending') === true ? ['came with another key'] : []),
  ].join(', ');
}
