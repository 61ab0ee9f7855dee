import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { Fault } from '@immota/base';
import { parseTargetName } from '@immota/uptane';
import { type Fetcher, type FetchRequest, type FetchResponse, VehicleFault } from '@immota/vehicle';
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

async function* breakingOff(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield* bodyOf(bytes);
  throw new VehicleFault('NETWORK', 'Cannot read: the connection broke');
}

/** A source that knows ranges, and breaks off after so many bytes of each answer. */
function serve(
  request: FetchRequest,
  bytes: Uint8Array,
  { etag = '"one"', mostBytes = Infinity }: { etag?: string; mostBytes?: number } = {},
): FetchResponse {
  const range = /^bytes=(\d+)-$/.exec(request.headers?.['range'] ?? '');
  const isSame = request.headers?.['if-range'] === etag;
  const from = range !== null && isSame ? Number(range[1]) : 0;
  const rest = bytes.subarray(from);
  const sent = rest.subarray(0, mostBytes);
  const part = [['content-range', `bytes ${from}-${bytes.length - 1}/${bytes.length}`]] as const;
  return {
    status: from > 0 ? 206 : 200,
    headers: new Map([
      ['content-length', String(rest.length)],
      ['etag', etag],
      ...(from > 0 ? part : []),
    ]),
    body: sent.length < rest.length ? breakingOff(sent) : bodyOf(sent),
  };
}

const LONG: Uint8Array = new Uint8Array(randomBytes(180_000));

interface Outcome {
  readonly found: DownloadedDelta | undefined;
  readonly asked: readonly string[];
  readonly refusals: readonly string[];
  readonly folder: string;
}

/** Asks two sources for the delta of an image of 10 000 bytes, or of a longer one. */
async function run(
  test: TestContext,
  respond: (url: string, request: FetchRequest) => FetchResponse,
  {
    folder = join(makeFolder(test), 'downloads'),
    lengthBytes = 10_000,
    pageBytes,
  }: { folder?: string; lengthBytes?: number; pageBytes?: number } = {},
): Promise<Outcome> {
  const asked: string[] = [];
  const fetcher: Fetcher = {
    fetch: (request) => {
      asked.push(request.url);
      return Promise.resolve(respond(request.url, request));
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
    expected: { lengthBytes, hashes: new Map([['sha256', 'cd'.repeat(32)]] as const) },
    urls: ['https://one/fw.bin', 'https://two/fw.bin'],
  };
  const refusals: string[] = [];
  const onRefusal = (fault: Fault<string>): number => refusals.push(fault.code);
  const wanted = { baseSha256: BASE, pageBytes };
  const found = await downloadDelta(network, order, wanted, { folder, onRefusal });
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

  it('gives up a source that never gets to the end {uptane I9}', async (test) => {
    const { found, refusals } = await run(test, () => answer(200, DELTA, 3001));
    assert.equal(found, undefined);
    assert.ok(refusals.length > 1 && refusals.every((code) => code === 'NETWORK'));
  });

  it('asks for the delta of a bank by its page', async (test) => {
    const { asked } = await run(test, () => answer(200, DELTA), { pageBytes: 2048 });
    assert.deepEqual(asked, [`https://one/fw.bin.delta-from-${BASE}.pages-11`]);
  });

  const long = { lengthBytes: 400_000 };
  it('goes on where a connection broke, also at another source', async (test) => {
    const ranges: (string | undefined)[] = [];
    const { found, refusals } = await run(
      test,
      (_, request) => {
        ranges.push(request.headers?.['range']);
        return serve(request, LONG, { mostBytes: 70_000 });
      },
      long,
    );
    assert.deepEqual(new Uint8Array(readFileSync(found?.path ?? '')), LONG);
    assert.deepEqual(refusals, ['NETWORK', 'NETWORK']);
    assert.deepEqual(ranges, [undefined, 'bytes=70000-', 'bytes=140000-']);
  });

  /** What an earlier start has left, cut off by the power. */
  async function leftover(test: TestContext): Promise<string> {
    let count = 0;
    const { found, folder } = await run(
      test,
      (_, request) => {
        count += 1;
        return count === 1
          ? serve(request, LONG, { mostBytes: 150_000 })
          : answer(404, new Uint8Array());
      },
      long,
    );
    assert.equal(found, undefined);
    return folder;
  }

  it('goes on after a restart, from its last checkpoint', async (test) => {
    const folder = await leftover(test);
    const ranges: (string | undefined)[] = [];
    const respond = (_: string, request: FetchRequest): FetchResponse => {
      ranges.push(request.headers?.['range']);
      return serve(request, LONG);
    };
    const { found } = await run(test, respond, { ...long, folder });
    assert.deepEqual(new Uint8Array(readFileSync(found?.path ?? '')), LONG);
    assert.deepEqual(ranges, ['bytes=131072-']);
    assert.deepEqual(readdirSync(folder), [`${'cd'.repeat(32)}.delta`]);
  });

  it('begins anew when the source has another delta now, or is asked for another', async (test) => {
    const folder = await leftover(test);
    const other = LONG.map((byte) => byte ^ 1);
    const respond = (_: string, request: FetchRequest): FetchResponse =>
      serve(request, other, { etag: '"two"' });
    const { found } = await run(test, respond, { ...long, folder });
    assert.deepEqual(new Uint8Array(readFileSync(found?.path ?? '')), other);
    const again = await leftover(test);
    const paged = await run(test, respond, { ...long, folder: again, pageBytes: 4096 });
    assert.deepEqual(new Uint8Array(readFileSync(paged.found?.path ?? '')), other);
  });

  it('refuses a range that is not the rest of what it has', async (test) => {
    const folder = await leftover(test);
    const range = ['content-range', 'bytes 7-9/180000'] as const;
    const { found, refusals } = await run(
      test,
      (_, request) => {
        const answered = serve(request, LONG);
        return { ...answered, headers: new Map([...answered.headers, range]) };
      },
      { ...long, folder },
    );
    assert.equal(found, undefined);
    assert.deepEqual(refusals, ['HTTP_REFUSED', 'HTTP_REFUSED']);
  });

  it('leaves nothing behind that nobody wants', async (test) => {
    const { found, folder } = await run(test, () => answer(200, DELTA));
    await discardOthers(folder, []);
    assert.ok(found !== undefined && !existsSync(found.path));
  });
});
