/**
 * Heeds what a campaign asks: nothing is begun after its end, nothing is fetched by a network that it
 * does not allow, and nothing changes over outside its hours or its conditions.
 */
import {
  describeUnmet,
  findUnmetConditions,
  type UnmetCondition,
} from '../conditions/condition.ts';
import { SIGNAL_CATALOGUE } from '../conditions/signal-catalogue.ts';
import { measureSignal } from '../conditions/vehicle-signals.ts';
import { watchConditions } from '../conditions/watch-conditions.ts';
import type { Fetcher } from '../download/fetcher.ts';
import type { Network } from '../download/request.ts';
import type { ConditionsGate } from '../transaction/conditions.ts';
import { carriedTime } from './attested-time.ts';
import { type CampaignPolicy, HeldBack, opensAt, readPolicy } from './campaign-policy.ts';
import type { PrimaryContext } from './context.ts';
import { findStoredCustom } from './verify-update.ts';

/** What the vehicle says of its network; whoever says nothing pays for every byte. */
const NETWORK_SIGNAL = 'Vehicle.Private.Network';
/** As long as the standing conditions may fail: relays and sensors jitter. */
const GRACE_MS = 500;
/** Signals that are told of unmet conditions: a manifest is no log. */
const MEASURED_MAX = 16;

/** Makes sure that the campaign has not ended. @throws HeldBack CAMPAIGN_ENDED; VehicleFault TIME_UNAVAILABLE. */
export function checkNotEnded(context: PrimaryContext, { endsAt }: CampaignPolicy): void {
  if (endsAt === undefined || Temporal.Instant.compare(timeOf(context), endsAt) < 0) return;
  const ended = { endsAt: endsAt.toString() };
  throw new HeldBack('CAMPAIGN_ENDED', 'Cannot begin: the campaign has ended', ended);
}

/**
 * Makes sure that ECUs may begin to change over.
 *
 * @param timeZone - of the vehicle.
 * @throws HeldBack CAMPAIGN_ENDED, WINDOW_CLOSED, CAMPAIGN_CONDITIONS; VehicleFault TIME_UNAVAILABLE.
 */
export function checkChangeOver(
  context: PrimaryContext,
  policy: CampaignPolicy,
  timeZone: string,
): void {
  checkNotEnded(context, policy);
  const until =
    policy.window === undefined ? undefined : opensAt(policy.window, timeOf(context), timeZone);
  if (until !== undefined) {
    const told = { until: until.toString() };
    throw new HeldBack('WINDOW_CLOSED', 'Cannot change over at this hour', told);
  }
  const unmet = findUnmet(context, policy);
  if (unmet.length === 0) return;
  throw new HeldBack('CAMPAIGN_CONDITIONS', describeAll(unmet), measuredOf(unmet));
}

/**
 * Makes a network by which nothing is fetched while the campaign does not allow it; an answer that is
 * under way then is broken off, and goes on from there another time.
 *
 * @param onFetch - called before each request that is allowed.
 */
export function heededNetwork(
  context: PrimaryContext,
  { network: allowed }: CampaignPolicy,
  onFetch: () => void,
): Network {
  const network = context.network();
  const stopped = new AbortController();
  const check = (): void => {
    if (isAllowed(context, allowed)) return;
    const found = networkOf(context);
    const fault = new HeldBack('NETWORK_METERED', `Cannot download by a network that is ${found}`, {
      network: found,
      wanted: allowed,
    });
    // Whoever would try another source hears it too.
    stopped.abort(fault);
    throw fault;
  };
  const fetcher: Fetcher = {
    fetch: async (request) => {
      check();
      onFetch();
      const response = await network.fetcher.fetch(request);
      return { ...response, body: whileAllowed(response.body, check) };
    },
    close: () => undefined,
  };
  return { ...network, fetcher, signal: AbortSignal.any([network.signal, stopped.signal]) };
}

/**
 * Adds a campaign's conditions to those of the vehicle, for as long as its transaction is open. On the
 * way back the vehicle's own alone hold: no campaign may keep a vehicle between two states.
 */
export function gateWithPolicy(context: PrimaryContext, correlationId: string): ConditionsGate {
  const { gate, signals, surroundings } = context;
  const stored = findStoredCustom(context);
  const custom = stored?.correlationId === correlationId ? stored.custom : {};
  const policyOf = (): CampaignPolicy => readPolicy(custom);
  const reasonNow = (): string => {
    try {
      return describeAll(findUnmet(context, policyOf()));
    } catch (error) {
      // Software that has just changed over may read less than what began it.
      if (error instanceof HeldBack) return error.message;
      throw error;
    }
  };
  return {
    check: async (step, scope) => {
      if (step === 'roll-back') return await gate.check(step, scope);
      const before = reasonNow();
      if (before !== '') return { isGo: false, reason: before };
      const verdict = await gate.check(step, scope);
      if (!verdict.isGo) return verdict;
      const reason = reasonNow();
      return { isGo: reason === '', reason };
    },
    watch: (step, scope, onViolated) => {
      const stop = gate.watch(step, scope, onViolated);
      if (step === 'roll-back' || reasonNow() !== '') return stop;
      const { conditions } = policyOf();
      if (conditions.length === 0) return stop;
      const stopOwn = watchConditions({
        conditions,
        signals,
        timer: surroundings.timer,
        graceMs: GRACE_MS,
        onCeased: (unmet) => onViolated(describeAll(unmet)),
      });
      return () => {
        stopOwn();
        stop();
      };
    },
    settle: () => gate.settle(),
  };
}

function timeOf(context: PrimaryContext): Temporal.Instant {
  const { timeMaxAgeMs, offlineTimeMaxAgeMs } = context.policy;
  return carriedTime(context, context.isOffline ? offlineTimeMaxAgeMs : timeMaxAgeMs);
}

function findUnmet(
  { signals, surroundings }: PrimaryContext,
  { conditions }: CampaignPolicy,
): readonly UnmetCondition[] {
  return findUnmetConditions(conditions, signals, surroundings.timer.elapsedMs());
}

function describeAll(unmet: readonly UnmetCondition[]): string {
  return unmet.map((one) => describeUnmet(one)).join('; ');
}

function measuredOf(unmet: readonly UnmetCondition[]): HeldBack['measured'] {
  const found = unmet.flatMap(({ measured }) => measured).slice(0, MEASURED_MAX);
  return Object.fromEntries(
    found.map(({ name, state, value }) => [name, state === 'fresh' ? (value ?? state) : state]),
  );
}

function isAllowed(context: PrimaryContext, allowed: CampaignPolicy['network']): boolean {
  // A folder that somebody has plugged in costs nothing.
  if (allowed === 'any' || context.isOffline) return true;
  const found = networkOf(context);
  return found === 'wifi' || (allowed === 'unmetered' && found === 'unmetered');
}

function networkOf({ signals, surroundings }: PrimaryContext): string {
  const found = measureSignal(NETWORK_SIGNAL, signals, {
    catalogue: SIGNAL_CATALOGUE,
    atMs: surroundings.timer.elapsedMs(),
  });
  return found.state === 'fresh' ? String(found.value) : 'unknown';
}

async function* whileAllowed(
  body: AsyncIterable<Uint8Array>,
  check: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const bytes of body) {
    check();
    yield bytes;
  }
}
