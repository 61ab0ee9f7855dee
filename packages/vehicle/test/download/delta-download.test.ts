import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { Fault } from '@immota/base';
import { parseTargetName } from '@immota/uptane';
import type { Fetcher, FetchResponse } from '@immota/vehicle';
import { downloadDelta, type DownloadedDelta } from '../../src/download/delta-download.ts';
import { discardOthers } from '../../src/download/image-download.ts';
import { makeFolder } from '../support/folder.ts';
import { testSurroundings } from '../support/surroundings.ts';

const BASE = 'ab'.repeat(32);
const DELTA: Uint8Array = new Uint8Array(randomBytes(3000));

async function* bodyOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 700)
    yield await Promise.resolve(bytes.slice(at, at + 700));
}

function answer(status: number, bytes: Uint8Array, announced = bytes.length): FetchResponse {
  return { status, headers: new Map([['content-length', String(announced)]]), body: bodyOf(bytes) };
}

interface Outcome {
  readonly found: DownloadedDelta | undefined;
  readonly asked: readonly string[];
  readonly refusals: readonly string[];
  readonly folder: string;
}

/** Asks two sources for the delta of an image of 10 000 bytes. */
async function run(test: TestContext, respond: (url: string) => FetchResponse): Promise<Outcome> {
  const folder = join(makeFolder(test), 'downloads');
  const asked: string[] = [];
  const fetcher: Fetcher = {
    fetch: ({ url }) => {
      asked.push(url);
      return Promise.resolve(respond(url));
    },
    close: () => undefined,
  };
  const network = {
    fetcher,
    surroundings: testSurroundings(),
    signal: new AbortController().signal,
  };
  const order = {
    name: parseTargetName('fw.bin'),
    expected: { lengthBytes: 10_000, hashes: new Map([['sha256', 'cd'.repeat(32)]] as const) },
    urls: ['https://one/fw.bin', 'https://two/fw.bin'],
  };
  const refusals: string[] = [];
  const onRefusal = (fault: Fault<string>): number => refusals.push(fault.code);
  const found = await downloadDelta(network, order, BASE, { folder, onRefusal });
  return { found, asked, refusals, folder };
}

describe('downloadDelta()', () => {
  it('takes the delta from the base that the ECUs run', async (test) => {
    const { found, asked } = await run(test, () => answer(200, DELTA));
    assert.ok(found !== undefined);
    assert.equal(found.lengthBytes, DELTA.length);
    assert.deepEqual(new Uint8Array(readFileSync(found.path)), DELTA);
    assert.deepEqual(asked, [`https://one/fw.bin.delta-from-${BASE}`]);
  });

  it('asks the next source when one has none', async (test) => {
    const { found, refusals } = await run(test, (url) =>
      url.startsWith('https://one/') ? answer(404, new Uint8Array()) : answer(200, DELTA),
    );
    assert.equal(found?.lengthBytes, DELTA.length);
    assert.deepEqual(refusals, []);
  });

  const without: Readonly<
    Record<string, readonly [refusal: string | undefined, () => FetchResponse]>
  > = {
    'nobody has one': [undefined, () => answer(404, new Uint8Array())],
    'it is announced as long as an image {uptane I9}': [undefined, () => answer(200, DELTA, 5001)],
    'it does not end {uptane I9}': ['ENDLESS_DATA', () => answer(200, new Uint8Array(5001), 0)],
    'the connection breaks': ['NETWORK', () => answer(200, DELTA, 3001)],
    'the source sends it elsewhere {uptane I9}': ['REDIRECT', () => answer(302, new Uint8Array())],
  };
  for (const [what, [refusal, respond]] of Object.entries(without)) {
    it(`leaves it to the full image when ${what}`, async (test) => {
      const { found, refusals, folder } = await run(test, respond);
      assert.equal(found, undefined);
      assert.deepEqual(refusals, refusal === undefined ? [] : [refusal, refusal]);
      assert.equal(existsSync(join(folder, `${'cd'.repeat(32)}.delta`)), false);
    });
  }

  it('leaves nothing behind that nobody wants', async (test) => {
    const { found, folder } = await run(test, () => answer(200, DELTA));
    await discardOthers(folder, []);
    assert.ok(found !== undefined && !existsSync(found.path));
  });
});
