/**
 * A whole vehicle in one process that kills itself at its n-th step: at a durable write of any of its
 * ECUs, at a request, or at a part of an answer. No clock decides when.
 *
 * Usage: node mortal-vehicle.ts FOLDER KILL-AT CHECK-INS; KILL-AT 0 lives. Prints its steps at the end.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  createHttpsFetcher,
  type Fetcher,
  type FetchResponse,
  loadBundle,
  openFolderSlots,
  policyConsent,
  type ResumableSlots,
  runPrimary,
  type SlotImage,
  type TlsCredential,
} from '@immota/vehicle';
import { BenchSecondary } from './bench-secondary.ts';
import { testSurroundings } from './surroundings.ts';

const [folder = '', killAt = '0', checkIns = '1'] = process.argv.slice(2);
let steps = 0;
const step = (): void => {
  steps += 1;
  if (steps === Number(killAt)) process.kill(process.pid, 'SIGKILL');
};

const bundle = loadBundle(join(folder, '..', 'bundle'));
const pathOf = (name: string): string => {
  mkdirSync(join(folder, name), { recursive: true });
  return join(folder, name);
};
const secondary = new BenchSecondary({
  folder: pathOf('brake'),
  ecuIdentifier: 'BRAKE-1',
  hardwareIdentifier: 'brake-hw',
  vehicleIdentifier: bundle.vehicleIdentifier,
  pinnedRoots: bundle.pinnedRoots,
  onStep: step,
});
const primary = await runPrimary({
  bundle,
  folder: pathOf('primary'),
  slots: mortalSlots(await openFolderSlots({ folder: pathOf('slots') })),
  secondaries: [secondary],
  consent: policyConsent('always'),
  surroundings: testSurroundings(),
  policy: { pollIntervalMs: undefined },
  onWrite: step,
  makeFetcher: mortalFetcher,
});
const results: unknown[] = [];
for (let count = 0; count < Number(checkIns); count += 1) {
  const result = await primary.checkIn();
  results.push('fault' in result ? result.fault.code : result.kind);
  if (result.kind === 'failed') results.push(result.results);
}
const running = { brake: secondary.running?.name, results, steps };
await primary.close();
process.stdout.write(JSON.stringify(running));

function mortalFetcher(credential: TlsCredential): Fetcher {
  const { rootsPem, gatewayOrigin } = bundle;
  const fetcher = createHttpsFetcher({ rootsPem, gatewayOrigin, credential });
  return {
    close: () => fetcher.close(),
    fetch: async (request) => {
      step();
      const response = await fetcher.fetch(request);
      step();
      return { ...response, body: mortalBody(response) };
    },
  };
}

async function* mortalBody(response: FetchResponse): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const bytes of response.body) {
    step();
    yield bytes;
  }
}

/** The same slots, each of whose changes may be the last. */
function mortalSlots(slots: ResumableSlots): ResumableSlots {
  const write = slots.write.bind(slots);
  const activate = slots.activate.bind(slots);
  const boot = slots.boot.bind(slots);
  return Object.assign(slots, {
    write: async (image: SlotImage) => {
      step();
      const writer = await write(image);
      const writeBytes = writer.write.bind(writer);
      const finish = writer.finish.bind(writer);
      return Object.assign(writer, {
        write: async (bytes: Uint8Array) => {
          step();
          await writeBytes(bytes);
        },
        finish: async () => {
          step();
          await finish();
          step();
        },
      });
    },
    activate: async () => {
      step();
      await activate();
      step();
    },
    boot: async () => {
      step();
      return await boot();
    },
  });
}
