/**
 * The rules of a gateway, as data from the vehicle's maker. Whatever no rule allows is refused.
 *
 * A set of rules that would open programming to strangers is refused when it is read, so that a slip in
 * the data does not become a hole in the vehicle.
 */
import { z } from 'zod';
import { GatewayFault } from './gateway-fault.ts';
import { isGuarded, type Range, type ServiceRule } from './guarded-services.ts';
import { BUSES_MAX, NAME_MAX_LENGTH, RANGES_MAX, RULES_MAX, SERVICES_MAX } from './limits.ts';

/** How often: bursts, and a rate that lasts. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** Frames that go from one bus to others as they are. */
export interface FrameRule {
  readonly name: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly isExtended: boolean;
  readonly isFd: boolean;
  readonly ids: Range;
  readonly lengthBytes: Range;
  readonly rate: Rate;
  /** The stream whose authenticator each frame must carry. */
  readonly secured?: string | undefined;
}

/** How a tester on one bus reaches an ECU on another: a pair of identifiers (ISO 15765-4). */
export interface DiagnosticPair {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly isExtended: boolean;
  readonly requestId: number;
  /** None for a functional group: its members answer by their own pairs. */
  readonly responseId?: number | undefined;
  /** Who asks on this pair, and who is asked, by their logical addresses (ISO 13400-2). */
  readonly tester: number;
  readonly target: number;
  /** Extended addressing: the first byte of each request. */
  readonly targetByte?: number | undefined;
  /** Frames each way. */
  readonly rate: Rate;
}

/** ECUs that are asked together, over Ethernet. */
export interface FunctionalGroup {
  readonly address: number;
  readonly members: readonly number[];
}

/** Requests that testers may make. */
export interface DiagnosticRule {
  readonly name: string;
  /** Buses where the tester is, or `doip`. */
  readonly from: readonly string[];
  readonly testers: Range;
  readonly targets: Range;
  /** Roles of an authenticated peer (its certificate); anybody when left out. */
  readonly roles?: readonly string[] | undefined;
  readonly allow: readonly ServiceRule[];
  /** `authenticated`: by that ECU, with service 0x29. `parked`: the vehicle's signals say so. */
  readonly requires: readonly ('authenticated' | 'parked')[];
  /** Sessions of the ECU in which it may be asked; any when left out. */
  readonly sessions?: readonly number[] | undefined;
  readonly rate: Rate;
}

/** Holding `GatewayRules` tells you: `parseGatewayRules` found nothing wrong with them. */
export interface GatewayRules {
  readonly buses: readonly string[];
  readonly frames: readonly FrameRule[];
  readonly pairs: readonly DiagnosticPair[];
  readonly diagnostics: readonly DiagnosticRule[];
  readonly groups: readonly FunctionalGroup[];
}

/** The role of the vehicle's own T-BOX, whose updates are decided by the Primary. */
export const TBOX_ROLE = 'tbox';
/** Where testers are that come over Ethernet. */
export const DOIP_SOURCE = 'doip';

const STANDARD_ID_MAX = 0x7ff;
const EXTENDED_ID_MAX = 0x1fffffff;

const name = z.string().min(1).max(NAME_MAX_LENGTH);
const byte = z.int().min(0).max(0xff);
const address = z.int().min(0).max(0xffff);
const id = z.int().min(0).max(EXTENDED_ID_MAX);

function rangeOf(value: z.ZodType<number>): z.ZodType<Range> {
  return z
    .strictObject({ first: value, last: value })
    .refine(({ first, last }) => first <= last, 'a range begins at its first');
}

const rate = z.strictObject({
  burst: z.int().min(1).max(10_000),
  perSecond: z.number().positive().max(100_000),
});

const frameSchema = z.strictObject({
  name,
  from: name,
  to: z.array(name).min(1).max(BUSES_MAX),
  isExtended: z.boolean().default(false),
  isFd: z.boolean().default(false),
  ids: rangeOf(id),
  lengthBytes: rangeOf(z.int().min(0).max(64)),
  rate,
  secured: name.optional(),
});

const pairSchema = z.strictObject({
  name,
  from: name,
  to: name,
  isExtended: z.boolean().default(false),
  requestId: id,
  responseId: id.optional(),
  tester: address,
  target: address,
  targetByte: byte.optional(),
  rate,
});

const serviceSchema = z.strictObject({
  service: byte,
  subFunctions: z.array(z.int().min(0).max(0x7f)).min(1).max(128).optional(),
  identifiers: z.array(rangeOf(address)).min(1).max(RANGES_MAX).optional(),
});

const diagnosticSchema = z.strictObject({
  name,
  from: z.array(name).min(1).max(BUSES_MAX),
  testers: rangeOf(address),
  targets: rangeOf(address),
  roles: z.array(name).min(1).max(16).optional(),
  allow: z.array(serviceSchema).min(1).max(SERVICES_MAX),
  requires: z.array(z.enum(['authenticated', 'parked'])).default([]),
  sessions: z.array(z.int().min(1).max(0x7f)).min(1).max(128).optional(),
  rate,
});

const rulesSchema = z.strictObject({
  buses: z.array(name).min(1).max(BUSES_MAX),
  frames: z.array(frameSchema).max(RULES_MAX).default([]),
  pairs: z.array(pairSchema).max(RULES_MAX).default([]),
  diagnostics: z.array(diagnosticSchema).max(RULES_MAX).default([]),
  groups: z
    .array(z.strictObject({ address, members: z.array(address).max(RANGES_MAX) }))
    .max(RANGES_MAX)
    .default([]),
});

