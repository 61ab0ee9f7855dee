import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { Fault } from '@immota/base';
import { parseTargetName } from '@immota/uptane';
import type { Fetcher } from '@immota/vehicle';
import {
  discardOthers,
  downloadImage,
  type DownloadOptions,
  type DownloadOrder,
  findDownloaded,
} from '../../src/download/image-download.ts';
import { measureFile } from '../../src/download/partial-file.ts';
import type { Network } from '../../src/download/request.ts';
import { makeFolder } from '../support/folder.ts';
import { plainFetcher } from '../support/plain-fetcher.ts';
import { testSurroundings, type TestSurroundings } from '../support/surroundings.ts';

const CHECKPOINT = 65_536;

type Answer = (request: IncomingMessage, response: ServerResponse, bytes: Buffer) => void;

interface Bench {
  readonly order: DownloadOrder;
  readonly bytes: Buffer;
  readonly folder: string;
  readonly network: Network;
  readonly surroundings: TestSurroundings;
  readonly refusals: string[];
  readonly ranges: (string | undefined)[];
  readonly closing: AbortController;
  readonly options: DownloadOptions;
  readonly get: (options?: Partial<DownloadOptions>) => Promise<string>;
}

/** Sources on this machine, each with its own manners, and a downloader. */
async function makeBench(test: TestContext, answers: readonly Answer[]): Promise<Bench> {
  const folder = makeFolder(test);
  const bytes = randomBytes(4 * CHECKPOINT + 1000);
  const source = join(folder, 'source');
  writeFileSync(source, bytes);
  const expected = await measureFile(source);
  const ranges: (string | undefined)[] = [];
  const urls: string[] = [];
  for (const answer of answers) {
    const server = createServer((request, response) => {
      ranges.push(request.headers.range);
      answer(request, response, bytes);
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, '127.0.0.1', resolve);
    await promise;
    test.after(() => {
      server.closeAllConnections();
      server.close();
    });
    urls.push(`http://127.0.0.1:${(server.address() as AddressInfo).port}/image`);
  }
  const surroundings = testSurroundings();
  const closing = new AbortController();
  const fetcher: Fetcher = plainFetcher();
  const network = { fetcher, surroundings, signal: closing.signal };
  const refusals: string[] = [];
  const options: DownloadOptions = {
    folder: join(folder, 'downloads'),
    checkpointBytes: CHECKPOINT,
    onRefusal: (fault: Fault<string>) => refusals.push(fault.code),
  };
  const order = { name: parseTargetName('fw.bin'), expected, urls };
  const get = async (changed: Partial<DownloadOptions> = {}): Promise<string> =>
    await downloadImage(network, order, { ...options, ...changed });
  return { order, bytes, folder, network, surroundings, refusals, ranges, closing, options, get };
}

const whole: Answer = (request, response, bytes) => {
  const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
  const start = Number(range?.[1] ?? 0);
  const head = { 'content-length': bytes.length - start };
  const part = { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` };
  response.writeHead(range === null ? 200 : 206, range === null ? head : { ...head, ...part });
  response.end(bytes.subarray(start));
};

/** Breaks the connection after some bytes, the first time only. */
function cutOnce(lengthBytes: number): Answer {
  let isCut = false;
  return (request, response, bytes) => {
    if (isCut) return whole(request, response, bytes);
    isCut = true;
    response.writeHead(200, { 'content-length': bytes.length });
    response.write(bytes.subarray(0, lengthBytes), () => response.destroy());
  };
}

const flipped: Answer = (request, response, bytes) => {
  const forged = Buffer.from(bytes);
  forged[100] = (forged[100] ?? 0) ^ 1;
  whole(request, response, forged);
};

describe('downloadImage()', () => {
  it('gives the bytes that metadata describe {uptane I5}', async (test) => {
    const bench = await makeBench(test, [whole]);
    assert.deepEqual(readFileSync(await bench.get()), bench.bytes);
    assert.deepEqual(bench.ranges, [undefined]);
  });
  it('finds what it has downloaded, after looking at every byte again', async (test) => {
    const bench = await makeBench(test, [whole]);
    const path = await bench.get();
    assert.equal(await bench.get(), path);
    assert.equal(bench.ranges.length, 1);
    assert.equal(await findDownloaded(bench.options.folder, bench.order), path);
    const rotten = readFileSync(path);
    rotten[0] = (rotten[0] ?? 0) ^ 1;
    writeFileSync(path, rotten);
    assert.equal(await findDownloaded(bench.options.folder, bench.order), undefined);
    assert.deepEqual(readFileSync(await bench.get()), bench.bytes);
  });
  it('goes on where a connection broke', async (test) => {
    const bench = await makeBench(test, [cutOnce(100_000)]);
    assert.deepEqual(readFileSync(await bench.get()), bench.bytes);
    assert.equal(bench.ranges.length, 2);
    assert.match(bench.ranges[1] ?? '', /^bytes=[1-9]\d*-$/);
    assert.deepEqual(bench.refusals, ['NETWORK']);
  });
  it('goes on in another process at the last byte that is sure to be on the disk', async (test) => {
    const bench = await makeBench(test, [whole]);
    const path = await bench.get();
    const part = path.replace(/image$/, 'part');
    writeFileSync(part, readFileSync(path).subarray(0, 2 * CHECKPOINT + 5));
    truncateSync(path, 0);
    assert.deepEqual(readFileSync(await bench.get()), bench.bytes);
    assert.equal(bench.ranges[1], `bytes=${2 * CHECKPOINT}-`);
  });
  it('begins anew where the server knows no ranges', async (test) => {
    const cut = cutOnce(100_000);
    const bench = await makeBench(test, [
      (request, response, bytes) => {
        delete request.headers.range;
        cut(request, response, bytes);
      },
    ]);
    assert.deepEqual(readFileSync(await bench.get()), bench.bytes);
  });
  it('begins anew when the part on the disk has rotted, and blames no source', async (test) => {
    const bench = await makeBench(test, [whole]);
    const path = await bench.get();
    writeFileSync(path.replace(/image$/, 'part'), Buffer.alloc(2 * CHECKPOINT + 5, 7));
    truncateSync(path, 0);
    assert.deepEqual(readFileSync(await bench.get()), bench.bytes);
    assert.deepEqual(bench.refusals, ['IMAGE_HASH']);
    assert.deepEqual(bench.ranges.slice(1), [`bytes=${2 * CHECKPOINT}-`, undefined]);
  });
  it('takes another source when the first one gives a flipped byte {uptane I5}', async (test) => {
    const bench = await makeBench(test, [flipped, whole]);
    assert.deepEqual(readFileSync(await bench.get()), bench.bytes);
    assert.deepEqual(bench.refusals, ['IMAGE_HASH']);
  });
  it('fails when the only source gives a flipped byte, and keeps none of it', async (test) => {
    const bench = await makeBench(test, [flipped]);
    await assert.rejects(bench.get(), { code: 'DOWNLOAD_FAILED' });
    const [left] = readdirSync(bench.options.folder);
    assert.equal(statSync(join(bench.options.folder, left ?? '')).size, 0);
    assert.equal(bench.ranges.length, 1);
  });
  it('checks every listed hash and not just the first {uptane I5}', async (test) => {
    const bench = await makeBench(test, [whole]);
    const { lengthBytes, hashes } = bench.order.expected;
    const wrong = new Map([...hashes, ['sha512', '0'.repeat(128)] as const]);
    const order = { ...bench.order, expected: { lengthBytes, hashes: wrong } };
    await assert.rejects(downloadImage(bench.network, order, bench.options), {
      code: 'DOWNLOAD_FAILED',
    });
    assert.deepEqual(bench.refusals, ['IMAGE_HASH']);
  });
  it('reads no byte from a source that announces more than was signed', async (test) => {
    const bench = await makeBench(test, [
      (_request, response, bytes) => {
        response.writeHead(200, { 'content-length': bytes.length + 1 });
        response.end(Buffer.concat([bytes, Buffer.alloc(1)]));
      },
    ]);
    await assert.rejects(bench.get(), { code: 'DOWNLOAD_FAILED' });
    assert.deepEqual(bench.refusals, ['ENDLESS_DATA']);
  });
  it('stops reading a source that does not end {uptane I9}', async (test) => {
    const bench = await makeBench(test, [
      (_request, response, bytes) => {
        response.writeHead(200);
        // Without an end, and longer than any buffer on the way.
        for (let index = 0; index < 8; index += 1) response.write(bytes);
      },
      whole,
    ]);
    assert.deepEqual(readFileSync(await bench.get()), bench.bytes);
    assert.deepEqual(bench.refusals, ['ENDLESS_DATA']);
  });
  it('refuses a source that announces less than was signed', async (test) => {
    const bench = await makeBench(test, [
      (_request, response, bytes) => {
        response.writeHead(200, { 'content-length': 10 }).end(bytes.subarray(0, 10));
      },
    ]);
    await assert.rejects(bench.get(), { code: 'DOWNLOAD_FAILED' });
    assert.deepEqual(bench.refusals, ['IMAGE_LENGTH']);
  });
  it('gives up for now when every connection breaks early, and keeps what came', async (test) => {
    const bench = await makeBench(test, [
      (_request, response, bytes) => {
        response.writeHead(200, { 'content-length': bytes.length });
        response.write(bytes.subarray(0, 10), () => response.destroy());
      },
    ]);
    await assert.rejects(bench.get(), { code: 'NETWORK' });
    assert.equal(bench.ranges.length, 6);
  });
  it('leaves a source that feeds it drop by drop {uptane I9}', async (test) => {
    const bench = await makeBench(test, [
      (_request, response, bytes) => {
        response.writeHead(200, { 'content-length': bytes.length });
        response.write(bytes.subarray(0, 1000));
      },
      whole,
    ]);
    // The window passes when the first drop is there.
    const path = await bench.get({
      onProgress: (_name, receivedBytes) => {
        if (receivedBytes <= 1000) bench.surroundings.advance(60_000);
      },
    });
    assert.deepEqual(readFileSync(path), bench.bytes);
    assert.deepEqual(bench.refusals, ['SLOW_RETRIEVAL']);
  });
  it('stays with a source that is just fast enough', async (test) => {
    const bench = await makeBench(test, [whole]);
    let isFirst = true;
    await bench.get({
      rateFloor: { bytesPerSecond: 100, windowMs: 60_000 },
      onProgress: (_name, receivedBytes) => {
        if (receivedBytes < 6000 || !isFirst) return;
        isFirst = false;
        bench.surroundings.advance(60_000);
      },
    });
    assert.deepEqual(bench.refusals, []);
  });
  it('follows no redirect', async (test) => {
    const bench = await makeBench(test, [
      (_request, response) => {
        response.writeHead(302, { location: 'http://127.0.0.1:1/elsewhere' }).end();
      },
      whole,
    ]);
    assert.deepEqual(readFileSync(await bench.get()), bench.bytes);
    assert.deepEqual(bench.refusals, ['REDIRECT']);
  });
  it('writes nothing of an error page into the file', async (test) => {
    let count = 0;
    const bench = await makeBench(test, [
      (request, response, bytes) => {
        count += 1;
        if (count === 1) response.writeHead(503).end('<html>not now</html>');
        else whole(request, response, bytes);
      },
    ]);
    assert.deepEqual(readFileSync(await bench.get()), bench.bytes);
    assert.deepEqual(bench.refusals, ['HTTP_STATUS']);
    assert.equal(bench.ranges[1], undefined);
  });
  it('asks a source that has nothing only once', async (test) => {
    const bench = await makeBench(test, [
      (_request, response) => {
        response.writeHead(404).end();
      },
    ]);
    await assert.rejects(bench.get(), { code: 'DOWNLOAD_FAILED' });
    assert.deepEqual([bench.ranges.length, bench.refusals], [1, ['HTTP_REFUSED']]);
  });
  it('refuses a part of the image that it has not asked for', async (test) => {
    const cut = cutOnce(100_000);
    let count = 0;
    const bench = await makeBench(test, [
      (request, response, bytes) => {
        count += 1;
        if (count !== 2) return cut(request, response, bytes);
        const range = `bytes 0-${bytes.length - 1}/${bytes.length}`;
        response.writeHead(206, { 'content-range': range }).end(bytes);
      },
    ]);
    assert.deepEqual(readFileSync(await bench.get()), bench.bytes);
    assert.deepEqual(bench.refusals, ['NETWORK', 'HTTP_STATUS']);
  });
  it('downloads nothing beyond the quota or the room on the disk', async (test) => {
    const bench = await makeBench(test, [whole]);
    const { length } = bench.bytes;
    await assert.rejects(bench.get({ quotaBytes: length - 1 }), { code: 'DISK_QUOTA' });
    const scarce = (): Promise<number> => Promise.resolve(length + 16 * 1024 ** 2 - 1);
    await assert.rejects(bench.get({ findFreeBytes: scarce }), { code: 'DISK_FULL' });
    assert.equal(bench.ranges.length, 0);
    const enough = (): Promise<number> => Promise.resolve(length + 16 * 1024 ** 2);
    await bench.get({ quotaBytes: length, findFreeBytes: enough });
  });
  it('ends at once when the Primary closes', async (test) => {
    const bench = await makeBench(test, [
      (_request, response, bytes) => {
        response.writeHead(200, { 'content-length': bytes.length });
        response.write(bytes.subarray(0, 1000));
      },
    ]);
    const closed = new RangeError('closed');
    const got = bench.get({ onProgress: () => bench.closing.abort(closed) });
    await assert.rejects(got, (error) => error === closed);
  });
});

describe('discardOthers()', () => {
  it('deletes what nobody wants and keeps the rest', async (test) => {
    const bench = await makeBench(test, [whole]);
    const path = await bench.get();
    writeFileSync(join(bench.options.folder, `${'0'.repeat(64)}.part`), 'old');
    await discardOthers(bench.options.folder, [bench.order]);
    assert.deepEqual(readdirSync(bench.options.folder), [path.slice(path.lastIndexOf('/') + 1)]);
    await discardOthers(bench.options.folder, []);
    assert.deepEqual(readdirSync(bench.options.folder), []);
  });
});
