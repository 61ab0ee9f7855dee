/**
 * Attacks that a Secondary has seen {uptane J3} {uptane I9}. A note stands in every report until the
 * ECU is asked again, with another nonce, after it was told: then the report has arrived.
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
  z.array(z.object({ text: z.string(), toldWith: z.string().nullable() })),
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
    state.values.save(NOTES, [...others, { text, toldWith: null }].slice(-NOTES_MAX));
    state.journal.append('refused', { code: fault.code, message: fault.message });
  });
}

/**
 * Gives the text for a report, and forgets what earlier reports have told.
 *
 * @param nonce - of this report; the same one again tells the same again.
 */
export function tellAttacks({ state }: SecondaryContext, nonce: string): string {
  return state.transaction(() => {
    const notes = state.values.load(NOTES) ?? [];
    if (notes.length === 0) return '';
    const left = notes.filter(({ toldWith }) => toldWith === null || toldWith === nonce);
    state.values.save(
      NOTES,
      left.map(({ text }) => ({ text, toldWith: nonce })),
    );
    return left.map(({ text }) => text).join('; ');
  });
}

function isAttack(fault: Fault<string>): boolean {
  if (fault instanceof VehicleFault) return ATTACK_CODES.has(fault.code);
  return fault instanceof UptaneFault || fault instanceof ImageFault;
}
