/**
 * The diagnostic firewall: which tester may ask what of which ECU, judged by the beginning of each
 * request. Programming is open to the vehicle's own T-BOX, and to others only when the ECU or a
 * certificate vouches for them and the vehicle is parked.
 */
import { TokenBucket } from '@immota/bus';
import { Conversations, type ConversationKey } from './conversations.ts';
import type { Refusal, RefusalReason } from './refusal.ts';
import type { Range, ServiceRule } from './guarded-services.ts';
import type { DiagnosticRule, GatewayRules } from './rules.ts';

/** A request on its way. */
export interface DiagnosticQuestion extends ConversationKey {
  /** The role in the certificate of an authenticated peer. */
  readonly role?: string | undefined;
  /** What is seen of it, from the service on. */
  readonly head: Uint8Array;
  /** True when `head` is all of it. */
  readonly isComplete: boolean;
  /** All ECUs of a group: then their conversations go on as well. */
  readonly members?: readonly number[] | undefined;
}

/** What a firewall is given. */
export interface DiagnosticFirewallOptions {
  readonly rules: GatewayRules;
  /** Tells whether the vehicle is known to be parked; false when nothing is known. */
  readonly isParked: () => boolean;
}

interface Entry {
  readonly rule: DiagnosticRule;
  readonly bucket: TokenBucket;
}

const ROUTINE_CONTROL = 0x31;
const READ_DATA = 0x22;

/** From the least to the most that can be said of a request that was refused. */
const NEARNESS: readonly RefusalReason[] = [
  'diagnostic-service',
  'diagnostic-session',
  'diagnostic-unauthenticated',
  'diagnostic-not-parked',
  'diagnostic-rate',
];

/** See the head of the file. */
export class DiagnosticFirewall {
  readonly #entries: readonly Entry[];
  readonly #isParked: () => boolean;
  readonly #conversations = new Conversations();

  /** Follows no conversation yet. */
  constructor({ rules, isParked }: DiagnosticFirewallOptions) {
    this.#isParked = isParked;
    this.#entries = rules.diagnostics.map((rule) => ({
      rule,
      bucket: new TokenBucket({
        capacity: rule.rate.burst,
        refillMs: 1000 / rule.rate.perSecond,
      }),
    }));
  }

  /**
   * Judges a request, and takes note of one that passes.
   *
   * @returns undefined when it may pass, or why not.
   */
  judge(question: DiagnosticQuestion, atMs: number): Refusal | undefined {
    let reason: RefusalReason = 'diagnostic-service';
    let nearest: string | undefined;
    for (const entry of this.#entries) {
      const objection = this.#objection(entry, question, atMs);
      if (objection === undefined) {
        this.#note(question, atMs);
        return undefined;
      }
      if (objection === 'another') continue;
      if (nearest === undefined || NEARNESS.indexOf(objection) >= NEARNESS.indexOf(reason)) {
        reason = objection;
        nearest = entry.rule.name;
      }
    }
    const { from, tester, target, head } = question;
    return { reason, from, rule: nearest, tester, target, service: head[0], subFunction: head[1] };
  }

  /** Notes that a request of several frames goes on. */
  noteProgress(key: ConversationKey, atMs: number): void {
    this.#conversations.noteProgress(key, atMs);
  }

  /** Notes an answer. @param head - its beginning. */
  noteResponse(key: ConversationKey, head: Uint8Array, atMs: number): void {
    this.#conversations.noteResponse(key, head, atMs);
  }

  /** Tells whether an answer can still come. */
  awaitsResponse(key: ConversationKey, atMs: number): boolean {
    return this.#conversations.awaitsResponse(key, atMs);
  }

  /** Tells whether anybody at all may still be answered by an ECU. */
  isAsked(target: number, atMs: number): boolean {
    return this.#conversations.isAsked(target, atMs);
  }

  /** `another` when the rule does not speak of this request at all. */
  #objection(
    { rule, bucket }: Entry,
    question: DiagnosticQuestion,
    atMs: number,
  ): RefusalReason | 'another' | undefined {
    if (!speaksOf(rule, question)) return 'another';
    if (!rule.allow.some((service) => isAllowed(service, question))) return 'another';
    const session = this.#conversations.sessionOf(question, atMs);
    if (rule.sessions !== undefined && !rule.sessions.includes(session))
      return 'diagnostic-session';
    for (const requirement of rule.requires) {
      if (requirement === 'parked' && !this.#isParked()) return 'diagnostic-not-parked';
      const isAuthenticated =
        requirement !== 'authenticated' || this.#conversations.isAuthenticated(question, atMs);
      if (!isAuthenticated) return 'diagnostic-unauthenticated';
    }
    return bucket.take(atMs) ? undefined : 'diagnostic-rate';
  }

  #note(question: DiagnosticQuestion, atMs: number): void {
    const { from, tester, target, head, members = [] } = question;
    for (const asked of [target, ...members]) {
      this.#conversations.noteRequest({ from, tester, target: asked }, head, atMs);
    }
  }
}

function speaksOf(
  rule: DiagnosticRule,
  { from, tester, target, role }: DiagnosticQuestion,
): boolean {
  return (
    rule.from.includes(from) &&
    isWithin(rule.testers, tester) &&
    isWithin(rule.targets, target) &&
    (rule.roles === undefined || (role !== undefined && rule.roles.includes(role)))
  );
}

function isAllowed(rule: ServiceRule, { head, isComplete }: DiagnosticQuestion): boolean {
  const [service, subFunction] = head;
  if (service !== rule.service) return false;
  if (rule.subFunctions !== undefined) {
    if (subFunction === undefined || !rule.subFunctions.includes(subFunction & 0x7f)) return false;
  }
  if (rule.identifiers === undefined) return true;
  const asked = identifiersOf(head, isComplete);
  return (
    asked !== undefined &&
    asked.every((identifier) => rule.identifiers?.some((range) => isWithin(range, identifier)))
  );
}

/** Undefined when not all of them can be seen: what cannot be judged is not allowed. */
function identifiersOf(head: Uint8Array, isComplete: boolean): readonly number[] | undefined {
  const start = head[0] === ROUTINE_CONTROL ? 2 : 1;
  if (head.length < start + 2) return undefined;
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  if (head[0] !== READ_DATA) return [view.getUint16(start)];
  if (!isComplete || head.length % 2 === 0) return undefined;
  return Array.from({ length: (head.length - 1) / 2 }, (_, index) => view.getUint16(1 + 2 * index));
}

function isWithin({ first, last }: Range, value: number): boolean {
  return value >= first && value <= last;
}
