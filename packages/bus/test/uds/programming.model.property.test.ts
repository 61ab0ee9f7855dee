import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BLOCK_BYTES, OTHER, TESTER, UdsBench } from './support/bench.ts';

/** What two testers may do, in any order. */
type Act =
  | { readonly kind: 'session'; readonly code: 1 | 2 | 3 }
  | { readonly kind: 'authenticate' | 'deAuthenticate' | 'exit' | 'reset' }
  | { readonly kind: 'dependencies' }
  | { readonly kind: 'erase' | 'check'; readonly block: 1 | 2; readonly isGood: boolean }
  | {
      readonly kind: 'open';
      readonly block: 1 | 2;
      readonly offset: number;
      readonly size: number;
    }
  | { readonly kind: 'data'; readonly step: 'next' | 'same' | 'skip'; readonly size: number }
  | { readonly kind: 'fail' }
  | { readonly kind: 'wait'; readonly milliseconds: number };

const DATA_MAX_BYTES = 128;
const S3_MS = 5000;

interface ModelBlock {
  phase: 'spoilt' | 'erased' | 'loaded' | 'checked';
  next: number;
}

interface ModelTransfer {
  readonly block: 1 | 2;
  readonly offset: number;
  readonly size: number;
  done: number;
  count: number;
}

/** What must be answered, told once more in the plainest way; and every byte that may be written. */
class Model {
  owner: number | undefined;
  session = 1;
  isAuthentic = false;
  idleSinceMs = 0;
  blocks = new Map<number, ModelBlock>();
  transfer: ModelTransfer | undefined;
  writes: (readonly [number, number, number])[] = [];
  isFailing = false;

  answer(act: Act, tester: number, atMs: number): string {
    if (this.owner !== undefined && atMs >= this.idleSinceMs + S3_MS) this.#leave();
    const answered = this.#answer(act, tester);
    const isRequest = act.kind !== 'wait' && act.kind !== 'fail';
    if (isRequest && tester === this.owner) this.idleSinceMs = atMs;
    return answered;
  }

  #leave(): void {
    this.owner = undefined;
    this.session = 1;
    this.isAuthentic = false;
    this.#forget();
  }

  #forget(): void {
    this.blocks = new Map();
    this.transfer = undefined;
  }

  #answer(act: Act, tester: number): string {
    const isOwner = tester === this.owner;
    switch (act.kind) {
      case 'session':
        if (this.owner !== undefined && !isOwner) {
          if (act.code === 1) return '5001003201f4';
          if (this.isAuthentic) return '7f1021';
        }
        if (act.code === 1) this.#leave();
        else {
          this.owner = tester;
          this.session = act.code;
          this.#forget();
        }
        return `500${act.code}003201f4`;
      case 'authenticate':
        if (!isOwner) return '7f297f';
        if (this.isAuthentic) this.#forget();
        this.isAuthentic = true;
        return '6903120000';
      case 'deAuthenticate':
        if (!isOwner) return '7f297f';
        if (this.isAuthentic) this.#forget();
        this.isAuthentic = false;
        return '690010';
      case 'reset':
        if (!isOwner) return '7f117f';
        this.#leave();
        return '5101';
      case 'erase':
      case 'check':
      case 'dependencies':
        return this.#routine(act, isOwner);
      case 'open':
        return this.#open(act, isOwner);
      case 'data':
        return this.#data(act, isOwner);
      case 'exit': {
        const refusal = this.#refusal('37', isOwner);
        if (refusal !== undefined) return refusal;
        const transfer = this.transfer;
        if (transfer === undefined || transfer.done < transfer.size) return '7f3724';
        this.transfer = undefined;
        this.#block(transfer.block).phase = 'loaded';
        return '77';
      }
      case 'fail':
        this.isFailing = !this.isFailing;
        return '';
      case 'wait':
        return '';
      default:
        return act satisfies never;
    }
  }

  #refusal(service: string, isOwner: boolean): string | undefined {
    if (!isOwner) return `7f${service}7f`;
    return this.isAuthentic ? undefined : `7f${service}34`;
  }

  #block(block: number): ModelBlock {
    return this.blocks.get(block) ?? { phase: 'spoilt', next: 0 };
  }

  #routine(
    act: Extract<Act, { readonly kind: 'erase' | 'check' | 'dependencies' }>,
    isOwner: boolean,
  ): string {
    if (!isOwner) return '7f3131';
    if (!this.isAuthentic) return '7f3134';
    if (this.transfer !== undefined) return '7f3124';
    if (act.kind === 'dependencies') {
      const isGood = [...this.blocks.values()].every(({ phase }) => phase === 'checked');
      return isGood ? '7101ff0100' : '7f3124';
    }
    if (act.kind === 'erase') {
      this.blocks.set(act.block, { phase: 'erased', next: 0 });
      return '7101ff0000';
    }
    const block = this.#block(act.block);
    if (block.phase !== 'loaded' && block.phase !== 'checked') return '7f3124';
    block.phase = act.isGood ? 'checked' : 'spoilt';
    return act.isGood ? '7101020200' : '7101020201';
  }

  #open(act: Extract<Act, { readonly kind: 'open' }>, isOwner: boolean): string {
    const refusal = this.#refusal('34', isOwner);
    if (refusal !== undefined) return refusal;
    if (this.transfer !== undefined) return '7f3422';
    if (act.size === 0 || act.offset + act.size > BLOCK_BYTES) return '7f3431';
    const block = this.#block(act.block);
    const isOpen = block.phase === 'erased' || block.phase === 'loaded';
    if (!isOpen || act.offset < block.next) return '7f3470';
    block.phase = 'erased';
    block.next = act.offset + act.size;
    this.transfer = { block: act.block, offset: act.offset, size: act.size, done: 0, count: 0 };
    return '741082';
  }

  #data(act: Extract<Act, { readonly kind: 'data' }>, isOwner: boolean): string {
    const refusal = this.#refusal('36', isOwner);
    if (refusal !== undefined) return refusal;
    const transfer = this.transfer;
    if (transfer === undefined) return '7f3624';
    if (act.size > DATA_MAX_BYTES) return '7f3613';
    const counter = this.counter(act.step);
    const echo = `76${counter.toString(16).padStart(2, '0')}`;
    if (act.step === 'same') return transfer.count === 0 ? '7f3673' : echo;
    if (act.step === 'skip') return '7f3673';
    if (transfer.done + act.size > transfer.size) return '7f3671';
    if (this.isFailing) {
      this.transfer = undefined;
      this.blocks.set(transfer.block, { phase: 'spoilt', next: 0 });
      return '7f3672';
    }
    this.writes.push([transfer.block, transfer.done, act.size]);
    transfer.done += act.size;
    transfer.count += 1;
    return echo;
  }

  counter(step: 'next' | 'same' | 'skip'): number {
    const count = this.transfer?.count ?? 0;
    return (count + { next: 1, same: 0, skip: 2 }[step]) & 0xff;
  }
}

