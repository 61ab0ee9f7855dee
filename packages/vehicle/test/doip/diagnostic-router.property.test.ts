import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  createDiagnosticRouter,
  type DiagnosticChannel,
  type RoutedRequest,
} from '@immota/vehicle';
import { jumpingTimer, type JumpingTimer } from '../support/jumping-timer.ts';

const ADDRESSES = [0x2001, 0x2002] as const;
const TESTERS = [0x0e80, 0x0e81, 0x0e82] as const;
const RESPONSE_MAX_MS = 5000;
const QUEUE_MAX = 3;
const BUDGET_BYTES = 24;

/** An ECU that keeps what it has not answered, and sees to it that this is one request at most. */
class Ecu implements DiagnosticChannel {
  readonly messageMaxBytes = 8;
  isBroken = false;
  /** Requests that came before the one before them was over. */
  overrunCount = 0;
  /** What it was asked last, and when; undefined once it has answered. */
  asked: { readonly bytes: Uint8Array; untilMs: number } | undefined;
  readonly #timer: JumpingTimer;
  #hear: ((message: Uint8Array) => void) | undefined;

  constructor(timer: JumpingTimer) {
    this.#timer = timer;
  }

  async send(bytes: Uint8Array): Promise<void> {
    if (this.isBroken) throw new TypeError('the bus is cut');
    const nowMs = this.#timer.elapsedMs();
    // An assertion in here would look like a broken bus.
    if (this.asked !== undefined && nowMs < this.asked.untilMs) this.overrunCount += 1;
    this.asked = { bytes, untilMs: nowMs + RESPONSE_MAX_MS };
    await Promise.resolve();
  }

  /** Answers what it was asked, by "pending" or in the end. */
  answer(isPending: boolean): void {
    if (this.asked === undefined) return;
    const [service = 0, tester = 0, serial = 0] = this.asked.bytes;
    if (isPending) {
      if (this.#timer.elapsedMs() < this.asked.untilMs) {
        this.asked.untilMs = this.#timer.elapsedMs() + RESPONSE_MAX_MS;
      }
      this.#hear?.(Uint8Array.of(0x7f, service, 0x78, tester, serial));
      return;
    }
    this.asked = undefined;
    this.#hear?.(Uint8Array.of(service + 0x40, tester, serial));
  }

  listen(listener: (message: Uint8Array) => void): () => void {
    this.#hear = listener;
    return () => {
      this.#hear = undefined;
    };
  }

  async close(): Promise<void> {
    await Promise.resolve();
  }
}

const index = fc.nat(1);
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('send' as const), ecu: index, tester: fc.nat(2) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('answer' as const),
      ecu: index,
      isPending: fc.boolean(),
    }),
  },
  fc.record({ kind: fc.constant('break' as const), ecu: index, isBroken: fc.boolean() }),
  fc.record({ kind: fc.constant('leave' as const), tester: fc.nat(2) }),
  fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(1, 100, 1100, 5001) }),
);

describe('createDiagnosticRouter()', () => {
  it('asks an ECU one thing at a time, answers nobody twice, and gives its memory back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const timer = jumpingTimer();
        const ecus = ADDRESSES.map(() => new Ecu(timer));
        const channels = new Map(ecus.map((ecu, place) => [ADDRESSES[place] ?? 0, ecu]));
        const router = createDiagnosticRouter({
          ecus: channels,
          permit: () => 'permit',
          timer,
          queueMax: QUEUE_MAX,
          queueMaxBytes: BUDGET_BYTES,
        });
        const gone = new Set<number>();
        const answered = new Set<string>();
        let serial = 0;
        const send = (place: number, tester: number): number | undefined => {
          const target = ADDRESSES[place] ?? 0;
          const own = (serial = (serial + 1) % 256);
          // Each request has a service of its own, so that a late answer is known for what it is.
          const bytes = Uint8Array.of(0x40 + (own % 0x30), tester, own);
          const respondAs = async (source: number, message: Uint8Array): Promise<void> => {
            assert.equal(source, target);
            assert.ok(!gone.has(tester), 'who has left hears nothing');
            const isFinal = message[0] !== 0x7f;
            assert.equal(message[isFinal ? 1 : 3], tester, 'an answer goes to who asked');
            const name = `${place} ${message.toHex()}`;
            assert.ok(!isFinal || !answered.has(name), 'nobody is answered twice');
            if (isFinal) answered.add(name);
            await Promise.resolve();
          };
          const request: RoutedRequest = {
            tester,
            target,
            isFunctional: false,
            bytes,
            respond: (message) => respondAs(target, message),
            respondAs,
            isGone: () => gone.has(tester),
          };
          const found = router.route(target);
          assert.ok(typeof found !== 'number');
          return found.deliver(request);
        };
        for (const one of steps) {
          if (one.kind === 'send') send(one.ecu, one.tester);
          else if (one.kind === 'answer') ecus[one.ecu]?.answer(one.isPending);
          else if (one.kind === 'leave') gone.add(one.tester);
          else if (one.kind === 'pass') await timer.pass(one.ms);
          else {
            const ecu = ecus[one.ecu];
            if (ecu !== undefined) ecu.isBroken = one.isBroken;
          }
          await timer.pass(0);
        }
        assert.ok(
          ecus.every(({ overrunCount }) => overrunCount === 0),
          'one request at a time',
        );
        for (const ecu of ecus) ecu.isBroken = false;
        gone.clear();
        // After silence long enough for all that waits, there is room for as much as at the beginning.
        await timer.pass(10 * RESPONSE_MAX_MS);
        const codes = Array.from({ length: QUEUE_MAX }, () => send(0, TESTERS.length));
        assert.deepEqual(codes, [undefined, undefined, undefined]);
        await router.close();
      }),
    );
  });
});
