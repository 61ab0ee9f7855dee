import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createGateway, parseGatewayRules } from '@immota/vehicle';
import { RULES } from '../support/gateway-world.ts';
import { LocalBus } from '../support/local-bus.ts';

const [speed] = RULES.frames;
const [brakes] = RULES.pairs;
const [reading] = RULES.diagnostics;

describe('parseGatewayRules()', () => {
  it('reads rules, and refuses what are none', () => {
    assert.equal(parseGatewayRules(RULES).frames.length, 2);
    for (const value of [
      undefined,
      [],
      {},
      { ...RULES, buses: [] },
      { ...RULES, more: 1 },
      { ...RULES, buses: ['obd', 'chassis', 'body', 'obd'] },
      { ...RULES, buses: [...RULES.buses, 'doip'] },
    ]) {
      refuses(value);
    }
  });

  it('reads the rules of the guide', () => {
    const guide = join(import.meta.dirname, '../../../../docs/guides/gateway.md');
    const [, example] = /```json\n([^`]*"buses"[^`]*)```/u.exec(readFileSync(guide, 'utf8')) ?? [];
    assert.ok(example !== undefined);
    assert.equal(parseGatewayRules(JSON.parse(example)).diagnostics.length, 3);
  });

  it('refuses frames that there cannot be, and ways back', () => {
    for (const part of [
      { ids: { first: 5, last: 4 } },
      { ids: { first: 0x700, last: 0x800 } },
      { lengthBytes: { first: 0, last: 9 } },
      { to: ['chassis'] },
      { to: [] },
      { rate: { burst: 0, perSecond: 1 } },
      { rate: { burst: 1, perSecond: 0 } },
    ]) {
      refuses({ ...RULES, frames: [{ ...speed, ...part }] });
    }
    for (const part of [{ to: 'obd' }, { requestId: 0x800 }, { responseId: 0x800 }]) {
      refuses({ ...RULES, pairs: [{ ...brakes, ...part }] });
    }
  });

  it('refuses rules that speak of the same frames', () => {
    for (const ids of [
      { first: 0x10f, last: 0x10f },
      { first: 0, last: 0x7ff },
    ]) {
      refuses({ ...RULES, frames: [speed, { ...speed, name: 'other', ids }] });
    }
    const next = { ...speed, name: 'other', ids: { first: 0x110, last: 0x110 } };
    assert.equal(parseGatewayRules({ ...RULES, frames: [speed, next] }).frames.length, 2);
    refuses({ ...RULES, pairs: [brakes, brakes] });
    refuses({ ...RULES, pairs: [brakes, { ...brakes, targetByte: 1 }] });
    refuses({ ...RULES, pairs: [{ ...brakes, targetByte: 1 }, brakes] });
    refuses({
      ...RULES,
      frames: [{ ...speed, ids: { first: 0x7e8, last: 0x7e8 } }],
      pairs: [brakes],
    });
    const shared = [1, 2].map((targetByte) => ({ ...brakes, targetByte }));
    assert.equal(parseGatewayRules({ ...RULES, pairs: shared }).pairs.length, 2);
  });

  it('refuses names of buses that are not listed', () => {
    for (const rules of [
      { ...RULES, frames: [{ ...speed, from: 'engine' }] },
      { ...RULES, frames: [{ ...speed, to: ['engine'] }] },
      { ...RULES, pairs: [{ ...brakes, from: 'doip' }] },
      { ...RULES, diagnostics: [{ ...reading, from: ['engine'] }] },
    ]) {
      assert.throws(() => parseGatewayRules(rules), { code: 'RULES_UNKNOWN_NAME' });
    }
  });

  it('refuses rules that open programming to strangers, or while driving', () => {
    const allows = [
      ...[0x11, 0x23, 0x27, 0x28, 0x2c, 0x2e, 0x2f, 0x34, 0x35, 0x36, 0x37, 0x38, 0x3d].map(
        (service) => ({ service }),
      ),
      ...[0x83, 0x84, 0x85, 0x87, 0x10, 0x31].map((service) => ({ service })),
      { service: 0x10, subFunctions: [1, 2] },
      { service: 0x10, subFunctions: [0x60] },
      { service: 0x31, identifiers: [{ first: 0, last: 0xff00 }] },
      { service: 0x31, identifiers: [{ first: 0x200, last: 0x2ff }] },
    ];
    for (const service of allows) {
      const allow = [{ service: 0x22 }, service];
      const withRule = (part: object): unknown => ({
        ...RULES,
        diagnostics: [{ ...reading, allow, ...part }],
      });
      refuses(withRule({}));
      refuses(withRule({ requires: ['authenticated'] }));
      refuses(withRule({ requires: ['parked'] }));
      refuses(withRule({ roles: ['workshop'] }));
      refuses(withRule({ roles: ['tbox', 'workshop'] }));
      parseGatewayRules(withRule({ requires: ['authenticated', 'parked'] }));
      parseGatewayRules(withRule({ roles: ['workshop'], requires: ['parked'] }));
      parseGatewayRules(withRule({ roles: ['tbox'] }));
    }
  });
});

describe('createGateway()', () => {
  it('refuses rules that name a bus or a secured stream that is not there', () => {
    const rules = parseGatewayRules(RULES);
    const shared = {
      rules,
      timer: { elapsedMs: () => 0, schedule: () => () => undefined },
      report: () => undefined,
      isParked: () => false,
    };
    const code = 'RULES_UNKNOWN_NAME';
    assert.throws(() => createGateway({ ...shared, buses: new Map() }), { code });
    const buses = new Map(rules.buses.map((name) => [name, new LocalBus().node()]));
    assert.throws(() => createGateway({ ...shared, buses }), { code });
  });
});

function refuses(value: unknown): void {
  assert.throws(() => parseGatewayRules(value), { code: 'RULES_MALFORMED' });
}