/**
 * Reads the rules of a gateway.
 *
 * @param value - from outside, such as JSON that was signed.
 * @throws GatewayFault RULES_MALFORMED; RULES_UNKNOWN_NAME for a bus that is not listed.
 */
export function parseGatewayRules(value: unknown): GatewayRules {
  const parsed = rulesSchema.safeParse(value);
  if (!parsed.success) {
    throw malformed(parsed.error.issues[0]?.message ?? 'they are not rules', parsed.error);
  }
  const rules = parsed.data;
  if (new Set(rules.buses).size < rules.buses.length || rules.buses.includes(DOIP_SOURCE)) {
    throw malformed('each bus has a name of its own');
  }
  for (const rule of rules.frames) checkFrameRule(rule, rules.buses);
  for (const pair of rules.pairs) checkPair(pair, rules.buses);
  for (const rule of rules.diagnostics) checkDiagnosticRule(rule, rules.buses);
  checkOverlaps(rules);
  return rules;
}

function checkFrameRule(rule: FrameRule, buses: readonly string[]): void {
  checkBuses(rule.name, [rule.from, ...rule.to], buses);
  if (rule.to.includes(rule.from)) throw malformed(`"${rule.name}" leads back to its own bus`);
  const isFit =
    (rule.isExtended || rule.ids.last <= STANDARD_ID_MAX) &&
    (rule.isFd || rule.lengthBytes.last <= 8);
  if (!isFit) throw malformed(`"${rule.name}" has frames that there cannot be`);
}

function checkPair(pair: DiagnosticPair, buses: readonly string[]): void {
  checkBuses(pair.name, [pair.from, pair.to], buses);
  if (pair.from === pair.to) throw malformed(`"${pair.name}" leads back to its own bus`);
  const idMax = pair.isExtended ? EXTENDED_ID_MAX : STANDARD_ID_MAX;
  if (pair.requestId > idMax || (pair.responseId ?? 0) > idMax) {
    throw malformed(`"${pair.name}" has identifiers that there cannot be`);
  }
}

/** Nothing that alters an ECU is open to strangers, and nothing of it but the T-BOX's to a moving car. */
function checkDiagnosticRule(rule: DiagnosticRule, buses: readonly string[]): void {
  checkBuses(rule.name, rule.from, [...buses, DOIP_SOURCE]);
  if (!rule.allow.some((service) => isGuarded(service))) return;
  const roles = rule.roles ?? [];
  if (roles.length > 0 && roles.every((role) => role === TBOX_ROLE)) return;
  const isKnown = roles.length > 0 || rule.requires.includes('authenticated');
  if (!isKnown || !rule.requires.includes('parked')) {
    throw malformed(`"${rule.name}" opens programming without authentication, or while driving`);
  }
}

function checkBuses(rule: string, named: readonly string[], buses: readonly string[]): void {
  const unknown = named.find((bus) => !buses.includes(bus));
  if (unknown === undefined) return;
  throw new GatewayFault('RULES_UNKNOWN_NAME', `Cannot read rules: "${rule}" names "${unknown}"`);
}

/** An identifier that two rules speak of would be judged by whichever comes first: a slip of the pen. */
function checkOverlaps({ frames, pairs }: GatewayRules): void {
  const claims = [
    ...frames.map((rule) => claimOf(rule.name, rule.from, rule.isExtended, rule.ids)),
    ...distinctPairs(pairs),
  ].toSorted(
    (left, right) =>
      (left.place < right.place ? -1 : Number(left.place > right.place)) ||
      left.first - right.first,
  );
  for (const [index, claim] of claims.entries()) {
    const before = claims[index - 1];
    if (before?.place === claim.place && before.last >= claim.first) {
      throw malformed(`"${before.name}" and "${claim.name}" speak of the same frames`);
    }
  }
}

interface Claim extends Range {
  readonly name: string;
  readonly place: string;
}

/** Pairs with extended addressing share an identifier, and differ in their first byte. */
function distinctPairs(pairs: readonly DiagnosticPair[]): readonly Claim[] {
  const claims = new Map<string, Claim>();
  const seen = new Set<string>();
  for (const pair of pairs) {
    const request = { first: pair.requestId, last: pair.requestId };
    const claim = claimOf(pair.name, pair.from, pair.isExtended, request);
    const shared = `${claim.place} ${claim.first}`;
    const own = `${shared} ${pair.targetByte ?? 'normal'}`;
    const isMixed = claims.has(shared) && pair.targetByte === undefined;
    if (seen.has(own) || isMixed || seen.has(`${shared} normal`)) {
      throw malformed(`"${pair.name}" speaks of the same frames as another pair`);
    }
    seen.add(own);
    claims.set(shared, claim);
    if (pair.responseId === undefined) continue;
    const response = { first: pair.responseId, last: pair.responseId };
    const answer = claimOf(pair.name, pair.to, pair.isExtended, response);
    claims.set(`${answer.place} ${answer.first} ${pair.name}`, answer);
  }
  return [...claims.values()];
}

function claimOf(rule: string, bus: string, isExtended: boolean, ids: Range): Claim {
  return { name: rule, place: `${bus} ${String(isExtended)}`, first: ids.first, last: ids.last };
}

function malformed(why: string, cause?: unknown): GatewayFault {
  return new GatewayFault('RULES_MALFORMED', `Cannot read rules: ${why}`, { cause });
}
