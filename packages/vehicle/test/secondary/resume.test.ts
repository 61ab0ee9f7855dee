import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it, type TestContext } from 'node:test';
import { findFaultCode } from '@immota/base';
import {
  connectSecondary,
  saveSecondaryBundle,
  SECONDARY_NODE_FLAGS,
  type SecondaryLink,
} from '@immota/vehicle';
import { makeFolder } from '../support/folder.ts';
import { manualSurroundings } from '../support/manual-timer.ts';
import { handOver, linkCredentials, readReport, recipientOf, runNode } from '../support/nodes.ts';
import { startProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import {
  BRAKE,
  type BuiltImage,
  buildImage,
  makeVehicleWorld,
  offerOf,
  type VehicleWorld,
} from '../support/vehicle-world.ts';

const NODE = join(import.meta.dirname, '../fixture/secondary-node.ts');
const CHUNK_BYTES = 16_384;

describe('sendImage()', () => {
  it('goes on at a chunk where a broken connection stopped it, and sends nothing twice but that {uptane I8} {uptane K3}', async (test) => {
    const world = await makeVehicleWorld();
    let proxy: TcpProxy | undefined;
    const { link, folder } = await runNode(test, world, {
      linkPort: async (port) => {
        proxy = await startProxy(test, () => port);
        return proxy.port;
      },
    });
    const built = await buildImage({ lengthBytes: 1_500_000 });
    await world.assign(built, await recipientOf(link));
    await handOver(link, world);
    const pulls: number[] = [];
    proxy?.cutAfter(700_000);
    await link.sendImage(offerOf(built, { pulls }));
    // From the beginning; the header again, and from the chunk on that was not whole.
    const [first, header, resumed] = pulls;
    assert.deepEqual([first, header, pulls.length], [0, 0, 3]);
    assert.equal(((resumed ?? 0) - 76) % (CHUNK_BYTES + 16), 0);
    assert.ok((resumed ?? 0) > 500_000 && (resumed ?? 0) < 700_000);
    await link.activate();
    assert.equal((await readReport(link)).report.installedImage.name, built.name);
    assert.ok(readFileSync(join(folder, 'slots', 'slot-a.image')).equals(built.plain));
  });
  it('goes on after a restart, for images in the clear too', async (test) => {
    const world = await makeVehicleWorld();
    const node = await runNode(test, world);
    const { link } = node;
    const built = await buildImage({ lengthBytes: 300_000, isEncrypted: false });
    await world.assign(built, undefined);
    await handOver(link, world);
    const pulls: number[] = [];
    const { promise: half, resolve } = Promise.withResolvers<void>();
    const stopping = {
      ...offerOf(built),
      async *open(offsetBytes: number): AsyncGenerator<Uint8Array> {
        pulls.push(offsetBytes);
        if (offsetBytes === 0) {
          yield built.plain.slice(0, 200_000);
          // Answered behind the bytes: the node has them.
          await link.status();
          resolve();
          await Promise.withResolvers<void>().promise;
        }
        yield built.plain.slice(offsetBytes);
      },
    };
    const sent = tried(async () => link.sendImage(stopping));
    await half;
    await node.restart();
    // It may have given up before the node was back.
    await sent;
    await link.sendImage(stopping);
    assert.deepEqual(pulls, [0, 200_000]);
    assert.equal((await link.status()).phase, 'prepared');
  });
  it('refuses an image that was changed on the disk before it went on {uptane K7}', async (test) => {
    const world = await makeVehicleWorld();
    const node = await runNode(test, world);
    const { link } = node;
    const built = await buildImage({ lengthBytes: 300_000 });
    await world.assign(built, await recipientOf(link));
    await handOver(link, world);
    let opened = 0;
    const failing = {
      ...offerOf(built),
      async *open(offsetBytes: number): AsyncGenerator<Uint8Array> {
        opened += 1;
        yield built.served.slice(offsetBytes, offsetBytes + 200_000);
        await Promise.reject(new RangeError('the file is gone'));
      },
    };
    await assert.rejects(() => link.sendImage(failing), { code: 'ECU_UNREACHABLE' });
    assert.ok(opened > 1);
    const path = join(node.folder, 'slots', 'slot-a.image');
    const bytes = readFileSync(path);
    bytes[10] = (bytes[10] ?? 0) ^ 1;
    await node.restart();
    writeFileSync(path, bytes);
    await assert.rejects(() => link.sendImage(offerOf(built)), { code: 'ECU_REFUSED' });
    assert.match((await readReport(link)).report.attacksDetected, /IMAGE_HASH: /);
    await link.sendImage(offerOf(built));
    assert.equal((await link.status()).phase, 'prepared');
  });
});

interface Child {
  readonly process: ChildProcess;
  readonly exited: Promise<unknown>;
  /** 0 when it died before it could be reached. */
  readonly port: number;
}

/** Starts a node that dies at the n-th operation on its disk; never for 0. */
async function startChild(
  test: Pick<TestContext, 'after'>,
  folder: string,
  operations: number,
): Promise<Child> {
  const args = [
    ...SECONDARY_NODE_FLAGS,
    NODE,
    join(folder, 'bundle'),
    join(folder, 'ecu'),
    '0',
    String(operations),
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  test.after(() => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout });
  const exited = once(child, 'exit');
  const [port] = await Promise.race([once(lines, 'line'), exited.then(() => ['0'])]);
  return { process: child, exited, port: Number(port) };
}

/** Does everything that a Primary does until the image runs; false when the node died meanwhile. */
async function update(
  link: SecondaryLink,
  world: VehicleWorld,
  built: BuiltImage,
): Promise<boolean> {
  try {
    const { report } = await readReport(link);
    if (report.installedImage.name === built.name) {
      await link.confirm();
      return true;
    }
    await handOver(link, world);
    await link.sendImage(offerOf(built));
    await link.activate();
    await link.confirm();
    return (await readReport(link)).report.installedImage.name === built.name;
  } catch (error) {
    // Nothing but its death may stop it.
    if (findFaultCode(error) === 'ECU_UNREACHABLE') return false;
    throw error;
  }
}

describe('a node that is killed with SIGKILL', () => {
  it('ends with the new image, whatever operation on its disk it dies at, and forgets no counter {uptane K8} {uptane L1} {uptane J3}', async (test) => {
    const folder = makeFolder(test);
    const world = await makeVehicleWorld();
    const { primary, secondaries } = await linkCredentials();
    const credential = secondaries.get(BRAKE);
    assert.ok(credential !== undefined);
    saveSecondaryBundle(join(folder, 'bundle'), { factory: world.factory(), credential });
    const link = (port: number): SecondaryLink =>
      connectSecondary({
        host: '127.0.0.1',
        port,
        ecuIdentifier: BRAKE,
        credential: primary,
        timer: manualSurroundings().timer,
      });
    let counter = 0;
    let deaths = 0;
    for (const [release, stride] of [
      [1, 13],
      [2, 19],
    ] as const) {
      const built = await buildImage({
        name: `brake/fw-${release}.bin`,
        releaseCounter: release,
        lengthBytes: 150_000 + release,
      });
      let isAssigned = false;
      for (let step = stride; ; step += stride) {
        const child = await startChild(test, folder, step);
        const alive = child.port === 0 ? undefined : link(child.port);
        let isDone = false;
        if (alive !== undefined) {
          const recipient = await tried(async () => recipientOf(alive));
          if (!isAssigned && recipient !== undefined) {
            await world.assign(built, recipient);
            isAssigned = true;
          }
          if (isAssigned) isDone = await update(alive, world, built);
          const report = await tried(async () => (await readReport(alive)).report);
          if (report?.counter !== undefined) {
            assert.ok(report.counter > counter, 'no counter comes twice');
            counter = report.counter;
          }
          await alive.close();
        }
        child.process.kill('SIGKILL');
        await child.exited;
        if (isDone) break;
        deaths += 1;
        assert.ok(step < 400, 'an update has an end');
      }
    }
    assert.ok(deaths >= 4, `${deaths} deaths are a test`);
    const last = readFileSync(join(folder, 'ecu', 'slots', 'slot-b.image'));
    assert.equal(last.length, 150_002);
  });
});

async function tried<Result>(act: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await act();
  } catch (error) {
    if (findFaultCode(error) === 'ECU_UNREACHABLE') return undefined;
    throw error;
  }
}
