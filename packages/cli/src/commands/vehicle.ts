/** `immota vehicle` and `immota ecu`: make vehicles, run them, and look after those in the field. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { exportOfflineUpdate } from '@immota/cloud';
import {
  CONSENT_ROLES,
  type ConsentPort,
  type ConsentRole,
  policyConsent,
  promptConsent,
} from '@immota/vehicle';
import { Command, Option } from 'commander';
import { callServer, listAll } from '../client.ts';
import type { CommandContext } from '../context.ts';
import { CliFault } from '../fault.ts';
import { objects, text } from '../fields.ts';
import { table } from '../terminal/output.ts';
import { BUS_SPELLING } from '../vehicle/carrier.ts';
import { describeProgress } from '../vehicle/describe-progress.ts';
import {
  DEFAULT_BUSES,
  DEFAULT_ECUS,
  ECU_SPELLING,
  parseBusPlan,
  parseEcuPlan,
  wire,
} from '../vehicle/ecu-plan.ts';
import { makeVehicle } from '../vehicle/factory.ts';
import { isWired, runLoneEcu, type RunningLoneEcu } from '../vehicle/lone-ecu.ts';
import { type RunningVehicle, runVehicle, startEcu } from '../vehicle/run.ts';
import type { ScreensPlan } from '../vehicle/screens.ts';
import { withCloud } from './pki.ts';
import { approveCommand } from './technician.ts';

/** Of a fleet, whose vehicles have no buses of their own: there are a thousand in one process. */
const FLEET_ECUS = ['brake:brake-hw', 'body:body-hw', 'ivi:ivi-hw'];

/** Adds `immota vehicle` to the command. */
export function vehicleCommand(context: CommandContext): Command {
  const command = new Command('vehicle').description('make, run and look after vehicles');
  addMake(command, context);
  addRun(command, context);
  command.addCommand(approveCommand(context));
  addInventory(command, context);
  return command;
}

interface MakeOptions {
  readonly out: string;
  readonly ecu: readonly string[];
  readonly bus?: readonly string[];
  readonly tboxHardware: string;
  readonly profile: 'classic' | 'hybrid';
  readonly gateway: string;
  readonly wake?: string;
}

function addMake(command: Command, context: CommandContext): void {
  command
    .command('make')
    .description('make a simulated vehicle: what its factory would put into each ECU')
    .argument('<id>', 'VIN or device id')
    .requiredOption('--out <DIR>', 'the vehicle’s folder')
    .option('--ecu <ECU...>', `its ECUs, each ${ECU_SPELLING}`, [...DEFAULT_ECUS])
    .option('--bus <NAME:BPS...>', 'its CAN buses; with /DATA_BPS for CAN FD', [...DEFAULT_BUSES])
    .option('--tbox-hardware <HARDWARE>', 'of the T-BOX', 'tbox-hw')
    .addOption(
      new Option('--profile <name>', 'which keys the ECUs make')
        .choices(['classic', 'hybrid'])
        .default('classic'),
    )
    .option('--gateway <URL>', 'where the vehicle finds its server', 'https://localhost:8443')
    .option('--wake <URL>', 'where wake-ups come from, mqtts://…')
    .action(async (id: string, options: MakeOptions) => {
      await withCloud(context, async (cloud) => {
        const plan = planOf(id, options.out, options);
        const topology = wire(plan.secondaries, (options.bus ?? DEFAULT_BUSES).map(parseBusPlan));
        await makeVehicle(context, cloud, { ...plan, topology });
      });
      context.output().result({ id, folder: options.out }, () => `Made ${id} in ${options.out}`);
      context.output().note(`Next: immota vehicle run ${options.out}`);
    });
}

function planOf(
  id: string,
  folder: string,
  options: MakeOptions,
): Parameters<typeof makeVehicle>[2] {
  // Serial numbers are unique across the fleet.
  const secondaries = options.ecu.map((one) => parseEcuPlan(one, `${id}-`));
  return {
    vehicleId: id,
    folder,
    tboxHardware: options.tboxHardware,
    secondaries,
    profile: options.profile,
    server: options.gateway,
    wake: options.wake,
    topology: undefined,
  };
}

interface RunOptions extends MakeOptions {
  readonly consent: 'ask' | 'always' | 'never' | 'security-only';
  readonly once?: true;
  readonly fleet?: string;
  readonly pollSeconds: string;
  readonly usb?: string;
  readonly obd?: string;
  readonly locale: string;
  readonly hmi?: string | true;
  readonly hmiRole: ConsentRole;
}

