/**
 * `immota demo`: the main job once through, with real firmware, over real sockets: build, sign,
 * publish, notify, consent, download, verify, install, boot, report.
 */
import { chmodSync, createReadStream, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type JsonObject, unreachable } from '@immota/base';
import {
  createToken,
  initialiseCloud,
  type Platform,
  publishTree,
  startPlatform,
} from '@immota/cloud';
import {
  type FactoryImage,
  keepFactoryImages,
  policyConsent,
  programAtFactory,
  type ProgressEvent,
} from '@immota/vehicle';
import { Command } from 'commander';
import { callServer, type Connection } from '../client.ts';
import type { CommandContext } from '../context.ts';
import { collectFirmware, type DemoEcu, measure } from '../demo/firmware.ts';
import { createNarrator, type Narrator, stepsAsJson } from '../demo/narrator.ts';
import { object, objects, text } from '../fields.ts';
import { progressBar } from '../terminal/progress-bar.ts';
import { table } from '../terminal/output.ts';
import { describeProgress } from '../vehicle/describe-progress.ts';
import { DEFAULT_BUSES, parseBusPlan, parseEcuPlan, wire } from '../vehicle/ecu-plan.ts';
import { makeVehicle } from '../vehicle/factory.ts';
import { type RunningVehicle, runVehicle } from '../vehicle/run.ts';
import { signTargets, uploadImage } from './image.ts';
import { signRelease } from './release.ts';

const VIN = 'WIMMOTA1X00000001';
const OWNER_TEXT = {
  en: 'This update improves braking and brings a new infotainment system.',
  de: 'Dieses Update verbessert die Bremsen und bringt ein neues Infotainment.',
  zh: '本次更新改进制动系统，并带来全新的信息娱乐系统。',
};

/** Adds `immota demo` to the command. */
export function demoCommand(context: CommandContext): Command {
  return new Command('demo')
    .description('show the main job once through: a signed update from the build to every ECU')
    .option('--keep <DIR>', 'keep everything in this folder, to look into afterwards')
    .action(async (options: { readonly keep?: string }) => {
      const folder = options.keep ?? mkdtempSync(join(tmpdir(), 'immota-demo-'));
      mkdirSync(folder, { recursive: true });
      // The database may run as another user, who must be able to pass through.
      chmodSync(folder, 0o711);
      try {
        const isGood = await runDemo(context, folder);
        if (!isGood) process.exitCode = 1;
      } finally {
        if (options.keep === undefined) rmSync(folder, { recursive: true, force: true });
      }
    });
}

interface Stage {
  readonly context: CommandContext;
  readonly narrator: Narrator;
  readonly folder: string;
  readonly platform: Platform;
  readonly connection: Connection;
  readonly ecus: readonly DemoEcu[];
}

async function runDemo(context: CommandContext, folder: string): Promise<boolean> {
  const narrator = createNarrator(context.output());
  const platform = await startCloud(context, narrator, folder);
  let vehicle: RunningVehicle | undefined;
  try {
    const { token } = await createToken(platform.cloud.context, {
      name: 'demo',
      role: 'admin',
      uploadsFor: [],
      ttlDays: 1,
    });
    const connection = { url: platform.urls.operator, token };
    const ecus = await collectFirmware(folder);
    const stage = { context, narrator, folder, platform, connection, ecus };
    vehicle = await startVehicle(stage);
    await vehicle.primary.checkIn();
    const before = await installedImages(connection);
    narrator.tell('vehicle', `${VIN} registered ${before.size} ECUs and reported what they run`);
    const campaignId = await releaseUpdate(stage);
    await notify(stage, vehicle);
    const after = await installedImages(connection);
    return await conclude(stage, { before, after, campaignId });
  } finally {
    await vehicle?.close();
    await platform.close();
  }
}

async function startCloud(
  context: CommandContext,
  narrator: Narrator,
  folder: string,
): Promise<Platform> {
  const { clock, entropy } = context;
  const options = {
    folder: join(folder, 'cloud'),
    databaseUrl: process.env['DATABASE_URL'],
    clock,
    entropy,
    notice: ({ message }: { readonly message: string }) => context.output().note(message),
    failed: (error: unknown) => {
      context.output().note(error instanceof Error ? error.message : String(error));
    },
  };
  narrator.tell('cloud', 'making keys, certification authorities, repositories and a database');
  await initialiseCloud({
    ...options,
    organization: 'Immota demo',
    profile: 'classic',
    withOfflineKeys: true,
  });
  const platform = await startPlatform({ ...options, host: '127.0.0.1', approvals: 'self' });
  narrator.tell('cloud', `serves vehicles at ${platform.urls.gateway}`, {
    gateway: platform.urls.gateway,
    operator: platform.urls.operator,
  });
  return platform;
}

