/**
 * Attacks that the Primary has seen and not yet told {uptane I9} {uptane J3}: they go into its next
 * version report, and are forgotten when the Director has accepted it.
 */
import type { Fault } from '@immota/base';
import { ImageFault } from '@immota/image';
import { UptaneFault } from '@immota/uptane';
import { z } from 'zod';
import { ConditionFault } from '../conditions/condition-fault.ts';
import { VehicleFault, type VehicleFaultCode } from '../vehicle-fault.ts';
import type { PrimaryContext } from './context.ts';
import { jsonValue } from './json-value.ts';

/** Kinds of attack that wait to be told; more are one and the same attack with variations. */
const ATTACKS_MAX = 16;
/** Characters of one note. */
const NOTE_MAX_CHARACTERS = 240;

const ATTACKS = jsonValue('attacks', z.array(z.string()));

/** Ours that no accident explains, or that a Director should hear of all the same. */
const ATTACK_CODES: ReadonlySet<VehicleFaultCode> = new Set([
  'SERVER_UNTRUSTED',
  'REDIRECT',
  'ENDLESS_DATA',
  'SLOW_RETRIEVAL',
  'TIME_UNAVAILABLE',
  'ENROLMENT_REFUSED',
  'ECU_UNTRUSTED',
]);

/** Tells whether a refusal is to be told as an attack. */
function isAttack(fault: Fault<string>): boolean {
  if (fault instanceof VehicleFault) return ATTACK_CODES.has(fault.code);
  const isApproval = fault instanceof ConditionFault && fault.code.startsWith('APPROVAL_');
  return isApproval || fault instanceof UptaneFault || fault instanceof ImageFault;
}

/** Notes a refusal; one of each code, the newest. Everything else that went wrong is not noted. */
export function noteAttack({ state, onProgress }: PrimaryContext, fault: Fault<string>): void {
  onProgress({ kind: 'refused', code: fault.code, message: fault.message });
  if (!isAttack(fault)) return;
  const note = `${fault.code}: ${placeOf(fault)}${fault.message}`.slice(0, NOTE_MAX_CHARACTERS);
  state.transaction(() => {
    const others = (state.values.load(ATTACKS) ?? []).filter(
      (other) => !other.startsWith(`${fault.code}:`),
    );
    state.values.save(ATTACKS, [...others, note].slice(-ATTACKS_MAX));
    state.journal.append('refused', { code: fault.code, message: fault.message });
  });
}

/** Lists what was noted. */
export function listAttacks({ state }: PrimaryContext): readonly string[] {
  return state.values.load(ATTACKS) ?? [];
}

/** Forgets what the Director was told; what was noted since stays. */
export function forgetAttacks({ state }: PrimaryContext, told: readonly string[]): void {
  state.transaction(() => {
    const left = (state.values.load(ATTACKS) ?? []).filter((note) => !told.includes(note));
    state.values.save(ATTACKS, left);
  });
}

function placeOf(fault: Fault<string>): string {
  if (!(fault instanceof UptaneFault) || fault.repository === undefined) return '';
  return `${fault.repository} ${fault.role ?? ''}: `;
}
