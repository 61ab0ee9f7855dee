/**
 * Attacks that a Secondary has seen {uptane J3} {uptane I9}. A note stands in every report until one
 * with it was followed by a new cycle, for which the Primary draws a nonce: a Primary that could not
 * send its manifest does not get that far, and asks for the report again.
 */
import type { Fault } from '@immota/base';
import { ImageFault } from '@immota/image';
import { UptaneFault } from '@immota/uptane';
import { z } from 'zod';
import { jsonValue } from '../primary/json-value.ts';
import { VehicleFault, type VehicleFaultCode } from '../vehicle-fault.ts';
import type { SecondaryContext } from './secondary-context.ts';

/** Kinds of attack that wait to be told; more are one and the same attack with variations. */
const NOTES_MAX = 8;
/** Characters of one note: all of them fit a report of a small ECU. */
const NOTE_MAX_CHARACTERS = 200;

const NOTES = jsonValue(
  'attack-notes',
  z.array(z.object({ text: z.string(), isTold: z.boolean() })),
);

/** Ours that no accident explains. */
const ATTACK_CODES: ReadonlySet<VehicleFaultCode> = new Set([
  'ENDLESS_DATA',
  'SLOW_RETRIEVAL',
  'LINK_PROTOCOL',
  'IMAGE_KEY',
]);

/** Notes a refusal, one of each code, the newest. An accident is told to the listener and not noted. */
export function noteRefusal({ state, onProgress }: SecondaryContext, fault: Fault<string>): void {
  onProgress({ kind: 'refused', code: fault.code, message: fault.message });
  if (!isAttack(fault)) return;
  const text = `${fault.code}: ${fault.message}`.slice(0, NOTE_MAX_CHARACTERS).toWellFormed();
  state.transaction(() => {
    const others = (state.values.load(NOTES) ?? []).filter(
      (note) => !note.text.startsWith(`${fault.code}:`),
    );
    state.values.save(NOTES, [...others, { text, isTold: false }].slice(-NOTES_MAX));
    state.journal.append('refused', { code: fault.code, message: fault.message });
  });
}

/** Gives the text for a report. */
export function tellAttacks({ state }: SecondaryContext): string {
  return state.transaction(() => {
    const notes = state.values.load(NOTES) ?? [];
    if (notes.some(({ isTold }) => !isTold)) {
      state.values.save(
        NOTES,
        notes.map(({ text }) => ({ text, isTold: true })),
      );
    }
    return notes.map(({ text }) => text).join('; ');
  });
}

/** Forgets what was told: a new cycle has begun. What was noted since stays. */
export function forgetToldAttacks({ state }: SecondaryContext): void {
  state.transaction(() => {
    const notes = state.values.load(NOTES) ?? [];
    const left = notes.filter(({ isTold }) => !isTold);
    if (left.length < notes.length) state.values.save(NOTES, left);
  });
}

function isAttack(fault: Fault<string>): boolean {
  if (fault instanceof VehicleFault) return ATTACK_CODES.has(fault.code);
  return fault instanceof UptaneFault || fault instanceof ImageFault;
}