/** Builds a vehicle, programs its ECUs as a factory would, and starts it. */
async function startVehicle(stage: Stage): Promise<RunningVehicle> {
  const { context, narrator, platform, ecus } = stage;
  const folder = join(stage.folder, VIN);
  const secondaries = ecus
    .filter(({ id }) => id !== 'tbox')
    .map(({ id, hardware, verification, wiring }) =>
      parseEcuPlan(`${id}:${hardware}:${verification}:${wiring}`, `${VIN}-`),
    );
  await makeVehicle(context, platform.cloud, {
    vehicleId: VIN,
    folder,
    tboxHardware: ecus.find(({ id }) => id === 'tbox')?.hardware ?? 'tbox',
    secondaries,
    profile: 'classic',
    server: platform.urls.gateway,
    wake: platform.urls.wake,
    topology: wire(secondaries, DEFAULT_BUSES.map(parseBusPlan)),
  });
  await programVehicle(folder, ecus);
  narrator.tell('factory', `built ${VIN} with ${ecus.length} ECUs, each with keys of its own`);
  const bar = progressBar(context.output(), 'download');
  return await runVehicle({
    folder,
    consent: policyConsent('always'),
    policy: { pollIntervalMs: undefined, checkInSpacingMs: 0, bootPollMs: 100 },
    onProgress: (event) => {
      if (event.kind === 'download' && event.receivedBytes < event.lengthBytes) {
        bar.update(event.receivedBytes, event.lengthBytes);
      } else tellProgress(narrator, event);
    },
  });
}

/** The T-BOX keeps what ECUs with one bank run: their way back. */
async function programVehicle(folder: string, ecus: readonly DemoEcu[]): Promise<void> {
  const kept: FactoryImage[] = [];
  const tbox = join(folder, 'tbox/own');
  for (const { id, hardware, wiring, factory } of ecus) {
    if (factory === undefined) continue;
    const { ecuIdentifier, hardwareIdentifier, storage } = parseEcuPlan(
      `${VIN}-${id}:${hardware}:${wiring}`,
    );
    const own = id === 'tbox' ? tbox : join(folder, 'ecus', ecuIdentifier, 'own');
    const image = await measure(factory);
    const { name, lengthBytes, hashes } = image;
    await programAtFactory({ folder: own, plan: storage, hardwareIdentifier }, image, (start) =>
      createReadStream(factory.file, { start }),
    );
    if (storage.kind !== 'one-bank') continue;
    const sha256 = hashes.get('sha256') ?? '';
    kept.push({ ecu: ecuIdentifier, sha256, name, lengthBytes, path: factory.file });
  }
  keepFactoryImages(tbox, kept);
}

/** Build, sign, publish, release, campaign. */
async function releaseUpdate(stage: Stage): Promise<string> {
  const { context, narrator, platform, connection, ecus, folder } = stage;
  for (const { update, hardware } of ecus) {
    const bar = progressBar(context.output(), `upload ${update.name}`);
    const request = {
      file: update.file,
      name: update.name,
      role: 'targets',
      hardwareIds: [hardware],
      version: update.version,
      releaseCounter: update.releaseCounter,
      isEncrypted: true,
    };
    const image = await uploadImage(connection, request, (sent, all) => bar.update(sent, all));
    const megabytes = (Number(text(image, 'lengthBytes')) / 1_000_000).toFixed(2);
    narrator.tell('build', `${update.name}, ${megabytes} MB, encrypted (${update.origin})`, image);
  }
  const count = await signTargets(platform.cloud);
  narrator.tell('sign', `${count} images with the Targets keys of the Image repository`);
  const tree = await publishTree(platform.cloud, join(folder, 'cdn'));
  narrator.tell('publish', `${tree.metadataFiles} metadata files and ${tree.images} images`);
  const signed = await signRelease(platform.cloud, releaseOf(ecus));
  const release = await callServer(connection, 'createRelease', { body: signed });
  narrator.tell('release', `${text(release, 'name')} ${text(release, 'version')}, signed`, release);
  const params = { vehicleId: VIN };
  await callServer(connection, 'patchVehicle', { params, json: { model: 'demo', market: 'EU' } });
  const json = {
    name: 'demo',
    releaseId: text(release, 'releaseId'),
    query: 'vehicle.model == "demo"',
  };
  const created = await callServer(connection, 'createCampaign', { json });
  const campaignId = text(created, 'campaignId');
  const started = await callServer(connection, 'startCampaign', { params: { campaignId } });
  narrator.tell('campaign', `started for vehicle.model == "demo"`, object(started, 'counts'));
  return campaignId;
}

