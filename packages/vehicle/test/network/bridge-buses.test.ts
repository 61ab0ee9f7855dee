import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { canBitRate, canFrame, normalAddress } from '@immota/bus';
import { bridgeBuses, createCanHub, openIsoTpEndpoint, openIsoTpTester } from '@immota/vehicle';
import { jumpingTimer } from '../support/jumping-timer.ts';

const ADDRESS = normalAddress({ txId: 0x7e0, rxId: 0x7e8 });

describe('bridgeBuses()', () => {
  it('lets a tester at one bus speak with an ECU at another, until it is ended', async () => {
    const time = jumpingTimer();
    const [near, far] = [canBitRate(500_000), canBitRate(250_000)].map((rate) =>
      createCanHub({ timer: time, rate }),
    );
    assert.ok(near !== undefined && far !== undefined);
    const end = bridgeBuses({ buses: [near.connect(), far.connect()] });
    const received: number[] = [];
    openIsoTpEndpoint({ bus: far.connect(), timer: far.timer, testers: [ADDRESS] }).serve(
      ({ bytes }) => received.push(bytes.length),
    );
    const tester = openIsoTpTester({ bus: near.connect(), timer: near.timer });
    const channel = tester.channelTo(ADDRESS);
    await time.until(channel.send(new Uint8Array(500)));
    // The last frames are still on their way over the slower bus.
    await time.pass(100);
    assert.deepEqual(received, [500]);
    end();
    await assert.rejects(time.until(channel.send(new Uint8Array(500))), { code: 'TIMEOUT_BS' });
  });

  it('tells of frames that the other bus refuses', async () => {
    const time = jumpingTimer();
    const [near, far] = [canBitRate(500_000, 2_000_000), canBitRate(500_000)].map((rate) =>
      createCanHub({ timer: time, rate }),
    );
    assert.ok(near !== undefined && far !== undefined);
    const dropped: string[] = [];
    bridgeBuses({
      buses: [near.connect(), far.connect()],
      onDropped: ({ id }, { code }) => dropped.push(`${id} ${code}`),
    });
    const sender = near.connect();
    await time.until(sender.send(canFrame({ id: 1, isFd: true, data: new Uint8Array(64) })));
    far.close();
    await time.until(sender.send(canFrame({ id: 2, data: new Uint8Array(1) })));
    assert.deepEqual(dropped, ['1 BIT_RATE', '2 CLOSED']);
  });
});
