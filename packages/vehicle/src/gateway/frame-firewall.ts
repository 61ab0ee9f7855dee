/**
 * The zone firewall: which frames go from one bus to which others, by identifier, kind, length, rate and
 * authenticator. What no rule speaks of stays where it is.
 */
import { type CanFrame, SecocFault, type SecocReceiver, TokenBucket } from '@immota/bus';
import { GatewayFault } from './gateway-fault.ts';
import type { Refusal, RefusalReason } from './refusal.ts';
import type { FrameRule, GatewayRules } from './rules.ts';

/** Where a frame goes, or why it does not. */
export type FrameVerdict =
  | { readonly kind: 'forward'; readonly rule: string; readonly to: readonly string[] }
  /** It is for the gateway itself. */
  | { readonly kind: 'stay' }
  | { readonly kind: 'refuse'; readonly refusal: Refusal };

/** What a firewall is given. */
export interface FrameFirewallOptions {
  readonly rules: GatewayRules;
  /** The receiver of each secured stream, by the name that rules give it; keys stay within. */
  readonly secured: ReadonlyMap<string, SecocReceiver>;
}

interface Entry {
  readonly rule: FrameRule;
  readonly bucket: TokenBucket;
  readonly receiver: SecocReceiver | undefined;
}

/** See the head of the file. */
export class FrameFirewall {
  /** Rules by bus and kind of identifier, in the order of their first identifier. */
  readonly #entries = new Map<string, Entry[]>();

  /** @throws GatewayFault RULES_UNKNOWN_NAME for a secured stream that there is not. */
  constructor({ rules, secured }: FrameFirewallOptions) {
    for (const rule of rules.frames) {
      const receiver = rule.secured === undefined ? undefined : secured.get(rule.secured);
      if (rule.secured !== undefined && receiver === undefined) {
        throw new GatewayFault(
          'RULES_UNKNOWN_NAME',
          `Cannot make gateway: "${rule.name}" names the secured stream "${rule.secured}"`,
        );
      }
      const { burst: capacity, perSecond } = rule.rate;
      const bucket = new TokenBucket({ capacity, refillMs: 1000 / perSecond });
      const place = placeOf(rule.from, rule.isExtended);
      const entries = this.#entries.get(place) ?? [];
      entries.push({ rule, bucket, receiver });
      this.#entries.set(place, entries);
    }
    for (const entries of this.#entries.values()) {
      entries.sort((left, right) => left.rule.ids.first - right.rule.ids.first);
    }
  }

  /** Judges a frame. One that passes has used its rate, and the freshness of its authenticator, up. */
  judge(from: string, frame: CanFrame, atMs: number): FrameVerdict {
    const entry = findEntry(this.#entries.get(placeOf(from, frame.isExtended)) ?? [], frame.id);
    if (entry === undefined) return refuse(from, frame, 'unknown-identifier');
    const { rule, bucket, receiver } = entry;
    const { first, last } = rule.lengthBytes;
    const isFit =
      frame.isFd === rule.isFd && frame.data.length >= first && frame.data.length <= last;
    if (!isFit) return refuse(from, frame, 'frame-length', { rule: rule.name });
    if (!bucket.take(atMs)) return refuse(from, frame, 'frame-rate', { rule: rule.name });
    try {
      receiver?.verify(frame.data, atMs);
    } catch (error) {
      // A store that does not take the freshness is no reason to let the frame pass either.
      const code = error instanceof SecocFault ? error.code : undefined;
      return refuse(from, frame, 'frame-authenticator', { rule: rule.name, code });
    }
    return { kind: 'forward', rule: rule.name, to: rule.to };
  }
}

function findEntry(entries: readonly Entry[], id: number): Entry | undefined {
  let low = 0;
  let high = entries.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const entry = entries[middle];
    if (entry === undefined) return undefined;
    if (id < entry.rule.ids.first) high = middle - 1;
    else if (id > entry.rule.ids.last) low = middle + 1;
    else return entry;
  }
  return undefined;
}

function refuse(
  from: string,
  { id, isExtended, data }: CanFrame,
  reason: RefusalReason,
  more: Pick<Refusal, 'rule' | 'code'> = {},
): FrameVerdict {
  const refusal = { reason, from, id, isExtended, lengthBytes: data.length, ...more };
  return { kind: 'refuse', refusal };
}

function placeOf(bus: string, isExtended: boolean): string {
  return `${bus} ${String(isExtended)}`;
}