function addRun(command: Command, context: CommandContext): void {
  command
    .command('run')
    .description('run a vehicle, or a fleet of them, until it is stopped')
    .argument('<folder>', 'the vehicle’s folder, or with --fleet the folder for all of them')
    .addOption(
      new Option('--consent <policy>', 'who answers when consent is asked')
        .choices(['ask', 'always', 'never', 'security-only'])
        .default('ask'),
    )
    .option('--once', 'check in once and end')
    .option('--usb <DIR>', 'update once from a folder, offline, and end')
    .option('--poll-seconds <N>', 'between check-ins', '60')
    .option('--locale <TAG>', 'the owner’s language', 'en')
    .option(
      '--hmi [PORT]',
      'open the vehicle’s screens on the loopback; on a free port without one',
    )
    .addOption(
      new Option('--hmi-role <role>', 'with --hmi: whom the code that is shown connects')
        .choices(CONSENT_ROLES)
        .default('owner'),
    )
    .option('--obd <BUS>', `where testers plug in: ${BUS_SPELLING}`)
    .option('--fleet <N>', 'make what is missing of N vehicles and run them all')
    .option('--ecu <ID:HARDWARE...>', 'with --fleet: their ECUs', FLEET_ECUS)
    .option('--tbox-hardware <HARDWARE>', 'with --fleet: of their T-BOXes', 'tbox-hw')
    .option('--profile <name>', 'with --fleet: which keys the ECUs make', 'classic')
    .option('--gateway <URL>', 'with --fleet: their server', 'https://localhost:8443')
    .action(async (folder: string, options: RunOptions) => {
      const folders = await findFolders(context, folder, options);
      const vehicles: RunningVehicle[] = [];
      try {
        for (const [index, one] of folders.entries()) {
          vehicles.push(await startOne(context, one, { options, isMany: folders.length > 1 }));
          if (folders.length > 1) context.output().say(`started ${index + 1} of ${folders.length}`);
        }
        await carryOn(context, vehicles, options);
      } finally {
        await Promise.all(vehicles.map((vehicle) => vehicle.close()));
      }
    });
}

async function findFolders(
  context: CommandContext,
  folder: string,
  options: RunOptions,
): Promise<readonly string[]> {
  if (options.fleet === undefined) return [folder];
  const count = Number(options.fleet);
  if (!Number.isSafeInteger(count) || count < 1 || count > 1000) {
    throw new CliFault('USAGE', 'Cannot run fleet: --fleet takes 1 to 1000 in one process');
  }
  const ids = Array.from(
    { length: count },
    (_, index) => `SIM${String(index + 1).padStart(14, '0')}`,
  );
  const missing = ids.filter((id) => !existsSync(join(folder, id, 'tbox', 'config.json')));
  if (missing.length > 0) {
    await withCloud(context, async (cloud) => {
      for (const id of missing) {
        await makeVehicle(context, cloud, planOf(id, join(folder, id), options));
      }
    });
  }
  return ids.map((id) => join(folder, id));
}

async function startOne(
  context: CommandContext,
  folder: string,
  { options, isMany }: { readonly options: RunOptions; readonly isMany: boolean },
): Promise<RunningVehicle> {
  const output = context.output();
  const prefix = isMany ? `${folder.split('/').at(-1) ?? folder}: ` : '';
  return await runVehicle({
    folder,
    consent: consentOf(options.consent),
    locale: options.locale,
    obd: options.obd,
    screens: isMany ? undefined : screensOf(context, options),
    policy: {
      ...(options.hmi === undefined ? {} : { consentPatienceMs: HMI_PATIENCE_MS }),
      pollIntervalMs:
        options.once === true || options.usb !== undefined
          ? undefined
          : Number(options.pollSeconds) * 1000,
    },
    onProgress: (event) => {
      const line = describeProgress(event);
      if (line !== undefined) output.say(`${prefix}${line}`);
    },
  });
}

/** Somebody before a screen answers soon; whoever answers later wakes the vehicle. */
const HMI_PATIENCE_MS = 120_000;

