/** Runs a vehicle from its folders: every Secondary as a node of its own, and the T-BOX among them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isJsonObject, member, parseJson } from '@immota/base';
import {
  ACTIVATE_CONDITIONS,
  connectSecondary,
  type ConditionsGate,
  type ConsentPort,
  type ConsentRules,
  createSafeGate,
  findUnmetConditions,
  type Hmi,
  isStanding,
  layoutOf,
  loadBundle,
  loadLinkCredential,
  loadSecondaryBundle,
  ONE_BANK_CONDITIONS,
  openFolderDesk,
  openFolderSlots,
  openHmi,
  openTboxLinks,
  PARKED,
  parseTopology,
  type Primary,
  type PrimaryPolicy,
  type ProgressListener,
  type Refusal,
  runPrimary,
  runSecondary,
  type SecondaryLink,
  type SecondaryProgress,
  type SecondaryServer,
  startVehicleNetwork,
  type Surroundings,
  systemSurroundings,
  type VehicleLayout,
  type VehicleTopology,
} from '@immota/vehicle';
import { localTimeZone } from '../system-clock.ts';
import { TOPOLOGY_FILE } from './factory.ts';
import { plugIn } from './plug.ts';
import { readConsentFile, type ScreensPlan } from './screens.ts';
import { openImmobiliser, openSignals } from './simulated-car.ts';
import { TECHNICIAN_FOLDER } from './workshop.ts';

/** T-BOX, gateway and ECUs awake, without the engine: about five amperes. */
const UPDATE_WATTS = 60;
/** As long as nobody has foretold it. */
const UNUSABLE_MS = 600_000;

/** How a vehicle is run. */
export interface RunVehicleOptions {
  readonly folder: string;
  readonly consent: ConsentPort;
  readonly locale?: string | undefined;
  readonly policy?: Partial<PrimaryPolicy> | undefined;
  readonly onProgress?: ProgressListener | undefined;
  readonly onEcuProgress?: ((ecu: string, progress: SecondaryProgress) => void) | undefined;
  /** Where testers plug in; inside of this process alone when left out. */
  readonly obd?: string | undefined;
  /** Hears what the vehicle's own firewall refused. */
  readonly onRefusal?: ((refusal: Refusal) => void) | undefined;
  /** Screens for the vehicle's people, and how they are asked instead of `consent`. */
  readonly screens?: ScreensPlan | undefined;
  /** Hears of faults between the ECUs. */
  readonly onFailure?: ((error: unknown) => void) | undefined;
}

/** A vehicle that runs. */
export interface RunningVehicle {
  readonly primary: Primary;
  /** Where its people are asked, when it has screens. */
  readonly screens: Hmi | undefined;
  close(): Promise<void>;
}

/** Starts one ECU from its folder. */
export async function startEcu(
  folder: string,
  onProgress?: (progress: SecondaryProgress) => void,
  port = 0,
): Promise<SecondaryServer & { readonly ecuIdentifier: string }> {
  const { factory, credential } = loadSecondaryBundle(folder);
  const server = await runSecondary({
    factory,
    credential,
    folder: join(folder, 'own'),
    surroundings: systemSurroundings(),
    onProgress,
    port,
  });
  return { ...server, ecuIdentifier: factory.ecuIdentifier };
}

/** Starts all ECUs of a vehicle and its T-BOX. */
export async function runVehicle(options: RunVehicleOptions): Promise<RunningVehicle> {
  const { folder } = options;
  const tbox = join(folder, 'tbox');
  const surroundings = systemSurroundings();
  const inside = await startInside(options, surroundings);
  const rules = { ...readConsentFile(tbox, localTimeZone()), isParked: inside.isParked };
  const screens = await openScreens(options, { rules, inside, surroundings });
  const onProgress: ProgressListener = (event) => {
    options.onProgress?.(event);
    screens?.onProgress(event);
    if (event.kind === 'forecast') inside.foretell(event.unusable.high);
  };
  const technicians = openFolderDesk(join(tbox, TECHNICIAN_FOLDER));
  try {
    const primary = await runPrimary({
      bundle: loadBundle(tbox),
      folder: join(tbox, 'own'),
      slots: await openFolderSlots({ folder: join(tbox, 'own', 'slots') }),
      secondaries: inside.links,
      layout: inside.layout,
      gate: inside.gate,
      signals: openSignals(folder, surroundings.timer),
      technicians,
      consent: screens === undefined ? options.consent : consentBy(options, screens),
      rules,
      locale: options.locale,
      profile: readProfile(tbox),
      policy: options.policy,
      onProgress,
      surroundings,
    });
    screens?.attach(primary);
    const stopListening = technicians.listen(() => primary.wake());
    return {
      primary,
      screens,
      close: async () => {
        stopListening();
        await primary.close();
        // Behind the Primary, which tells its screens to the last.
        await screens?.close();
        await inside.close();
      },
    };
  } catch (error) {
    await screens?.close();
    await inside.close();
    throw error;
  }
}

