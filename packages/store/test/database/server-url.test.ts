import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseServerUrl } from '../../src/database/server-url.ts';
import { StoreFault } from '../../src/index.ts';

describe('parseServerUrl()', () => {
  it('asks for TLS with the name checked over a network', () => {
    for (const query of ['', '?sslmode=require', '?sslmode=prefer', '?sslmode=verify-ca']) {
      assert.equal(sslmode(`postgres://me:pw@db.example:5433/fleet${query}`), 'verify-full');
    }
    assert.equal(sslmode('postgres://me@/fleet?host=db.example'), 'verify-full');
  });

  it('is plain on the same machine, and elsewhere only when told so', () => {
    for (const url of [
      'postgres://me:pw@localhost/fleet',
      'postgresql://me:pw@127.0.0.1:5433/fleet',
      'postgres://me:pw@[::1]/fleet',
      'postgres://me:pw@/fleet?host=/run/postgresql',
      'postgres:///fleet?host=/run/postgresql',
      'postgres://me:pw@db.example/fleet?sslmode=disable',
    ]) {
      assert.equal(sslmode(url), 'disable');
    }
    assert.equal(sslmode('postgres://me@localhost/fleet?sslmode=require'), 'verify-full');
  });

  it('keeps the rest of the URL', () => {
    const { connectionString = '' } = parseServerUrl('postgres://me:p%40w@/f?host=/run&port=5433');
    assert.equal(connectionString, 'postgres://me:p%40w@/f?host=%2Frun&port=5433&sslmode=disable');
  });

  it('refuses what is no URL of a server, and never repeats a secret', () => {
    for (const url of [
      '',
      'sesame',
      'mysql://me:sesame@localhost/x',
      'postgres://me:sesame@/x',
      'postgres://me:sesame@host:99999/x',
      'postgres://me:sesame@localhost/x?sslmode=maybe',
    ]) {
      assert.throws(
        () => parseServerUrl(url),
        (error) => {
          assert.ok(error instanceof StoreFault);
          assert.equal(error.code, 'URL_MALFORMED');
          assert.doesNotMatch(error.message + String(error.cause), /sesame/);
          return true;
        },
      );
    }
  });

  it('reads any text or refuses it by its code', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webUrl({ validSchemes: ['postgres'] })), (url) => {
        try {
          parseServerUrl(url);
        } catch (error) {
          assert.ok(error instanceof StoreFault);
        }
      }),
    );
  });
});

function sslmode(url: string): string | null {
  const { connectionString = '' } = parseServerUrl(url);
  return new URL(connectionString.replace('@/', '@x/')).searchParams.get('sslmode');
}
