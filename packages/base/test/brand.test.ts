import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Brand } from '../src/index.ts';

type Even = Brand<number, 'Even'>;
type Positive = Brand<number, 'Positive'>;
/** A brand on a brand. */
type EvenPositive = Brand<Even, 'Positive'>;

function half(value: Even): number {
  return value / 2;
}
function root(value: Positive): number {
  return Math.sqrt(value);
}
function both(value: EvenPositive): number {
  return half(value) + root(value);
}

describe('Brand', () => {
  it('lets through who has passed its checks, and nobody else', () => {
    assert.equal(half(4 as Even), 2);
    // @ts-expect-error a number that nobody checked is not Even
    assert.equal(half(5), 2.5);
    // @ts-expect-error Positive says nothing about Even
    assert.equal(half(5 as Positive), 2.5);
  });

  it('on a brand keeps both, and is neither by one alone', () => {
    assert.equal(both(4 as EvenPositive), 4);
    assert.equal(both(4 as Even & Positive), 4);
    // @ts-expect-error Even alone is not enough
    assert.equal(both(16 as Even), 12);
    // @ts-expect-error Positive alone is not enough
    assert.equal(both(16 as Positive), 12);
    // @ts-expect-error a value of it is no text: the type is not empty, which would fit everything
    const text: string = 4 as EvenPositive;
    assert.equal(text, 4);
  });
});