/** Opens the screens that are wanted. */
async function openScreens(
  { folder, screens: plan, locale = 'en' }: RunVehicleOptions,
  found: {
    readonly rules: ConsentRules;
    readonly inside: Inside;
    readonly surroundings: Surroundings;
  },
): Promise<Hmi | undefined> {
  if (plan === undefined) return undefined;
  const { rules, inside, surroundings } = found;
  return await openHmi({
    folder: join(folder, 'tbox', 'own'),
    port: plan.port,
    rules,
    locale,
    surroundings,
    role: plan.role,
    onPairingCode: plan.onPairingCode,
    findUnmet: inside.findUnmet,
    onRefusal: (fault) => plan.onRefusal(fault),
  });
}

function consentBy({ screens: plan, consent }: RunVehicleOptions, screens: Hmi): ConsentPort {
  return plan?.consentBy(screens.consent) ?? consent;
}

/** What the T-BOX finds in its vehicle. */
interface Inside {
  readonly links: readonly SecondaryLink[];
  readonly layout: VehicleLayout | undefined;
  readonly gate: ConditionsGate | undefined;
  /** Whether it is known to stand in park. */
  readonly isParked: () => boolean;
  /** What a change-over lacks, by the ids of conditions. */
  readonly findUnmet: () => readonly string[];
  /** Hears how long the update takes at most. */
  foretell(unusableMs: number): void;
  close(): Promise<void>;
}

async function startInside(
  options: RunVehicleOptions,
  surroundings: Surroundings,
): Promise<Inside> {
  const file = join(options.folder, TOPOLOGY_FILE);
  return existsSync(file)
    ? await startWired(options, parseTopology(readFileSync(file)), surroundings)
    : await startLinked(options, surroundings);
}

/** ECUs on the vehicle's own buses, behind its gateway. */
async function startWired(
  { folder, obd, onEcuProgress, onRefusal, onFailure }: RunVehicleOptions,
  topology: VehicleTopology,
  surroundings: Surroundings,
): Promise<Inside> {
  const { timer } = surroundings;
  let unusableMs = UNUSABLE_MS;
  const signals = openSignals(folder, timer);
  const network = await startVehicleNetwork({
    topology,
    folder,
    surroundings,
    isParked: () => findUnmetConditions(PARKED, signals, timer.elapsedMs()).length === 0,
    onProgress: onEcuProgress,
    onRefusal,
    onFailure: onFailure ?? ignore,
  });
  const unplug = await plugIn(network, obd, topology.obd).catch(async (error: unknown) => {
    await network.close();
    throw error;
  });
  const links = openTboxLinks({
    topology,
    vehicleIdentifier: network.vehicleIdentifier,
    credential: loadLinkCredential(join(folder, 'tbox', 'link')),
    entities: network.entities,
    surroundings,
  });
  return {
    links: links.links,
    layout: layoutOf(topology),
    gate: createSafeGate({
      signals,
      timer,
      immobiliser: openImmobiliser(folder),
      loads: () => [{ watts: UPDATE_WATTS, minutes: unusableMs / 60_000 }],
    }),
    isParked: () => isStanding(signals, timer),
    findUnmet: () => {
      const hasOneBank = topology.ecus.some(({ storage }) => storage.kind === 'one-bank');
      const conditions = hasOneBank ? ONE_BANK_CONDITIONS : ACTIVATE_CONDITIONS;
      return findUnmetConditions(conditions, signals, timer.elapsedMs()).map(({ id }) => id);
    },
    foretell: (foretoldMs) => {
      unusableMs = foretoldMs;
    },
    close: async () => {
      await links.close();
      await unplug();
      await network.close();
    },
  };
}

/** ECUs that speak TLS with their T-BOX, as on a bench. */
async function startLinked(
  { folder, onEcuProgress }: RunVehicleOptions,
  { timer }: Surroundings,
): Promise<Inside> {
  const servers: SecondaryServer[] = [];
  const close = async (): Promise<void> => closeAll(servers);
  try {
    const credential = loadLinkCredential(join(folder, 'tbox', 'link'));
    const links: SecondaryLink[] = [];
    for (const name of readdirSync(join(folder, 'ecus')).toSorted()) {
      const server = await startEcu(join(folder, 'ecus', name), (progress) => {
        onEcuProgress?.(name, progress);
      });
      servers.push(server);
      const { factory } = loadSecondaryBundle(join(folder, 'ecus', name));
      const { ecuIdentifier } = factory;
      const { host, port } = server;
      links.push(connectSecondary({ host, port, ecuIdentifier, credential, timer }));
    }
    // A bench stands, and lacks nothing.
    const standing = { isParked: () => true, findUnmet: () => [] };
    return { links, layout: undefined, gate: undefined, ...standing, foretell: ignore, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function ignore(): void {
  // A tester that went away in the middle is nobody's business here.
}

/** Which keys the T-BOX makes at its first start: a word of this command's own in its configuration. */
function readProfile(tbox: string): 'classic' | 'hybrid' {
  const stated = parseJson(readFileSync(join(tbox, 'config.json')), 16_384);
  const isHybrid = isJsonObject(stated) && member(stated, 'profile') === 'hybrid';
  return isHybrid ? 'hybrid' : 'classic';
}

async function closeAll(servers: readonly SecondaryServer[]): Promise<void> {
  await Promise.all(servers.map((server) => server.close()));
}
