/**
 * The RXSWINs of an ECU {R156 7.1.1.3} {R156 7.2.1.2.1}: which approved software it is part of, by regulation. Signed
 * beside the image that brings them, kept before that image is made final, and in force from the instant that the boot
 * record calls it final; so they go back with a roll-back, and no order but that of verified metadata changes them.
 */
import type { JsonObject } from '@immota/base';
import { UptaneFault } from '@immota/uptane';
import { z } from 'zod';
import { identityOf } from '../boot/image-statement.ts';
import { jsonValue } from '../primary/json-value.ts';
import type { SlotImage } from '../slots/image-slots.ts';
import type { ResumableSlots } from '../slots/resumable-slots.ts';
import type { VehicleState } from './vehicle-state.ts';

/** Regulations that one ECU serves: their answer to a tester stays one message. */
const RXSWINS_MAX = 16;
/** Images whose RXSWINs are kept: what is final, what was, and what is to be. */
const KEPT_MAX = 4;

const REGULATION = z.string().regex(/^[^\p{Cc}]{1,20}$/u);
const NUMBER = z.string().regex(/^[^\p{Cc}]{1,100}$/u);

/** As `custom.rxswins` of an image has them; each regulation once. */
export const rxswinsSchema = z
  .array(z.object({ regulation: REGULATION, rxswin: NUMBER }))
  .max(RXSWINS_MAX)
  .refine((list) => new Set(list.map(({ regulation }) => regulation)).size === list.length);

/** One regulation, and the number of the approved software. */
export type Rxswin = z.infer<typeof rxswinsSchema>[number];

const KEPT = jsonValue(
  'rxswins',
  z.array(z.object({ image: z.string(), rxswins: rxswinsSchema })).max(KEPT_MAX),
);

/** What they are kept in. */
interface RxswinContext {
  readonly state: VehicleState;
  readonly slots: Pick<ResumableSlots, 'condition' | 'findRunning' | 'findFallback'>;
}

/**
 * Reads what verified metadata say beside an image.
 *
 * @returns undefined when they say nothing: the RXSWINs stay as they are.
 * @throws UptaneFault MALFORMED for anything but a list of them: half an approval is none.
 */
export function readRxswins(custom: JsonObject): readonly Rxswin[] | undefined {
  const { rxswins } = custom;
  if (rxswins === undefined) return undefined;
  const parsed = rxswinsSchema.safeParse(rxswins);
  if (parsed.success) return parsed.data;
  throw new UptaneFault('MALFORMED', 'Cannot read RXSWINs: they are no list of regulations');
}

/**
 * Keeps the RXSWINs of an image, durably, before it is made final. They are not in force by that.
 *
 * @param stated - those beside the image; undefined when there are none: it takes over those in force.
 */
export function keepRxswins(
  context: RxswinContext,
  image: SlotImage,
  stated: readonly Rxswin[] | undefined,
): void {
  const rxswins = stated ?? findRxswins(context);
  if (rxswins === undefined) return;
  const { values } = context.state;
  const identity = nameOf(image);
  const others = (values.load(KEPT) ?? []).filter((kept) => kept.image !== identity);
  values.save(KEPT, [...others, { image: identity, rxswins: [...rxswins] }].slice(-KEPT_MAX));
}

/**
 * Finds the RXSWINs in force: of the image that is final, whether it runs or is what a trial goes back to.
 *
 * @returns undefined when no metadata have ever brought any: those of the factory stand.
 */
export function findRxswins({ state, slots }: RxswinContext): readonly Rxswin[] | undefined {
  const running = slots.condition().isTrial ? undefined : slots.findRunning();
  const final = running ?? slots.findFallback();
  if (final === undefined) return undefined;
  const identity = nameOf(final);
  return state.values.load(KEPT)?.find(({ image }) => image === identity)?.rxswins;
}

function nameOf(image: SlotImage): string {
  return identityOf(image).toHex();
}
