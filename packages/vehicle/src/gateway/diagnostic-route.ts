/**
 * The way of diagnostic frames between a bus where testers are and the buses of ECUs: requests are
 * followed and judged, answers pass as long as something was asked.
 */
import { type CanFrame, TokenBucket } from '@immota/bus';
import type { ConversationKey } from './conversations.ts';
import type { DiagnosticFirewall } from './diagnostic-firewall.ts';
import type { FrameVerdict } from './frame-firewall.ts';
import { IsotpFollower } from './isotp-follower.ts';
import type { Refusal, RefusalReason } from './refusal.ts';
import type { DiagnosticPair, GatewayRules } from './rules.ts';

interface Way {
  readonly pair: DiagnosticPair;
  readonly key: ConversationKey;
  readonly requests: IsotpFollower;
  /** ECUs that hear a group's requests. */
  readonly members: readonly number[];
  readonly requestBucket: TokenBucket;
  readonly responseBucket: TokenBucket;
}

/** See the head of the file. */
export class DiagnosticRoute {
  readonly #firewall: DiagnosticFirewall;
  /** By bus and identifier; more than one with extended addressing. */
  readonly #requests = new Map<string, Way[]>();
  readonly #responses = new Map<string, Way[]>();
  /** Requests on the ECU's own bus: the gateway's router sends them from a place beside. */
  readonly #ownRequests = new Map<string, Way[]>();

  /** @param firewall - judges what is asked. */
  constructor(rules: GatewayRules, firewall: DiagnosticFirewall) {
    this.#firewall = firewall;
    for (const pair of rules.pairs) {
      const { from, to, tester, target, isExtended, requestId, responseId } = pair;
      const isMember = (other: DiagnosticPair): boolean =>
        responseId === undefined &&
        other.responseId !== undefined &&
        other.from === from &&
        other.to === to &&
        other.tester === tester;
      const way = {
        pair,
        key: { from, tester, target },
        requests: new IsotpFollower(pair.targetByte === undefined ? 0 : 1),
        requestBucket: bucketOf(pair),
        responseBucket: bucketOf(pair),
        members: rules.pairs.filter((other) => isMember(other)).map((member) => member.target),
      };
      push(this.#requests, placeOf(from, isExtended, requestId), way);
      push(this.#ownRequests, placeOf(to, isExtended, requestId), way);
      if (responseId !== undefined) push(this.#responses, placeOf(to, isExtended, responseId), way);
    }
  }

  /** Judges a frame; undefined when it is not one of diagnostics. */
  judge(from: string, frame: CanFrame, atMs: number): FrameVerdict | undefined {
    const place = placeOf(from, frame.isExtended, frame.id);
    const requests = this.#requests.get(place);
    if (requests !== undefined) return this.#judgeRequest(requests, from, frame, atMs);
    const responses = this.#responses.get(place);
    if (responses !== undefined) return this.#judgeResponse(responses, frame, atMs);
    const isOwn = this.#ownRequests
      .get(place)
      ?.some(({ key }) => this.#firewall.isAsked(key.target, atMs));
    return isOwn === true ? { kind: 'stay' } : undefined;
  }

  #judgeRequest(ways: readonly Way[], from: string, frame: CanFrame, atMs: number): FrameVerdict {
    const way = ways.find(
      ({ pair: { targetByte } }) => targetByte === undefined || targetByte === frame.data[0],
    );
    if (way === undefined) return refuse({ ...headOf(from, frame), reason: 'diagnostic-service' });
    const { pair, key, requests, members } = way;
    const about = {
      ...headOf(from, frame),
      rule: pair.name,
      tester: key.tester,
      target: key.target,
    };
    if (!way.requestBucket.take(atMs)) return refuse({ ...about, reason: 'diagnostic-rate' });
    const followed = requests.follow(frame.data, atMs);
    switch (followed.kind) {
      case 'begin': {
        // Groups are asked in single frames only (ISO 15765-2): nobody could pace more.
        if (pair.responseId === undefined && !followed.isWhole) {
          return refuse({ ...about, reason: 'diagnostic-framing' });
        }
        const { head, isWhole: isComplete } = followed;
        const refusal = this.#firewall.judge({ ...key, head, isComplete, members }, atMs);
        if (refusal !== undefined) return refuse({ ...about, ...refusal });
        requests.admit(followed, atMs);
        return { kind: 'forward', rule: pair.name, to: [pair.to] };
      }
      case 'continue':
        this.#firewall.noteProgress(key, atMs);
        return { kind: 'forward', rule: pair.name, to: [pair.to] };
      case 'flow':
        // Only who waits for an answer has something to say about its pace.
        return this.#firewall.awaitsResponse(key, atMs)
          ? { kind: 'forward', rule: pair.name, to: [pair.to] }
          : refuse({ ...about, reason: 'diagnostic-framing' });
      case 'refuse':
      default:
        return refuse({ ...about, reason: 'diagnostic-framing' });
    }
  }

  #judgeResponse(ways: readonly Way[], frame: CanFrame, atMs: number): FrameVerdict {
    const awaiting = ways.filter(({ key }) => this.#firewall.awaitsResponse(key, atMs));
    const [first] = awaiting;
    if (first === undefined) {
      // What testers over Ethernet asked is answered to the gateway's own router.
      if (ways.some(({ key }) => this.#firewall.isAsked(key.target, atMs))) return { kind: 'stay' };
      const reason: RefusalReason = 'diagnostic-unsolicited';
      const pair = ways[0]?.pair;
      return refuse({ ...headOf(pair?.to ?? '', frame), rule: pair?.name, reason });
    }
    if (!first.responseBucket.take(atMs)) {
      const { name: rule, to } = first.pair;
      return refuse({ ...headOf(to, frame), rule, reason: 'diagnostic-rate' });
    }
    for (const { pair, key } of awaiting) {
      const head = responseHead(frame, pair.targetByte === undefined ? 0 : 1);
      if (head !== undefined) this.#firewall.noteResponse(key, head, atMs);
    }
    return {
      kind: 'forward',
      rule: first.pair.name,
      to: [...new Set(awaiting.map(({ pair }) => pair.from))],
    };
  }
}

/** The beginning of an answer; undefined when the frame holds none. */
function responseHead({ data }: CanFrame, offset: 0 | 1): Uint8Array | undefined {
  const followed = new IsotpFollower(offset).follow(data, 0);
  return followed.kind === 'begin' ? followed.head : undefined;
}

function refuse(refusal: Refusal): FrameVerdict {
  return { kind: 'refuse', refusal };
}

function headOf(
  from: string,
  { id, isExtended, data }: CanFrame,
): Pick<Refusal, 'from' | 'id' | 'isExtended' | 'lengthBytes'> {
  return { from, id, isExtended, lengthBytes: data.length };
}

function bucketOf({ rate: { burst, perSecond } }: DiagnosticPair): TokenBucket {
  return new TokenBucket({ capacity: burst, refillMs: 1000 / perSecond });
}

function push(ways: Map<string, Way[]>, place: string, way: Way): void {
  ways.set(place, [...(ways.get(place) ?? []), way]);
}

function placeOf(bus: string, isExtended: boolean, id: number): string {
  return `${bus} ${String(isExtended)} ${id}`;
}
