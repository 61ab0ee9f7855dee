/**
 * What a gateway knows of the conversations between testers and ECUs, from what it let through: the
 * session, and whether the ECU has authenticated the tester (ISO 14229-1, service 0x29). It forgets
 * rather than believes: silence ends both, and so does every reset.
 *
 * On a bus an answer does not say to whom it is. So an authentication is believed only where nobody else
 * has spoken with that ECU since the proof: otherwise whoever sends a worthless proof beside a good one
 * would take the answer to the good one for its own.
 */
import { CONVERSATIONS_MAX, RESPONSE_TIMEOUT_MS, SESSION_TIMEOUT_MS } from './limits.ts';

/** Who speaks with whom. */
export interface ConversationKey {
  readonly from: string;
  readonly tester: number;
  readonly target: number;
}

interface Conversation {
  readonly target: number;
  session: number;
  isAuthenticated: boolean;
  /** Since when a proof is on its way to the ECU: only the answer to one counts. */
  provesSinceMs: number | undefined;
  lastAtMs: number;
  /** The last time that anything but presence was said. */
  busyAtMs: number;
  /** A request was not answered for good yet. */
  isAwaiting: boolean;
  /** Until then answers are let through. */
  awaitsUntilMs: number;
}

const DEFAULT_SESSION = 1;
const NEGATIVE = 0x7f;
const RESPONSE_PENDING = 0x78;
const SESSION_CONTROL = 0x10;
const RESET = 0x11;
const AUTHENTICATION = 0x29;
const TESTER_PRESENT = 0x3e;
const POSITIVE = 0x40;
/** {14229-1:2020 10.6} Proof of ownership, alone or for both sides. */
const PROOFS: ReadonlySet<number> = new Set([0x03, 0x06, 0x07]);
const DEAUTHENTICATE = 0x00;
/** {14229-1:2020 10.6} Ownership verified, authentication complete. */
const AUTHENTICATION_COMPLETE = 0x12;

/** See the head of the file. */
export class Conversations {
  readonly #conversations = new Map<string, Conversation>();
  /** When a conversation was last given up for want of room. */
  #forgotAtMs = -Infinity;

  /** Tells the session that the ECU is in for this tester. */
  sessionOf(key: ConversationKey, atMs: number): number {
    return this.#find(key, atMs)?.session ?? DEFAULT_SESSION;
  }

  /** Tells whether the ECU has authenticated the tester, and has heard of it since. */
  isAuthenticated(key: ConversationKey, atMs: number): boolean {
    return this.#find(key, atMs)?.isAuthenticated ?? false;
  }

  /** Tells whether an answer can still come. */
  awaitsResponse(key: ConversationKey, atMs: number): boolean {
    const conversation = this.#conversations.get(nameOf(key));
    return conversation !== undefined && atMs <= conversation.awaitsUntilMs;
  }

  /** Tells whether anybody at all may still be answered by an ECU. */
  isAsked(target: number, atMs: number): boolean {
    for (const conversation of this.#conversations.values()) {
      if (conversation.target === target && atMs <= conversation.awaitsUntilMs) return true;
    }
    return false;
  }

