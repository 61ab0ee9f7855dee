/** What a release comes to for vehicles that are alike: planned once, however many they are. */
import type { ReasonCode } from '@immota/api';
import type { ReleasePlanner } from '../campaign/vehicle-plan.ts';
import { findPath } from '../release/find-path.ts';
import type { Release } from '../release/release-document.ts';
import type { ImageFacts, Transfer } from './images.ts';
import { representative, type VehicleGroup } from './page.ts';

/** What becomes of a group. */
export interface GroupPlan {
  /** What its concerned ECUs run. */
  readonly source: string;
  readonly outcome:
    | { readonly kind: 'plannable'; readonly steps: number; readonly bytes: Transfer }
    | { readonly kind: 'done' }
    | { readonly kind: 'blocked'; readonly reason: ReasonCode };
  /** ECUs would refuse an image of the way as older than what they run. */
  readonly isBelowFloor: boolean;
}

const NOTHING: Transfer = { full: 0, delta: 0, estimated: 0 };

/** Plans for a group. */
export function planGroup(
  group: VehicleGroup,
  {
    release,
    planner,
    images,
  }: { readonly release: Release; readonly planner: ReleasePlanner; readonly images: ImageFacts },
): GroupPlan {
  const vehicle = representative(group);
  const source = planner.sourceOf(vehicle);
  const decision = planner.decide(vehicle);
  if (decision.kind === 'done') return { source, outcome: decision, isBelowFloor: false };
  if (decision.kind === 'none') {
    const outcome = { kind: 'blocked', reason: decision.reason } as const;
    return { source, outcome, isBelowFloor: false };
  }
  const running = group.ecus.map(({ image = '', sha256 }) => ({ image, sha256 }));
  const found = findPath(
    release,
    vehicle.ecus.map(({ hardwareIdentifier }, index) => ({
      ecu: String(index),
      hardwareIdentifier,
      image: running[index]?.image ?? '',
    })),
  );
  const bundles = found.kind === 'path' ? found.bundles : [decision.images];
  let bytes = NOTHING;
  let isBelowFloor = false;
  let lacksKey = false;
  for (const bundle of bundles) {
    for (const [ecu, name] of bundle) {
      const before = running[Number(ecu)];
      bytes = add(bytes, images.transfer(name, before?.sha256 ?? ''));
      isBelowFloor ||= images.isOlder(name, before?.image ?? '');
      lacksKey ||= images.isEncrypted(name) && group.ecus[Number(ecu)]?.hasKey === false;
      // The hash of what a step leaves is not known before, so the next one counts as from nothing known.
      running[Number(ecu)] = { image: name, sha256: `after ${name}` };
    }
  }
  if (lacksKey) {
    const outcome = { kind: 'blocked', reason: 'ENCRYPTION_KEY_MISSING' } as const;
    return { source, outcome, isBelowFloor };
  }
  return { source, outcome: { kind: 'plannable', steps: bundles.length, bytes }, isBelowFloor };
}

function add(a: Transfer, b: Transfer): Transfer {
  return {
    full: a.full + b.full,
    delta: a.delta + b.delta,
    estimated: a.estimated + b.estimated,
  };
}