function releaseOf(ecus: readonly DemoEcu[]): JsonObject {
  const tbox = ecus.find(({ id }) => id === 'tbox');
  return {
    _type: 'Release',
    name: 'demo',
    version: '2026.11',
    images: ecus.map(({ id, hardware, factory, update }) => ({
      hardwareId: hardware,
      name: update.name,
      installsOver: factory === undefined ? 'any' : [factory.name],
      // The infotainment talks to the new T-BOX only.
      ...(id === 'ivi' && tbox !== undefined
        ? { requires: [{ hardwareId: tbox.hardware, images: [tbox.update.name] }] }
        : {}),
    })),
    goal: Object.fromEntries(ecus.map(({ hardware, update }) => [hardware, update.name])),
    description: OWNER_TEXT,
    unusableSeconds: 90,
    unavailable: ['driving', 'infotainment'],
  };
}

/** Wakes the vehicle by MQTT and waits until it has done what it was woken for. */
async function notify(stage: Stage, vehicle: RunningVehicle): Promise<void> {
  const { narrator, connection } = stage;
  const params = { vehicleId: VIN };
  const answer = await callServer(connection, 'wakeVehicle', { params });
  narrator.tell(
    'notify',
    answer['isSent'] === true ? 'wake-up by MQTT' : 'not connected to MQTT: it polls',
  );
  const result = await vehicle.primary.checkIn();
  narrator.tell('vehicle', `check-in ended: ${result.kind}`);
}

function tellProgress(narrator: Narrator, event: ProgressEvent): void {
  switch (event.kind) {
    case 'update-verified':
      narrator.tell(
        'verify',
        `metadata of both repositories agree on ${event.images.length} images`,
      );
      break;
    case 'consent':
      narrator.tell('consent', `to ${event.step}: ${event.decision}`);
      break;
    case 'download':
      narrator.tell('download', `${event.name}, ${(event.lengthBytes / 1e6).toFixed(2)} MB`);
      break;
    case 'image-verified':
      narrator.tell('verify', `${event.name}: length and every hash`);
      break;
    case 'ecu-prepared':
      narrator.tell('install', `${event.ecu} decrypted and verified ${event.name}`);
      break;
    case 'ecu-activated':
      narrator.tell('boot', `${event.ecu} boots ${event.name}`);
      break;
    case 'ecu-result':
      narrator.tell('report', `${event.ecu}: ${event.code}`);
      break;
    case 'refused':
      narrator.tell('REFUSED', `[${event.code}] ${event.message}`);
      break;
    case 'forecast':
    case 'technician':
      narrator.tell(event.kind, describeProgress(event) ?? '');
      break;
    case 'certificate-renewed':
    case 'check-in-ended':
    case 'phase':
      break;
    default:
      unreachable(event);
  }
}

async function installedImages(connection: Connection): Promise<ReadonlyMap<string, string>> {
  const vehicle = await callServer(connection, 'getVehicle', { params: { vehicleId: VIN } });
  const rows = objects(vehicle, 'ecus').map(
    (ecu) => [text(ecu, 'ecuId'), text(object(ecu, 'installed'), 'name')] as const,
  );
  return new Map(rows);
}

interface Outcome {
  readonly before: ReadonlyMap<string, string>;
  readonly after: ReadonlyMap<string, string>;
  readonly campaignId: string;
}

/** Compares what the ECUs report with what they should run, and says so. */
async function conclude(stage: Stage, { before, after, campaignId }: Outcome): Promise<boolean> {
  const { context, narrator, connection, ecus } = stage;
  const campaign = await callServer(connection, 'getCampaign', { params: { campaignId } });
  const rows = ecus.map(({ id, hardware, update }) => {
    const ecuId = `${VIN}-${id}`;
    const now = after.get(ecuId) ?? '';
    return {
      ecuId,
      hardware,
      before: before.get(ecuId) ?? '',
      after: now,
      isUpdated: now === update.name,
    };
  });
  const isGood =
    rows.every((row) => row.isUpdated) && text(object(campaign, 'counts'), 'updated') === '1';
  if (!isGood) {
    const params = { vehicleId: VIN };
    const [why] = objects(await callServer(connection, 'explainVehicle', { params }), 'items');
    narrator.tell(
      'why not',
      why === undefined ? 'no campaign' : `${text(why, 'reason')}: ${text(why, 'meaning')}`,
    );
  }
  const result = {
    isGood,
    vehicle: VIN,
    ecus: rows,
    campaign: object(campaign, 'counts'),
    steps: stepsAsJson(narrator.steps()),
  };
  context
    .output()
    .result(result, () =>
      [
        '',
        table([
          ['ECU', 'HARDWARE', 'BEFORE', 'AFTER', ''],
          ...rows.map((row) => [
            row.ecuId,
            row.hardware,
            row.before,
            row.after,
            row.isUpdated ? 'updated' : 'NOT UPDATED',
          ]),
        ]),
        '',
        isGood
          ? 'Every ECU reports, signed and after boot, the image that was released.'
          : 'The update did not reach every ECU.',
      ].join('\n'),
    );
  return isGood;
}
