import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FieldValue } from '@immota/soc';
import { matches } from '../support/rules.ts';

type Fields = Readonly<Record<string, FieldValue>>;

/** What a selection matches, and a twin that it does not. */
const CASES: readonly (readonly [what: string, selection: string, yes: Fields, no: Fields])[] = [
  ['a text in any case', 'a: Ab', { a: 'aB' }, { a: 'abc' }],
  ['a cased text', 'a|cased: Ab', { a: 'Ab' }, { a: 'ab' }],
  ['a number as number', 'a: 7', { a: 7 }, { a: 77 }],
  ['a number as text', 'a: 7', { a: '7' }, { a: '07' }],
  ['a truth value', 'a: true', { a: true }, { a: false }],
  ['null for a field that is not there', 'a: null', { b: 1 }, { a: 1 }],
  ['null for a field without value', 'a: null', { a: null }, { a: '' }],
  ['an empty text', "a: ''", { a: '' }, { a: 'x' }],
  ['one of a list', 'a: [x, y]', { a: 'y' }, { a: 'z' }],
  ['one of a long list', 'a: [x, y, z, v, w]', { a: 'W' }, { a: 'u' }],
  ['all fields of a map', 'a: x\nb: y', { a: 'x', b: 'y' }, { a: 'x', b: 'z' }],
  ['contains', 'a|contains: bcd', { a: 'aBCDe' }, { a: 'bc' }],
  ['contains all', 'a|contains|all: [ab, cd]', { a: 'cdab' }, { a: 'ab' }],
  ['startswith', 'a|startswith: abcd', { a: 'abcde' }, { a: 'xabcd' }],
  ['endswith', 'a|endswith: bcde', { a: 'abcde' }, { a: 'bcdex' }],
  ['stars', 'a: a*c*e', { a: 'abcde' }, { a: 'abcd' }],
  ['a question mark', 'a: a?c', { a: 'abc' }, { a: 'ac' }],
  ['an escaped star', String.raw`a: a\*c`, { a: 'a*c' }, { a: 'abc' }],
  ['an escaped backslash', String.raw`a: 'c:\\dir\*'`, { a: String.raw`c:\dir*` }, { a: 'c:' }],
  [
    'a lone backslash',
    String.raw`a|endswith: '\cmd.exe'`,
    { a: String.raw`c:\CMD.exe` },
    { a: 'cmd.exe' },
  ],
  ['re', "a|re: '^v\\d+$'", { a: 'v12' }, { a: 'V12' }],
  ['re in any case', "a|re|i: '^v\\d+$'", { a: 'V12' }, { a: 'V' }],
  ['cidr of version 4', 'a|cidr: 10.1.0.0/16', { a: '10.1.2.3' }, { a: '10.2.0.1' }],
  ['cidr of version 6', "a|cidr: 'fd00::/8'", { a: 'fd12::1' }, { a: 'fe80::1' }],
  ['cidr of what is no address', 'a|cidr: 10.0.0.0/8', { a: '10.0.0.1' }, { a: 'ten' }],
  ['lt', 'a|lt: 5', { a: 4 }, { a: 5 }],
  ['lte', 'a|lte: 5', { a: '5' }, { a: 6 }],
  ['gt', 'a|gt: 5', { a: 5.5 }, { a: 5 }],
  ['gte', 'a|gte: 5', { a: 5 }, { a: 'many' }],
  ['exists', 'a|exists: true', { a: null }, { b: 1 }],
  ['exists not', 'a|exists: false', { b: 1 }, { a: 1 }],
  ['another field', 'a|fieldref: b', { a: 'X', b: 'x' }, { a: 'x', b: 'y' }],
  ['base64', 'a|base64: foobar', { a: 'Zm9vYmFy' }, { a: 'zm9vymfy' }],
  [
    'base64 at any offset',
    'a|base64offset|contains: foobar',
    { a: Buffer.from('xxfoobarx').toString('base64') },
    { a: Buffer.from('xxfobarx').toString('base64') },
  ],
  [
    'wide base64',
    'a|wide|base64offset|contains: ping',
    { a: Buffer.from('a ping b', 'utf16le').toString('base64') },
    { a: Buffer.from('a ping b').toString('base64') },
  ],
  ['windash', "a|windash|contains: ' -f '", { a: 'x /f y' }, { a: 'x f y' }],
  ['a part of a time', 'a|hour: 3', { a: '2026-11-22T03:10:00Z' }, { a: '2026-11-22T04:10:00Z' }],
];

describe('a selection', () => {
  for (const [what, selection, yes, no] of CASES) {
    it(`matches ${what}, and not its twin`, () => {
      const indented = selection.replaceAll('\n', '\n  ');
      const detection = `s:\n  ${indented}\ncondition: s`;
      assert.equal(matches(detection, yes), true);
      assert.equal(matches(detection, no), false);
    });
  }

  it('takes a list of maps as alternatives', () => {
    const detection = 's:\n  - a: x\n  - b: y\ncondition: s';
    assert.equal(matches(detection, { b: 'y' }), true);
    assert.equal(matches(detection, { b: 'x' }), false);
  });

  it('finds words without a field anywhere', () => {
    const detection = 's:\n  - evil\n  - worse\ncondition: s';
    assert.equal(matches(detection, { a: 'x', b: 'an Evil thing' }), true);
    assert.equal(matches(detection, { a: 'good' }), false);
  });
});

const SELECTIONS = 'sel_a:\n  a: 1\nsel_b:\n  b: 1\n_hidden:\n  c: 1\n';

describe('a condition', () => {
  const cases: readonly (readonly [condition: string, yes: Fields, no: Fields])[] = [
    ['sel_a and sel_b', { a: 1, b: 1 }, { a: 1 }],
    ['sel_a or sel_b', { b: 1 }, { c: 1 }],
    ['sel_a and not sel_b', { a: 1 }, { a: 1, b: 1 }],
    ['not (sel_a or sel_b)', { c: 1 }, { a: 1 }],
    ['1 of sel_*', { b: 1 }, { c: 1 }],
    ['all of sel_*', { a: 1, b: 1 }, { b: 1, c: 1 }],
    ['any of them', { a: 1 }, { c: 1 }],
    ['all of them', { a: 1, b: 1 }, { a: 1 }],
    ['2 of *', { a: 1, c: 1 }, { a: 1 }],
    ['sel_a or sel_b and _hidden', { a: 1 }, { b: 1 }],
  ];
  for (const [condition, yes, no] of cases) {
    it(`understands "${condition}"`, () => {
      assert.equal(matches(`${SELECTIONS}condition: ${condition}`, yes), true);
      assert.equal(matches(`${SELECTIONS}condition: ${condition}`, no), false);
    });
  }
});