const acts: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('session' as const),
      code: fc.constantFrom(1 as const, 2 as const, 3 as const),
    }),
  },
  { weight: 3, arbitrary: fc.constant<Act>({ kind: 'authenticate' }) },
  { weight: 3, arbitrary: fc.constantFrom<Act>({ kind: 'exit' }, { kind: 'dependencies' }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Act>(
      { kind: 'deAuthenticate' },
      { kind: 'reset' },
      { kind: 'fail' },
    ),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom('erase' as const, 'check' as const),
      block: fc.constantFrom(1 as const, 2 as const),
      isGood: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('open' as const),
      block: fc.constantFrom(1 as const, 2 as const),
      offset: fc.constantFrom(0, 0, 0, 1, 128, BLOCK_BYTES - 128, BLOCK_BYTES - 127),
      size: fc.constantFrom(0, 1, 128, 128, 200, BLOCK_BYTES),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('data' as const),
      step: fc.constantFrom(
        'next' as const,
        'next' as const,
        'next' as const,
        'same' as const,
        'skip' as const,
      ),
      size: fc.constantFrom(1, 72, 128, 128, 129),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      milliseconds: fc.constantFrom(1000, 4999, 5000),
    }),
  },
);

/** An honest beginning, so that what follows does not end at the first door. */
const OPENING: readonly Act[] = [
  { kind: 'session', code: 3 },
  { kind: 'authenticate' },
  { kind: 'erase', block: 1, isGood: true },
  { kind: 'open', block: 1, offset: 0, size: 200 },
  { kind: 'data', step: 'next', size: 128 },
  { kind: 'data', step: 'next', size: 72 },
  { kind: 'exit' },
  { kind: 'check', block: 1, isGood: true },
];

describe('UdsServer against a model', () => {
  it('writes nothing outside an authenticated, erased, matching block, in any order of two testers', () => {
    fc.assert(
      fc.property(
        fc.nat(OPENING.length),
        fc.array(fc.tuple(acts, fc.integer({ min: 0, max: 7 })), { maxLength: 60 }),
        (opening, later) => {
          const bench = new UdsBench();
          const model = new Model();
          model.idleSinceMs = bench.atMs;
          const all = [
            ...OPENING.slice(0, opening).map((act) => [act, TESTER] as const),
            ...later.map(([act, dice]) => [act, dice === 0 ? OTHER : TESTER] as const),
          ];
          for (const [act, tester] of all) {
            const request = perform(bench, model, act, tester);
            const expected = model.answer(act, tester, bench.atMs);
            assert.equal(request(), expected, JSON.stringify({ act, tester }));
          }
          assert.deepEqual(
            bench.ecu.writes.map(({ block, offsetBytes, data }) => [
              block,
              offsetBytes,
              data.length,
            ]),
            model.writes,
          );
        },
      ),
      { numRuns: 400 },
    );
  });
});

/** Prepares what a tester does; the counter is taken before the model has moved on. */
function perform(bench: UdsBench, model: Model, act: Act, tester: number): () => string {
  const ask =
    (request: string): (() => string) =>
    () =>
      bench.ask(request, { tester });
  switch (act.kind) {
    case 'session':
      return ask(`10${hex(act.code, 2)}`);
    case 'authenticate':
      return () => {
        const shown = bench.ask('290100 0001aa 0000', { tester });
        return shown.startsWith('69') ? bench.ask('2903 0001bb 0000', { tester }) : shown;
      };
    case 'deAuthenticate':
      return ask('2900');
    case 'reset':
      return ask('1101');
    case 'erase':
      return ask(`3101ff0001${hex(act.block, 2)}`);
    case 'check':
      return () => {
        bench.ecu.isGood = act.isGood;
        return bench.ask(`3101020201${hex(act.block, 2)}`, { tester });
      };
    case 'dependencies':
      return ask('3101ff01');
    case 'open':
      return ask(`340022${hex(0x1000 * act.block + act.offset, 4)}${hex(act.size, 4)}`);
    case 'data':
      return ask(`36${hex(model.counter(act.step), 2)}${'5a'.repeat(act.size)}`);
    case 'exit':
      return ask('37');
    case 'fail':
      return () => {
        if (bench.ecu.refusals.has('writeTransfer')) bench.ecu.refusals.clear();
        else bench.ecu.refusals.set('writeTransfer', 0x72);
        return '';
      };
    case 'wait':
      bench.pass(act.milliseconds);
      return () => '';
    default:
      return act satisfies never;
  }
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
