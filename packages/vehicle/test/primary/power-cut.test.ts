import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'node:test';
import { openState } from '@immota/vehicle';
import { BRAKE, makeWorld, objectAt, TBOX, type World } from '../support/world.ts';

/** Each cuts the power twice, in different places, before the vehicle may finish. */
const TRIALS = 5;
const CUTS = 2;

interface Ended {
  readonly signal: string | null;
  readonly output: string;
  readonly errors: string;
}

async function live(folder: string, killAt: number, checkIns: number): Promise<Ended> {
  const script = fileURLToPath(new URL('../support/mortal-vehicle.ts', import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [
    script,
    folder,
    String(killAt),
    String(checkIns),
  ]);
  const [output, errors]: [Buffer[], Buffer[]] = [[], []];
  child.stdout?.on('data', (part: Buffer) => output.push(part));
  child.stderr?.on('data', (part: Buffer) => errors.push(part));
  const { promise, resolve } = Promise.withResolvers<string | null>();
  child.on('close', (_code, signal) => resolve(signal));
  const signal = await promise;
  return { signal, output: textOf(output), errors: textOf(errors) };
}

function textOf(parts: readonly Buffer[]): string {
  return Buffer.concat(parts).toString();
}

/** Lehmer's generator: the seed is the whole story of a run. */
function drawFrom(seed: number): (below: number) => number {
  let state = (seed % 2_147_483_646) + 1;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

/** Every metadata file in the state is one that its repository has signed. */
function assertOnlyPublished(world: World, folder: string): void {
  const state = openState(join(folder, 'primary', 'state.db'));
  for (const repository of ['director', 'image'] as const) {
    const files = [...world[repository].files.values()];
    const published = new Set(files.map((bytes) => bytes.toHex()));
    for (const { role, bytes } of state.metadata.list(repository)) {
      const isFormer = world.former.has(bytes.toHex());
      assert.ok(published.has(bytes.toHex()) || isFormer, `${repository} ${role}`);
    }
  }
  state.close();
}

describe('a vehicle whose power is cut', () => {
  it('ends with verified software on every ECU, wherever it was cut', async (test) => {
    // The same cuts in every gate; POWER_SEED draws others.
    const seed = Number(process.env['POWER_SEED'] ?? 7);
    test.diagnostic(`POWER_SEED=${seed}`);
    const draw = drawFrom(seed);
    const world = await makeWorld(test);
    const template = world.pathOf('template');
    const registered = await live(template, 0, 1);
    assert.match(registered.output, /"nothing-new"/, registered.errors);
    const own = await world.addImage('tbox/fw-2.bin', 'tbox-hw');
    const brake = await world.addImage('brake/fw-2.bin', 'brake-hw');
    await world.assign({ [TBOX]: own, [BRAKE]: brake });
    const whole = world.pathOf('whole');
    cpSync(template, whole, { recursive: true });
    const uncut = await live(whole, 0, 1);
    const { steps } = JSON.parse(uncut.output) as { readonly steps: number };
    assert.match(uncut.output, /"installed"/, uncut.errors);
    for (let trial = 0; trial < TRIALS; trial += 1) {
      const folder = world.pathOf(`trial-${trial}`);
      cpSync(template, folder, { recursive: true });
      for (let cut = 0; cut < CUTS; cut += 1) {
        // One stratum a trial, so that few runs reach every part of the cycle.
        const first = Math.floor((trial * steps) / TRIALS) + draw(Math.ceil(steps / TRIALS)) + 1;
        const killAt = cut === 0 ? first : draw(steps) + 1;
        const ended = await live(folder, killAt, 1);
        assert.ok(ended.signal === 'SIGKILL' || ended.output !== '', ended.errors);
        assertOnlyPublished(world, folder);
      }
      const before = world.gateway.requests.length;
      const last = await live(folder, 0, 3);
      assert.match(last.output, /"brake":"brake\/fw-2\.bin"/, `trial ${trial}: ${last.errors}`);
      assert.doesNotMatch(last.output, /"failed"/, `trial ${trial}: ${last.output}`);
      assert.match(last.output, /"nothing-new"\],/, `trial ${trial}: ${last.output}`);
      const image = objectAt(world.lastReport(TBOX), ['installed_image']);
      assert.equal(image['filepath'], 'tbox/fw-2.bin');
      assertOnlyPublished(world, folder);
      // Nothing is fetched twice that was whole, and nothing is installed again.
      const fetched = world.gateway
        .paths()
        .slice(before)
        .filter((path) => path.includes('/repo/targets/'));
      assert.ok(fetched.length <= 4, fetched.join('\n'));
    }
  });
});