function screensOf(context: CommandContext, options: RunOptions): ScreensPlan | undefined {
  const { hmi, hmiRole: role, consent } = options;
  if (hmi === undefined) return undefined;
  const port = hmi === true ? 0 : Number(hmi);
  if (!Number.isSafeInteger(port) || port < 0 || port > 65_535) {
    throw new CliFault('USAGE', `Cannot open screens: "${String(hmi)}" is no port`);
  }
  const output = context.output();
  return {
    port,
    role,
    onPairingCode: (code, url) => {
      output.say(`screens: ${url} connects the ${role}, once (or type ${code})`);
    },
    onRefusal: ({ code, message }) => output.say(`screens REFUSED [${code}] ${message}`),
    consentBy: (screens) => (consent === 'ask' ? screens : policyConsent(consent, screens)),
  };
}

function consentOf(policy: RunOptions['consent']): ConsentPort {
  const person = promptConsent({ input: process.stdin, output: process.stderr, actor: 'owner' });
  return policy === 'ask' ? person : policyConsent(policy, person);
}

async function carryOn(
  context: CommandContext,
  vehicles: readonly RunningVehicle[],
  options: RunOptions,
): Promise<void> {
  const output = context.output();
  const { usb } = options;
  if (usb !== undefined || options.once === true) {
    const results = [];
    for (const { primary } of vehicles) {
      const result = await (usb === undefined ? primary.checkIn() : primary.updateFromFolder(usb));
      results.push({ ecu: String(primary.ecuIdentifier), outcome: result.kind });
    }
    output.result(results, (all) => all.map((one) => `${one.ecu}: ${one.outcome}`).join('\n'));
    return;
  }
  output.note('Running; stop with Ctrl+C');
  const { promise, resolve } = Promise.withResolvers<void>();
  process.once('SIGINT', resolve);
  process.once('SIGTERM', resolve);
  await promise;
}

function addInventory(command: Command, context: CommandContext): void {
  command
    .command('list')
    .description('list vehicles on the server')
    .option('--query <CEL>', 'only those, for instance vehicle.model == "X1"')
    .action(async (options: { readonly query?: string }) => {
      const call = { query: { query: options.query } };
      const rows = await Array.fromAsync(listAll(context.connection(), 'listVehicles', call));
      context
        .output()
        .result(rows, () =>
          table([
            ['VEHICLE', 'MODEL', 'MARKET', 'LAST SEEN', 'ECUS'],
            ...rows.map((row) => [
              text(row, 'vehicleId'),
              text(row, 'model'),
              text(row, 'market'),
              text(row, 'lastSeenAt'),
              String(objects(row, 'ecus').length),
            ]),
          ]),
        );
    });
  command
    .command('set')
    .description('say what is known of a vehicle, or bar it')
    .argument('<id>', 'VIN or device id')
    .option('--model <MODEL>', 'the vehicle line')
    .option('--market <MARKET>', 'where it was sold')
    .option('--tag <NAME=VALUE...>', 'whatever queries ask for')
    .option('--quarantine', 'bar it at once')
    .option('--release', 'lift the bar')
    .action(async (vehicleId: string, options: SetOptions) => {
      const call = { params: { vehicleId }, json: patchOf(options) };
      const row = await callServer(context.connection(), 'patchVehicle', call);
      context.output().result(row, () => `Saved ${vehicleId}`);
    });
  command
    .command('replace-ecu')
    .description('approve the key of an ECU that was replaced')
    .argument('<id>', 'VIN or device id')
    .argument('<ecu>', 'the ECU')
    .action(async (vehicleId: string, ecuId: string) => {
      const call = { params: { vehicleId, ecuId } };
      const row = await callServer(context.connection(), 'approveReplacement', call);
      context.output().result(row, () => `Approved ${ecuId} of ${vehicleId}`);
    });
  addVisit(command, context);
}

/** What is done for one vehicle now: a stick, a wake-up. */
function addVisit(command: Command, context: CommandContext): void {
  command
    .command('usb')
    .description('write the update that is planned for a vehicle to a stick, for offline use')
    .argument('<id>', 'VIN or device id')
    .requiredOption('--out <DIR>', 'the stick')
    .action(async (vehicleId: string, { out }: { readonly out: string }) => {
      let images: readonly string[] = [];
      await withCloud(context, async (cloud) => {
        images = [...(await exportOfflineUpdate(cloud, vehicleId, out)).images.values()];
      });
      context
        .output()
        .result({ vehicleId, images }, () =>
          images.length === 0
            ? 'Nothing is planned for it'
            : `Wrote ${images.join(', ')} to ${out}`,
        );
      context.output().note('In the vehicle: immota vehicle run FOLDER --usb DIR');
    });
  command
    .command('wake')
    .description('ask a vehicle to check in now')
    .argument('<id>', 'VIN or device id')
    .action(async (vehicleId: string) => {
      const answer = await callServer(context.connection(), 'wakeVehicle', {
        params: { vehicleId },
      });
      context
        .output()
        .result(answer, () =>
          answer['isSent'] === true ? 'Sent' : 'Not connected: it will ask by itself',
        );
    });
}

