/** Laws of everything that reads what comes from outside: it never breaks, and what it promises holds. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { findFaultCode, isJsonObject, type JsonObject, type JsonValue } from '@immota/base';
import { parseInstallationReport, parseProgress } from '../src/director/installation-report.ts';
import { linkHash } from '../src/event-log/chain.ts';
import { parseBody } from '../src/gateway/parse-body.ts';
import { RateLimiter } from '../src/gateway/rate-limit.ts';
import type { Route } from '../src/gateway/parts.ts';
import { Router } from '../src/gateway/router.ts';
import { findFile } from '../src/image-repository/find-file.ts';
import { encodePath, hashedName } from '../src/image-repository/image-name.ts';
import { parseRange } from '../src/image-repository/serve-file.ts';
import { redactConfiguration, redactValue } from '../src/inventory/information.ts';
import { createSealer, openDeploymentSecret } from '../src/seal.ts';
import { storableObject } from '../src/storable.ts';
import { registrationSchema } from '@immota/api';
import { repeatingEntropy, standingClock } from './support/ports.ts';

const json = fc.jsonValue({ maxDepth: 6 }).map((value) => value as JsonValue);
const object = fc.dictionary(fc.string(), json).map((value) => value as JsonObject);

describe('redactConfiguration()', () => {
  it('lets no value of a secret through, in whatever section and quotes', () => {
    const secret = fc.stringMatching(/^[A-Za-z0-9!$%&/()+*-]{8,40}$/);
    const name = fc.constantFrom('pass', 'p12_password', 'pin', 'user_pin', 'api-token', 'SECRET');
    const quote = fc.constantFrom('"', "'", '"""', "'''", '');
    fc.assert(
      fc.property(fc.tuple(fc.string(), fc.string()), name, secret, quote, (...drawn) => {
        const [[head, tail], key, value, mark] = drawn;
        const line = `${key} = ${mark}${value}${mark}`;
        const kept = redactConfiguration(`[x]\n${line}\n[y]`);
        assert.ok(!kept.includes(value));
        // Whatever stands around it, nothing breaks.
        redactConfiguration(`${head}\n${line}\n${tail}`);
      }),
    );
  });

  it('keeps plain assignments', () => {
    assert.equal(redactConfiguration('server = "https://x"'), 'server = "https://x"');
  });
});

describe('redactValue()', () => {
  it('keeps the shape and no text under a secret’s name', () => {
    fc.assert(
      fc.property(object, (value) => {
        const kept = redactValue({ ...value, password: 'geheim' });
        assert.ok(isJsonObject(kept) && kept['password'] === '[redacted]');
        assert.deepEqual(
          Object.keys(kept).toSorted(),
          Object.keys({ ...value, password: 1 }).toSorted(),
        );
      }),
    );
  });
});

describe('storableObject()', () => {
  it('leaves no character that the database cannot hold', () => {
    fc.assert(
      fc.property(object, (value) => {
        assert.ok(!JSON.stringify(storableObject(value)).includes(String.raw`\u0000`));
      }),
    );
  });
});

describe('parseInstallationReport() and parseProgress()', () => {
  it('read any JSON without breaking, and bound what they keep', () => {
    fc.assert(
      fc.property(object, fc.string({ maxLength: 3000 }), (value, text) => {
        parseInstallationReport(value);
        parseInstallationReport({ report: value });
        parseProgress(value);
        const result = { success: false, code: text, description: text };
        const report = parseInstallationReport({
          report: { correlation_id: text, result, items: [value] },
        });
        assert.ok(report !== undefined && report.code.length <= 1024);
        const progress = parseProgress({
          progress: { correlationId: 'x', state: text, measured: value },
        });
        assert.ok(progress !== undefined && progress.state.length <= 1024);
      }),
    );
  });
});

describe('parseRange()', () => {
  it('never selects what is not there', () => {
    const header = fc.oneof(
      fc.string(),
      fc.tuple(fc.nat(), fc.nat()).map(([first, last]) => `bytes=${first}-${last}`),
      fc.nat().map((first) => `bytes=${first}-`),
      fc.nat().map((last) => `bytes=-${last}`),
    );
    fc.assert(
      fc.property(header, fc.nat(), (text, length) => {
        const selection = parseRange(text, length);
        if (selection.kind !== 'part') return;
        assert.ok(selection.startBytes >= 0 && selection.startBytes < selection.endBytes);
        assert.ok(selection.endBytes <= length);
      }),
    );
  });
});

describe('findFile()', () => {
  it('asks for no name that climbs, whatever the path', async () => {
    const asked: string[] = [];
    const catalogue = {
      load: (names: ReadonlySet<string>) => {
        asked.push(...names);
        return Promise.resolve(new Map<never, never>());
      },
      findSigned: () => undefined,
    };
    const path = fc.oneof(
      fc.string(),
      fc.constantFrom('..%2f..%2fetc%2fpasswd', '%2e%2e/x', '/etc/passwd', 'a//b', 'a\\b', '%00'),
    );
    await fc.assert(
      fc.asyncProperty(path, async (text) => {
        assert.equal(await findFile(catalogue, text), undefined);
      }),
    );
    for (const name of asked) {
      const parts = name.split('/');
      assert.ok(
        parts.every((part) => part !== '' && part !== '.' && part !== '..'),
        name,
      );
      assert.ok(!name.includes('\0') && !name.includes('\\'), name);
    }
  });

  it('decodes what encodePath() wrote', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (name) => {
        assert.equal(decodeURIComponent(encodePath(name)), name);
        assert.ok(hashedName(name, 'h').includes('h.'));
      }),
    );
  });
});

describe('parseBody()', () => {
  it('refuses with a code whatever is not of the shape', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), json, (bytes, value) => {
        for (const body of [bytes, Buffer.from(JSON.stringify(value))]) {
          try {
            parseBody(registrationSchema, body);
          } catch (error) {
            assert.equal(findFaultCode(error), 'REQUEST_MALFORMED');
          }
        }
      }),
    );
  });
});

function route(name: string): Route {
  return { name, audience: 'anyone', handle: () => Promise.resolve() };
}

describe('Router', () => {
  const router = new Router([
    new Map([
      ['GET /a', route('exact')],
      ['GET /a/', route('folder')],
      ['GET /a/b/', route('inner')],
    ]),
  ]);

  it('takes whole paths first, then the longest folder, and passes over queries', () => {
    assert.equal(router.find('GET', '/a?x=/a/b/')?.route.name, 'exact');
    assert.deepEqual(
      [router.find('GET', '/a/b/c%2Fd?e')?.route.name, router.find('GET', '/a/b/c%2Fd?e')?.rest],
      ['inner', 'c%2Fd'],
    );
    assert.equal(router.find('GET', '/a/x')?.route.name, 'folder');
    assert.equal(router.find('PUT', '/a'), undefined);
  });

  it('finds something or nothing for any text', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (method, url) => {
        router.find(method, url);
      }),
    );
  });
});

describe('RateLimiter', () => {
  it('never lets more through than the burst and what came in since', () => {
    const steps = fc.array(fc.record({ waitMs: fc.nat(2000), asks: fc.nat(20) }), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(steps, (list) => {
        const clock = standingClock();
        const limiter = new RateLimiter(clock, { burst: 10, perSecond: 2 });
        let passed = 0;
        let elapsedMs = 0;
        for (const { waitMs, asks } of list) {
          clock.advance({ milliseconds: waitMs });
          elapsedMs += waitMs;
          for (let ask = 0; ask < asks; ask += 1) passed += limiter.take('x') ? 1 : 0;
        }
        assert.ok(passed <= 10 + (elapsedMs * 2) / 1000 + 1e-9);
      }),
    );
  });
});

describe('createSealer()', () => {
  const secret = openDeploymentSecret(new Uint8Array(32).fill(1));
  const sealer = createSealer(secret, 'tests', repeatingEntropy('seal'));

  it('opens what it sealed, and nothing that was changed', () => {
    fc.assert(
      fc.property(fc.string(), fc.uint8Array(), fc.nat(), (name, plain, place) => {
        const sealed = sealer.seal(name, plain);
        assert.deepEqual(sealer.open(name, sealed), Uint8Array.from(plain));
        const changed = Uint8Array.from(sealed);
        const at = place % changed.length;
        changed[at] = (changed[at] ?? 0) ^ 1;
        assert.throws(() => sealer.open(name, changed), { code: 'SEAL_BROKEN' });
        assert.throws(() => sealer.open(`${name}x`, sealed), { code: 'SEAL_BROKEN' });
      }),
    );
  });

  it('opens nothing of another use or deployment, and no rubbish', () => {
    const sealed = sealer.seal('x', Uint8Array.of(1));
    const other = createSealer(secret, 'others', repeatingEntropy('o'));
    assert.throws(() => other.open('x', sealed), { code: 'SEAL_BROKEN' });
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        assert.throws(() => sealer.open('x', bytes), { code: 'SEAL_BROKEN' });
      }),
    );
    assert.throws(() => openDeploymentSecret(new Uint8Array(31)), { code: 'SEAL_BROKEN' });
  });
});

describe('linkHash()', () => {
  it('does not depend on the order in which the database keeps members', () => {
    const integers = fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.boolean()));
    fc.assert(
      fc.property(integers, (body) => {
        const at = Temporal.Instant.from('2026-11-22T10:00:00Z');
        const event = { stream: 's', sequence: 1, at, kind: 'k' };
        const reversed = Object.fromEntries(Object.entries(body).toReversed());
        assert.deepEqual(
          linkHash(new Uint8Array(32), { ...event, body }),
          linkHash(new Uint8Array(32), { ...event, body: reversed }),
        );
      }),
    );
  });
});
