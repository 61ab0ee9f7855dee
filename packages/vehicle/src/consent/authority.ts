/**
 * Who may decide on which step of an update. The owner of a vehicle need not be who drives it, and who
 * drives it need not be entitled to change it; whoever may not decide is told who may.
 */
import { z } from 'zod';
import { ConsentFault } from './consent-fault.ts';

/** The steps that are asked for, each for itself, in their order. */
export const CONSENT_STEPS = ['download', 'install', 'activate'] as const;
/** One of them. */
export type ConsentStep = (typeof CONSENT_STEPS)[number];

/** Who may stand before a screen. */
export const CONSENT_ROLES = ['owner', 'driver', 'fleet', 'workshop', 'renter', 'valet'] as const;
/** One of them. */
export type ConsentRole = (typeof CONSENT_ROLES)[number];

/** Which steps each role decides on. A role that is absent decides on none. */
export type ConsentAuthority = ReadonlyMap<ConsentRole, ReadonlySet<ConsentStep>>;

const steps = z.array(z.enum(CONSENT_STEPS)).max(CONSENT_STEPS.length);

/** Renter and valet are no members: a vehicle on loan is not theirs to change. */
const authoritySchema = z.strictObject({
  owner: steps.optional(),
  driver: steps.optional(),
  fleet: steps.optional(),
  workshop: steps.optional(),
});

/**
 * What holds where nobody has said anything else: whoever sits in the vehicle knows whether it can be
 * spared now, and so may let it change over to what its owner has agreed to; no more.
 */
export const DEFAULT_AUTHORITY: ConsentAuthority = new Map<ConsentRole, ReadonlySet<ConsentStep>>([
  ['owner', new Set(CONSENT_STEPS)],
  ['fleet', new Set(CONSENT_STEPS)],
  ['workshop', new Set(CONSENT_STEPS)],
  ['driver', new Set<ConsentStep>(['activate'])],
]);

/**
 * Reads who may decide.
 *
 * @param value - from a file: role to steps.
 * @throws ConsentFault AUTHORITY_MALFORMED; also when a step is left that nobody may decide on, since
 * such a vehicle could never be repaired.
 */
export function parseAuthority(value: unknown): ConsentAuthority {
  const parsed = authoritySchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const place = issue?.path.join('.') ?? '';
    throw malformed(`at "${place}": ${issue?.message ?? ''}`);
  }
  const authority = new Map<ConsentRole, ReadonlySet<ConsentStep>>();
  for (const role of CONSENT_ROLES) {
    if (role === 'renter' || role === 'valet') continue;
    const granted = parsed.data[role];
    if (granted !== undefined) authority.set(role, new Set(granted));
  }
  const orphan = CONSENT_STEPS.find((step) => decidersOf(authority, step).length === 0);
  if (orphan !== undefined) throw malformed(`nobody may decide on "${orphan}"`);
  return authority;
}

/** Tells whether a role decides on a step. */
export function mayDecide(
  authority: ConsentAuthority,
  role: ConsentRole,
  step: ConsentStep,
): boolean {
  return authority.get(role)?.has(step) === true;
}

/** Lists who decides on a step, in the order of the roles. */
export function decidersOf(authority: ConsentAuthority, step: ConsentStep): readonly ConsentRole[] {
  return CONSENT_ROLES.filter((role) => mayDecide(authority, role, step));
}

/** Finds a role by its name. @throws ConsentFault ROLE_UNKNOWN. */
export function parseConsentRole(value: unknown): ConsentRole {
  const role = CONSENT_ROLES.find((one) => one === value);
  if (role !== undefined) return role;
  throw new ConsentFault('ROLE_UNKNOWN', 'Cannot find role: nobody of that name may answer');
}

function malformed(why: string): ConsentFault {
  return new ConsentFault('AUTHORITY_MALFORMED', `Cannot read who may decide: ${why}`);
}
