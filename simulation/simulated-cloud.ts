/**
 * A real cloud on a real database, that can die at any statement and begins again from what it left
 * there. Its objects are abandoned as they are; PostgreSQL sees connections that end.
 */
import { join } from 'node:path';
import { createCampaignRoom, type RunningCloud, startCloud } from '@immota/cloud';
import type { Chance } from './chance.ts';
import { DatabaseLine } from './database-line.ts';
import type { Door, DoorAnswer, DoorRequest } from './door.ts';
import { cloudOptions, type Factory } from './factory.ts';
import type { Faults } from './faults.ts';
import type { SimulatedTime } from './simulated-time.ts';
import type { Story } from './story.ts';

/** What a cloud of a run is made with. */
export interface CloudSetup {
  readonly factory: Factory;
  readonly time: SimulatedTime;
  readonly chance: Chance;
  readonly faults: Faults;
  readonly story: Story;
  /** Of the run's database. */
  readonly databaseUrl: string;
  /** Of the run alone. */
  readonly folder: string;
  readonly onStarted: () => Promise<void>;
}

/** The part of a campaign room that operators use. */
export type Campaigns = ReturnType<typeof createCampaignRoom>['campaigns'];

interface Life {
  readonly line: DatabaseLine;
  /** Fulfils when this cloud dies. */
  readonly death: Promise<undefined>;
  readonly die: () => void;
  isAlive: boolean;
  running: RunningCloud | undefined;
  campaigns: Campaigns | undefined;
}

const DOWN_MIN_MS = 2000;
const DOWN_MAX_MS = 300_000;
const STATEMENTS_MAX = 400;
const KILLS_MAX = 4;

/** See the head of the file. */
export class SimulatedCloud {
  readonly #setup: CloudSetup;
  #life: Life | undefined;
  #lives = 0;
  #killsLeft: number;
  readonly #closing: Promise<unknown>[] = [];

  constructor(setup: CloudSetup) {
    this.#setup = setup;
    this.#killsLeft = setup.chance.below(KILLS_MAX + 1);
  }

  /** Whether it serves. */
  get isUp(): boolean {
    return this.#life?.running !== undefined;
  }

  /** The cloud that runs. */
  get running(): RunningCloud | undefined {
    return this.#life?.running;
  }

  /** Asks the gateway. @returns undefined when the connection ended without an answer. */
  async ask(door: Door, request: DoorRequest): Promise<DoorAnswer | undefined> {
    const life = this.#life;
    if (life?.running === undefined) return undefined;
    const { running } = life;
    return await this.#setup.time.during(() =>
      Promise.race([door.ask(running, request), life.death]),
    );
  }

  /** Does an operator's work. @returns undefined when the cloud is down, or died of it. */
  async operate<Result>(
    work: (campaigns: Campaigns, running: RunningCloud) => Promise<Result>,
  ): Promise<Result | undefined> {
    const life = this.#life;
    if (life?.running === undefined || life.campaigns === undefined) return undefined;
    const { running, campaigns } = life;
    return await this.#setup.time.during(() =>
      Promise.race([work(campaigns, running), life.death]),
    );
  }

  /** Starts it; when it dies of that, it is started again. */
  async start(): Promise<void> {
    const { time, story } = this.#setup;
    await time.during(async () => {
      const life = await this.#begin();
      this.#life = life;
      const started = this.#open(life);
      started.catch(() => undefined);
      await Promise.race([started, life.death]);
      if (!life.isAlive) return;
      story.tell('cloud-up', `life ${this.#lives}`);
      await Promise.race([this.#setup.onStarted(), life.death]);
    });
  }

  /** Kills it, if it lives. */
  kill(why: string): void {
    const life = this.#life;
    if (life === undefined || !life.isAlive) return;
    life.line.cut();
    this.#died(life, why);
  }

  /** Ends it in good order, and waits for the remains of the dead. */
  async close(): Promise<void> {
    const life = this.#life;
    this.#life = undefined;
    if (life?.running !== undefined) {
      life.line.breakAfter(undefined, () => undefined);
      await life.running.close();
      life.isAlive = false;
    }
    life?.line.cut();
    await Promise.allSettled(this.#closing);
  }

  async #begin(): Promise<Life> {
    const { databaseUrl, folder, chance, faults } = this.#setup;
    this.#lives += 1;
    const line = await DatabaseLine.open(databaseUrl, join(folder, `line-${this.#lives}`));
    const unwatch = this.#setup.time.watch(() => line.isBusy);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    void promise.then(unwatch);
    const life: Life = {
      line,
      death: promise,
      die: () => resolve(undefined),
      isAlive: true,
      running: undefined,
      campaigns: undefined,
    };
    if (faults.has('cloud-killed-at-statement') && this.#killsLeft > 0) {
      const plan = { afterStatements: chance.below(STATEMENTS_MAX), isSent: chance.happens(0.5) };
      line.breakAfter(plan, () => this.#died(life, `at a statement, sent ${String(plan.isSent)}`));
    }
    return life;
  }

  async #open(life: Life): Promise<void> {
    const { factory, time, story, chance } = this.#setup;
    let campaigns: Campaigns | undefined;
    const running = await startCloud({
      ...cloudOptions(factory.cloudFolder, life.line.url),
      opened: factory.opened,
      clock: time,
      entropy: chance.fork(`cloud ${this.#lives}`),
      timer: time.storeTimer(() => life.isAlive),
      host: '127.0.0.1',
      failed: (error) => {
        if (life.isAlive) story.fail('broken', `cloud: ${describe(error)}`);
      },
      campaigns: (cloud) => {
        const room = createCampaignRoom({ ...cloud, approvals: 'self' });
        ({ campaigns } = room);
        return { planner: room.planner, observer: room.observer };
      },
    });
    if (life.isAlive) {
      life.running = running;
      life.campaigns = campaigns;
    } else {
      this.#closing.push(running.close());
    }
  }

  #died(life: Life, why: string): void {
    if (!life.isAlive) return;
    const { time, story, chance } = this.#setup;
    life.isAlive = false;
    this.#killsLeft -= 1;
    story.tell('cloud-killed', why);
    if (life.running !== undefined) this.#closing.push(life.running.close());
    for (const closing of this.#closing) closing.catch(() => undefined);
    life.running = undefined;
    if (this.#life === life) this.#life = undefined;
    life.die();
    time.schedule(chance.between(DOWN_MIN_MS, DOWN_MAX_MS), () => {
      this.start().catch((error: unknown) => story.fail('broken', `start: ${describe(error)}`));
    });
  }
}

/** An error in a line, with what lies beneath. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const beneath = error.cause === undefined ? '' : ` (${describe(error.cause)})`;
  return `${error.name}: ${error.message}${beneath}`;
}