  /** Notes a request that was let through. @param request - its beginning. */
  noteRequest(key: ConversationKey, request: Uint8Array, atMs: number): void {
    const conversation = this.#find(key, atMs) ?? {
      target: key.target,
      session: DEFAULT_SESSION,
      isAuthenticated: false,
      provesSinceMs: undefined,
      lastAtMs: atMs,
      busyAtMs: -Infinity,
      isAwaiting: false,
      awaitsUntilMs: atMs,
    };
    const [service = 0, subFunction = 0] = request;
    if (service === TESTER_PRESENT) {
      // It goes on beside all others, and often without an answer.
      conversation.lastAtMs = atMs;
      conversation.awaitsUntilMs = atMs + RESPONSE_TIMEOUT_MS;
      this.#keep(nameOf(key), conversation, atMs);
      return;
    }
    const isProof = service === AUTHENTICATION && PROOFS.has(subFunction & 0x7f);
    conversation.provesSinceMs = isProof ? atMs : undefined;
    // Taken back when it is asked for: the answer may be suppressed, or be lost.
    if (isReturn(service, subFunction & 0x7f)) conversation.isAuthenticated = false;
    awaitAnswer(conversation, atMs);
    this.#keep(nameOf(key), conversation, atMs);
  }

  /** Notes that a long request goes on. */
  noteProgress(key: ConversationKey, atMs: number): void {
    const conversation = this.#find(key, atMs);
    if (conversation !== undefined) awaitAnswer(conversation, atMs);
  }

  /** Notes an answer. @param response - its beginning. */
  noteResponse(key: ConversationKey, response: Uint8Array, atMs: number): void {
    const conversation = this.#find(key, atMs);
    if (conversation === undefined || atMs > conversation.awaitsUntilMs) return;
    const [service = 0, second = 0, third = 0] = response;
    if (service === NEGATIVE && third === RESPONSE_PENDING) {
      awaitAnswer(conversation, atMs);
      return;
    }
    conversation.lastAtMs = atMs;
    const isPresence =
      service === TESTER_PRESENT + POSITIVE || (service === NEGATIVE && second === TESTER_PRESENT);
    if (isPresence) return;
    conversation.isAwaiting = false;
    conversation.busyAtMs = atMs;
    if (service === SESSION_CONTROL + POSITIVE) conversation.session = second & 0x7f;
    if (service === RESET + POSITIVE) conversation.session = DEFAULT_SESSION;
    const isProven =
      service === AUTHENTICATION + POSITIVE &&
      PROOFS.has(second) &&
      third === AUTHENTICATION_COMPLETE &&
      this.#isForNobodyElse(conversation);
    if (isProven) conversation.isAuthenticated = true;
    conversation.provesSinceMs = undefined;
  }

  /** How many are followed. */
  get count(): number {
    return this.#conversations.size;
  }

  /** Tells whether the answer to a proof can be for nobody but its sender. */
  #isForNobodyElse(conversation: Conversation): boolean {
    const sinceMs = conversation.provesSinceMs;
    // Somebody who was forgotten may still await an answer.
    if (sinceMs === undefined || sinceMs <= this.#forgotAtMs + RESPONSE_TIMEOUT_MS) return false;
    for (const other of this.#conversations.values()) {
      if (other === conversation || other.target !== conversation.target) continue;
      if (other.busyAtMs >= sinceMs) return false;
      if (other.isAwaiting && sinceMs <= other.awaitsUntilMs) return false;
    }
    return true;
  }

  #find(key: ConversationKey, atMs: number): Conversation | undefined {
    const conversation = this.#conversations.get(nameOf(key));
    if (conversation === undefined) return undefined;
    // An ECU that is still at work on a request keeps its session.
    const isOver = conversation.isAwaiting
      ? atMs > conversation.awaitsUntilMs
      : atMs - conversation.lastAtMs > SESSION_TIMEOUT_MS;
    if (!isOver) return conversation;
    this.#conversations.delete(nameOf(key));
    return undefined;
  }

  #keep(name: string, conversation: Conversation, atMs: number): void {
    this.#conversations.delete(name);
    this.#conversations.set(name, conversation);
    if (this.#conversations.size <= CONVERSATIONS_MAX) return;
    // The one that was silent for longest; whoever floods loses what they were granted first.
    const [oldest] = this.#conversations.keys();
    if (oldest !== undefined) this.#conversations.delete(oldest);
    this.#forgotAtMs = atMs;
  }
}

function awaitAnswer(conversation: Conversation, atMs: number): void {
  conversation.lastAtMs = atMs;
  conversation.busyAtMs = atMs;
  conversation.isAwaiting = true;
  conversation.awaitsUntilMs = atMs + RESPONSE_TIMEOUT_MS;
}

/** Tells whether a request ends what was granted. */
function isReturn(service: number, subFunction: number): boolean {
  return (
    service === RESET ||
    (service === SESSION_CONTROL && subFunction === DEFAULT_SESSION) ||
    (service === AUTHENTICATION && subFunction === DEAUTHENTICATE)
  );
}

function nameOf({ from, tester, target }: ConversationKey): string {
  return `${from} ${tester} ${target}`;
}
