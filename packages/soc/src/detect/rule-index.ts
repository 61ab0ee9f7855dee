/** Finds the rules that an event could match: by its words, by pieces of its texts, by its fields. */
import type { EventView } from './event-view.ts';
import { GRAM_LENGTH, type Witness, type Witnesses } from './witness.ts';

/** Bits of the filter before a table of pieces: most pieces of an event are in no rule. */
const FILTER_BITS = 1 << 18;

interface Pieces {
  /** Rules by the hash of a piece. */
  readonly rules: Map<number, number[]>;
  readonly filter: Uint8Array;
}

/** See the head of the file. Rules are numbers here. */
export class RuleIndex {
  readonly #always: number[] = [];
  readonly #words = new Map<string, Map<string, number[]>>();
  readonly #pieces = new Map<string, Pieces>();
  readonly #fields = new Map<string, number[]>();
  readonly #seen: Uint32Array;
  #look = 0;

  /** @param rules - for each rule its number and what must be in its events. */
  constructor(rules: readonly { readonly rule: number; readonly witnesses: Witnesses }[]) {
    const counts = countGrams(rules.flatMap(({ witnesses = [] }) => witnesses));
    let highest = 0;
    for (const { rule, witnesses } of rules) {
      highest = Math.max(highest, rule);
      if (witnesses === undefined) this.#always.push(rule);
      else for (const witness of witnesses) this.#file(rule, witness, counts);
    }
    this.#seen = new Uint32Array(highest + 1);
  }

  /** Calls back with each rule that an event could match, once. */
  forEach(view: EventView, visit: (rule: number) => void): void {
    this.#look += 1;
    for (const rule of this.#always) visit(rule);
    for (const [field, value] of view.event.fields) {
      this.#visit(this.#fields.get(field), visit);
      if (value === null) continue;
      const words = this.#words.get(field);
      const pieces = this.#pieces.get(field);
      if (words === undefined && pieces === undefined) continue;
      const text = view.lowered(field) ?? '';
      if (words !== undefined) this.#visit(words.get(text), visit);
      if (pieces !== undefined) this.#visitPieces(pieces, text, visit);
    }
  }

  #visitPieces({ rules, filter }: Pieces, text: string, visit: (rule: number) => void): void {
    const end = text.length - GRAM_LENGTH;
    for (let at = 0; at <= end; at += 1) {
      const hash = hashAt(text, at);
      const bit = hash & (FILTER_BITS - 1);
      if (((filter[bit >>> 3] ?? 0) & (1 << (bit & 7))) !== 0) this.#visit(rules.get(hash), visit);
    }
  }

  #visit(rules: readonly number[] | undefined, visit: (rule: number) => void): void {
    if (rules === undefined) return;
    for (const rule of rules) {
      if (this.#seen[rule] !== this.#look) {
        this.#seen[rule] = this.#look;
        visit(rule);
      }
    }
  }

  #file(rule: number, witness: Witness, counts: ReadonlyMap<string, number>): void {
    const { field } = witness;
    if (witness.kind === 'field') {
      addTo(this.#fields, field, rule);
    } else if (witness.kind === 'word') {
      const words = this.#words.get(field) ?? new Map<string, number[]>();
      this.#words.set(field, words);
      addTo(words, witness.text, rule);
    } else {
      const pieces = this.#pieces.get(field) ?? {
        rules: new Map<number, number[]>(),
        filter: new Uint8Array(FILTER_BITS / 8),
      };
      this.#pieces.set(field, pieces);
      const at = rarestGram(witness.text, counts);
      const hash = hashAt(witness.text, at);
      const bit = hash & (FILTER_BITS - 1);
      pieces.filter[bit >>> 3] = (pieces.filter[bit >>> 3] ?? 0) | (1 << (bit & 7));
      addTo(pieces.rules, hash, rule);
    }
  }
}

function addTo<Key>(map: Map<Key, number[]>, key: Key, rule: number): void {
  const rules = map.get(key) ?? [];
  if (rules.at(-1) !== rule) rules.push(rule);
  map.set(key, rules);
}

/** Over the four characters' codes; 31 bits, so that it stays a small integer. */
function hashAt(text: string, at: number): number {
  let hash = text.charCodeAt(at);
  hash = Math.imul(hash, 0x01_00_01_93) ^ text.charCodeAt(at + 1);
  hash = Math.imul(hash, 0x01_00_01_93) ^ text.charCodeAt(at + 2);
  hash = Math.imul(hash, 0x01_00_01_93) ^ text.charCodeAt(at + 3);
  return (hash ^ (hash >>> 15)) & 0x7f_ff_ff_ff;
}

function countGrams(witnesses: readonly Witness[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const witness of witnesses) {
    if (witness.kind !== 'piece') continue;
    for (let at = 0; at + GRAM_LENGTH <= witness.text.length; at += 1) {
      const gram = witness.text.slice(at, at + GRAM_LENGTH);
      counts.set(gram, (counts.get(gram) ?? 0) + 1);
    }
  }
  return counts;
}

/** What few rules ask for, few events have: `.exe` is in nearly all of them. */
function rarestGram(text: string, counts: ReadonlyMap<string, number>): number {
  let found = 0;
  let least = Infinity;
  for (let at = 0; at + GRAM_LENGTH <= text.length; at += 1) {
    const count = counts.get(text.slice(at, at + GRAM_LENGTH)) ?? 0;
    if (count < least) {
      least = count;
      found = at;
    }
  }
  return found;
}
