import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  ask,
  gainRights,
  startSession,
  type UdsCall,
  UdsFault,
  type UdsProcedure,
} from '@immota/bus';
import { primaryRoleOf, proveToEcu } from '@immota/vehicle';
import { entropy } from '../support/folder.ts';
import { handOver, readReport, recipientOf } from '../support/nodes.ts';
import { NOW, runUdsNode, type UdsNode } from '../support/uds-secondary.ts';
import { BRAKE, buildImage, makeVehicleWorld, VEHICLE } from '../support/vehicle-world.ts';

const OFFER = Buffer.from('{"name":"brake/fw-1.bin","lengthBytes":3000}');
const ANNOUNCEMENT = Buffer.concat([Buffer.of(0x2e, 0xfd, 0x10, 0, OFFER.length), OFFER]).toString(
  'hex',
);

/** What begins like an order, and then goes anywhere. */
const requests = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(
        ANNOUNCEMENT,
        '2efd10',
        '3101ff000101',
        '3101f020',
        '3101f021',
        '3101f022',
        '3101f030',
        '3101f031',
        '3101f032',
        '3101ff01',
        '310102020101',
        '340022000003e8',
        '3601',
        '3602',
        '37',
        '3801000f757074616e652f6d65746164617461000101',
        '3806000c757074616e652f696d61676500020bb80bb8',
        '1101',
        '2900',
        '22fd0f',
        '22fd03',
      ),
      fc.oneof(
        { weight: 3, arbitrary: fc.constant('') },
        { weight: 2, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => bytes.toHex()) },
      ),
    )
    .map(([head, rest]) => Uint8Array.fromHex(head + rest)),
  fc.uint8Array({ minLength: 1, maxLength: 30 }),
);

function callOf(bytes: Uint8Array): UdsCall<Uint8Array> {
  const responsePrefix = Uint8Array.of(((bytes[0] ?? 0) + 0x40) & 0xff);
  return { bytes, responsePrefix, isSuppressed: false, read: (response) => response };
}

function* withRights(node: UdsNode, all: readonly Uint8Array[]): UdsProcedure<undefined> {
  yield* ask(startSession('extended'));
  const certificate = Buffer.from(node.primary.certificatePem);
  yield* gainRights({ kind: 'certificate', certificate, isBidirectional: false });
  for (const bytes of all) {
    try {
      yield* ask(callOf(bytes));
    } catch (error) {
      if (!(error instanceof UdsFault)) throw error;
    }
  }
  return undefined;
}

/** Times that a tester asks an ECU which it has just reset: while that boots it is silent. */
const ASKS_MAX = 50;

async function askUntilBooted(askOnce: () => Promise<unknown>): Promise<void> {
  for (let asks = 1; ; asks += 1) {
    try {
      await askOnce();
      return;
    } catch (error) {
      const isSilent = error instanceof UdsFault && error.code === 'TIMEOUT';
      if (!isSilent || asks >= ASKS_MAX) throw error;
    }
  }
}

describe('a tester with rights and without manners', () => {
  it('breaks nothing, and brings no software, whatever it asks in whatever order', async (test) => {
    const world = await makeVehicleWorld();
    const node = await runUdsNode(test, world, {
      p2Ms: 30,
      roleOf: (certificate) => (primaryRoleOf(certificate) === undefined ? undefined : 'workshop'),
    });
    // Something is assigned, so that announcing it opens the next door.
    await world.assign(await buildImage({ lengthBytes: 2900 }), await recipientOf(node.link));
    await handOver(node.link, world);
    await fc.assert(
      fc.asyncProperty(fc.array(requests, { maxLength: 15 }), async (all) => {
        const tester = node.tester();
        await tester.run(withRights(node, all), {
          entropy,
          prove: async (step) =>
            proveToEcu(step, {
              credential: node.primary,
              vin: VEHICLE,
              ecuSerialNumber: BRAKE,
              ecuDnsName: undefined,
              now: NOW,
            }),
        });
        await askUntilBooted(() => tester.ask(startSession('default')));
        await tester.close();
        const { phase } = await node.ecu().status();
        assert.notEqual(phase, 'prepared');
      }),
      { numRuns: 25 },
    );
    assert.notEqual((await readReport(node.ecu())).report.installedImage.name, 'brake/fw-1.bin');
  });
});