interface SetOptions {
  readonly model?: string;
  readonly market?: string;
  readonly tag?: readonly string[];
  readonly quarantine?: true;
  readonly release?: true;
}

function patchOf({ model, market, tag, quarantine, release }: SetOptions): Record<string, never> {
  const tags = tag?.map((one) => one.split('=', 2));
  const patch = {
    ...(model === undefined ? {} : { model }),
    ...(market === undefined ? {} : { market }),
    ...(tags === undefined ? {} : { tags: Object.fromEntries(tags) }),
    ...(quarantine === true ? { isQuarantined: true } : {}),
    ...(release === true ? { isQuarantined: false } : {}),
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- plain JSON, whose members are optional
  return patch as Record<string, never>;
}

interface EcuRunOptions {
  readonly port: string;
  readonly carrier?: string;
  readonly host: string;
  readonly standardPorts?: true;
}

/** Adds `immota ecu` to the command. */
export function ecuCommand(context: CommandContext): Command {
  const command = new Command('ecu').description('run one ECU alone, for testers of any maker');
  command
    .command('run')
    .description('run an ECU until it is stopped; it answers UDS by DoIP or on a CAN bus')
    .argument('<folder>', 'the ECU’s folder, as immota vehicle make wrote it: CAR/ecus/ID')
    .option(
      '--carrier <HOW>',
      'doip, udp[:GROUP:PORT] (as python-can), cannelloni:LOCAL_PORT:ADDRESS:PORT or socketcan:NAME; its own place in the vehicle when left out',
    )
    .option('--host <ADDRESS>', 'where DoIP listens', '127.0.0.1')
    .option('--standard-ports', 'DoIP on 13400 and 3496 instead of free ones')
    .option('--port <PORT>', 'where its Primary finds it, in a vehicle without wiring', '0')
    .action(async (folder: string, options: EcuRunOptions) => {
      const output = context.output();
      const ecu = isWired(folder)
        ? await startWiredEcu(context, folder, options)
        : await startBenchEcu(context, folder, Number(options.port));
      const { ecuIdentifier, reach } = ecu;
      output.result({ ecuIdentifier, ...reach }, () => describeReach(ecuIdentifier, reach));
      const { promise, resolve } = Promise.withResolvers<void>();
      process.once('SIGINT', resolve);
      process.once('SIGTERM', resolve);
      await promise;
      await ecu.close();
    });
  return command;
}

async function startWiredEcu(
  context: CommandContext,
  folder: string,
  options: EcuRunOptions,
): Promise<RunningLoneEcu> {
  const output = context.output();
  return await runLoneEcu({
    folder,
    carrier: options.carrier,
    host: options.host,
    isStandardPorts: options.standardPorts === true,
    onProgress: (progress) => output.say(progress.kind),
    onRefused: ({ serviceId, responseCode }) => {
      output.say(`refused service 0x${serviceId.toString(16)}: 0x${responseCode.toString(16)}`);
    },
    onFailure: (error) => output.note(error instanceof Error ? error.message : String(error)),
  });
}

async function startBenchEcu(
  context: CommandContext,
  folder: string,
  port: number,
): Promise<RunningLoneEcu> {
  const output = context.output();
  const ecu = await startEcu(folder, (progress) => output.say(progress.kind), port);
  const reach = { carrier: 'link', host: ecu.host, port: ecu.port };
  return { ecuIdentifier: ecu.ecuIdentifier, reach, close: async () => ecu.close() };
}

function describeReach(ecuIdentifier: string, reach: RunningLoneEcu['reach']): string {
  const { carrier, ...others } = reach;
  const hexadecimal = new Set(['address', 'requestId', 'responseId']);
  const words = Object.entries(others).map(([name, value]) =>
    hexadecimal.has(name) ? `${name} 0x${Number(value).toString(16)}` : `${name} ${value}`,
  );
  return `${ecuIdentifier} by ${String(carrier)}: ${words.join(', ')}`;
}
