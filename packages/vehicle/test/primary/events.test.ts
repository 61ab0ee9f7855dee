import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clientEventSchema } from '@immota/api';
import { makeWorld, TBOX, type World } from '../support/world.ts';

/** Every event that was sent, in order, repeats included. */
function sent(world: World): readonly { readonly id: string; readonly kind: string }[] {
  return world.gateway.bodies('/events').flatMap(({ list }) =>
    Array.isArray(list)
      ? list.map((event) => {
          const { id, eventType } = clientEventSchema.parse(event);
          return { id, kind: eventType.id };
        })
      : [],
  );
}

async function updated(
  test: Parameters<typeof makeWorld>[0],
  statuses: readonly number[],
): Promise<{ readonly world: World; readonly again: () => Promise<void> }> {
  const world = await makeWorld(test);
  const primary = await world.run();
  await primary.checkIn();
  const image = await world.addImage('tbox/fw-2.bin', 'tbox-hw');
  await world.assign({ [TBOX]: image });
  const left = [...statuses];
  world.gateway.intercept = (request, response) => {
    const status = request.path === '/events' ? left.shift() : undefined;
    if (status === undefined) return false;
    response.writeHead(status).end();
    return true;
  };
  await primary.checkIn();
  const again = async (): Promise<void> => {
    await world.assignNothing();
    await primary.checkIn();
  };
  return { world, again };
}

describe('events', () => {
  it("tell of each step in the words of the dialect's own client", async (test) => {
    const { world } = await updated(test, []);
    assert.deepEqual(
      sent(world).map(({ kind }) => kind),
      [
        'campaign_accepted',
        'EcuDownloadStarted',
        'EcuDownloadCompleted',
        'campaign_accepted',
        'EcuInstallationStarted',
        'campaign_accepted',
        'EcuInstallationApplied',
        'EcuInstallationCompleted',
      ],
    );
    const [first] = sent(world);
    assert.match(
      first?.id ?? '',
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });
  it('come again, with the same ids, until the server has taken them', async (test) => {
    const { world, again } = await updated(test, [500, 500, 500]);
    const ids = sent(world).map(({ id }) => id);
    assert.ok(ids.length > 8);
    assert.equal(new Set(ids).size, 8);
    const { length } = ids;
    await again();
    assert.equal(sent(world).length, length);
  });
  it('come in halves when a batch is too large', async (test) => {
    const { world } = await updated(test, [413]);
    const sizes = world.gateway
      .bodies('/events')
      .map(({ list }) => (Array.isArray(list) ? list.length : 0));
    assert.ok((sizes[1] ?? 9) <= (sizes[0] ?? 0) / 2, sizes.join());
    assert.equal(new Set(sent(world).map(({ id }) => id)).size, 8);
  });
  it('are dropped where nobody wants them', async (test) => {
    const { world, again } = await updated(test, [404, 404]);
    const { length } = sent(world);
    await again();
    assert.equal(sent(world).length, length);
  });
});
