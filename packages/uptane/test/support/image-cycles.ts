/** Cycles over the Image repository alone, after a test has changed something in it. */
import { makeWorld, refreshImage, refusalOf, type World, type WorldSetup } from './world.ts';

/** A world whose client has run one cycle over the Image repository. */
export async function settledWorld(setup: WorldSetup = {}): Promise<World> {
  const world = await makeWorld(setup);
  await refreshImage(world);
  return world;
}

/** Publishes all with what the test changed, and gives the refusal of a new client's first cycle. */
export async function refusalAtFirst(world: World): ReturnType<typeof refusalOf> {
  world.client.store.clear();
  return await refusalAfter(world);
}

/** Publishes all with what the test changed, and gives the refusal of a cycle. */
export async function refusalAfter(world: World): ReturnType<typeof refusalOf> {
  await world.image.publishBelowRoot();
  return await refusalOf(refreshImage(world));
}
