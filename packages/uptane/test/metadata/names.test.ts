import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  encodeFileName,
  limits,
  parseDelegatedRoleName,
  parseEcuIdentifier,
  parseHardwareIdentifier,
  parseInstallableName,
  parseKeyId,
  parseMetadataVersion,
  parseTargetName,
  parseVehicleIdentifier,
} from '@immota/uptane';
import { codeOf } from '../support/world.ts';

type Parser = (value: unknown) => unknown;

function checkTexts(parse: Parser, good: readonly unknown[], bad: readonly unknown[]): void {
  for (const value of good) assert.equal(parse(value), value);
  for (const value of bad)
    assert.equal(
      codeOf(() => parse(value)),
      'MALFORMED',
      String(value),
    );
}

const CLIMBING: readonly string[] =
  '.|..|../x|a/../b|a/..|./a|a/./b|a/.|/a|a/|a//b|/|a\\b|..\\x|a\u0000|a\n'.split('|');
const NO_TEXTS: readonly unknown[] = [undefined, null, 1, true, {}, [], ''];

describe('parseKeyId(), parseTargetName()', () => {
  it('take any text of 1 to 1024 units', () => {
    const { NAME_MAX_LENGTH } = limits;
    for (const parse of [parseKeyId, parseTargetName] as const) {
      const longest = 'a'.repeat(NAME_MAX_LENGTH);
      const odd = ['a', '__proto__', 'constructor', '../x', '/etc', '\n', '🚗', longest];
      checkTexts(parse, odd, [...NO_TEXTS, `${longest}a`]);
    }
  });
});

describe('parseDelegatedRoleName()', () => {
  it('refuses the names of top-level roles, whatever their case', () => {
    const reserved = ['root', 'timestamp', 'snapshot', 'targets', 'Root', 'TARGETS', 'sNapshot'];
    checkTexts(
      parseDelegatedRoleName,
      ['a', '__proto__', '../x', 'roots', 'root ', 'a'.repeat(1024)],
      [...NO_TEXTS, ...reserved, 'a'.repeat(1025)],
    );
  });
});

describe('parseEcuIdentifier(), parseHardwareIdentifier()', () => {
  it('take printable text up to their limits', () => {
    const cases: readonly (readonly [Parser, number])[] = [
      [parseEcuIdentifier, limits.ECU_IDENTIFIER_MAX_LENGTH],
      [parseHardwareIdentifier, limits.HARDWARE_IDENTIFIER_MAX_LENGTH],
    ];
    for (const [parse, lengthMax] of cases) {
      const longest = 'a'.repeat(lengthMax);
      const control = ['a\u0000', '\u001f', 'a\nb', '\u007f'];
      checkTexts(
        parse,
        ['a', ' ', '~', 'ä', '__proto__', longest],
        [...NO_TEXTS, ...control, `${longest}a`],
      );
    }
  });
});

describe('parseVehicleIdentifier()', () => {
  it('takes a VIN or a device id and nothing else {uptane B8}', () => {
    const longest = 'a'.repeat(limits.VEHICLE_IDENTIFIER_MAX_LENGTH);
    checkTexts(
      parseVehicleIdentifier,
      ['WVWZZZ1JZ3W386752', 'a.b:c-d_9', longest],
      [...NO_TEXTS, 'a b', 'a/b', 'ä', 'a\n', '\na', `${longest}a`],
    );
  });
});

describe('parseInstallableName()', () => {
  it('takes plain relative paths only {uptane B17} {uptane K4}', () => {
    const longest = 'a'.repeat(253);
    checkTexts(
      parseInstallableName,
      ['a', 'a/b/c.bin', '...', 'a/..b', '__proto__', 'constructor', '🚗.bin', 'ä', longest],
      [...NO_TEXTS, ...CLIMBING, `${longest}a`],
    );
  });

  it('refuses what is not in NFC {uptane B1}', () => {
    checkTexts(parseInstallableName, ['\u00e4'], ['a\u0308', '\u212b']);
  });

  it('lets nothing through that climbs', () => {
    const part = fc.oneof(fc.constantFrom('.', '..', '', '/', '\\', 'a', '%2e'), fc.string());
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
        const name = parts.join('');
        if (codeOf(() => parseInstallableName(name)) !== undefined) return;
        assert.ok(posix.resolve('/base', name).startsWith('/base/'));
      }),
      { numRuns: 500 },
    );
  });
});

describe('encodeFileName()', () => {
  it('leaves nothing that a path or a shell would take for its own {uptane B17}', () => {
    const cases: Readonly<Record<string, string>> = {
      'a-Z_0.9~': 'a-Z_0.9~',
      '../x': '..%2Fx',
      "a'b(c)*!": 'a%27b%28c%29%2A%21',
      'é 🚗': '%C3%A9%20%F0%9F%9A%97',
      'a\\b%': 'a%5Cb%25',
      '\n': '%0A',
    };
    for (const [name, expected] of Object.entries(cases)) {
      assert.equal(encodeFileName(name), expected);
    }
  });

  it('is one to one', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (name) => {
        assert.match(encodeFileName(name), /^[\w.~%-]*$/);
        assert.equal(decodeURIComponent(encodeFileName(name)), name);
      }),
    );
  });
});

describe('parseMetadataVersion()', () => {
  it('takes whole numbers from 1 to 2^53 - 1 {uptane B4}', () => {
    const bad = [0, -1, 1.5, 2 ** 53, Number.NaN, '1', null, undefined, 1n];
    checkTexts(parseMetadataVersion, [1, 2, 2 ** 53 - 1], bad);
  });
});
