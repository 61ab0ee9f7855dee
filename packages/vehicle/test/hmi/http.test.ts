import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openState } from '@immota/vehicle';
import { HmiMemory } from '../../src/hmi/memory.ts';
import { type HmiWorld, makeHmiWorld, type Sent } from '../support/hmi-world.ts';

async function codeOf(world: HmiWorld, path: string, sent?: Sent): Promise<string> {
  const { status, json } = await world.send(path, sent);
  const code = json['code'];
  return typeof code === 'string' ? `${status} ${code}` : `${status}`;
}

describe('the screens’ server', () => {
  it('serves a page that runs, loads and frames nothing foreign', async (test) => {
    const world = await makeHmiWorld(test);
    for (const path of [
      '/',
      '/app.js',
      '/screens.js',
      '/dom.js',
      '/style.css',
      '/screens.css',
      '/icon.svg',
    ]) {
      const { status, headers, text } = await world.send(path);
      assert.equal(status, 200, path);
      const policy = String(headers['content-security-policy']);
      assert.match(policy, /default-src 'none'; script-src 'self'/u);
      assert.match(policy, /frame-ancestors 'none'/u);
      assert.doesNotMatch(policy, /unsafe/u);
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.doesNotMatch(text.replaceAll('http://www.w3.org/2000/svg', ''), /https?:\/\//u);
    }
    const { text } = await world.send('/');
    assert.doesNotMatch(text, /<script(?![^>]*src=)|\son\w+=|style=/u);
  });
  it('listens on the loopback alone', async (test) => {
    const world = await makeHmiWorld(test);
    assert.match(world.hmi.url, /^http:\/\/127\.0\.0\.1:\d+\/$/u);
  });
  it('connects a screen by a code that works once, with a cookie that no script reads', async (test) => {
    const world = await makeHmiWorld(test);
    const [code = ''] = world.codes;
    const body = JSON.stringify({ code: code.toLowerCase().replace('-', ' ') });
    const { status, headers, json } = await world.send('/api/pair', { body });
    assert.deepEqual([status, json['role']], [200, 'owner']);
    const cookie = String(headers['set-cookie']);
    for (const part of ['HttpOnly', 'SameSite=Strict', 'Path=/']) assert.ok(cookie.includes(part));
    assert.equal(await codeOf(world, '/api/pair', { body }), '403 PAIRING_CODE');
    // Another one is shown at once.
    assert.equal(world.codes.length, 2);
    assert.notEqual(world.codes[1], code);
  });
  it('refuses wrong codes, slows their guessing, and forgets a code that lay about', async (test) => {
    const world = await makeHmiWorld(test);
    const wrong = JSON.stringify({ code: '0000-0000' });
    assert.equal(await codeOf(world, '/api/pair', { body: wrong }), '403 PAIRING_CODE');
    const [code] = world.codes;
    const now = world.now;
    world.now = now.add({ minutes: 61 });
    const right = JSON.stringify({ code });
    assert.equal(await codeOf(world, '/api/pair', { body: right }), '403 PAIRING_CODE');
    const answers = [];
    for (let times = 0; times < 6; times += 1) {
      answers.push(await codeOf(world, '/api/pair', { body: wrong }));
    }
    assert.equal(answers.at(-1), '429 RATE');
  });
  it('answers nobody without a session, nor after it has ended', async (test) => {
    const world = await makeHmiWorld(test);
    const closed: readonly (readonly [string, Sent])[] = [
      ['/api/view', {}],
      ['/api/events', {}],
      ['/api/history', {}],
      ['/api/answer', { body: '{}' }],
      ['/api/reconsider', { body: '{}' }],
      ['/api/dismiss', { body: '{}' }],
      ['/api/invite', { body: '{}' }],
      ['/api/sign-out', { body: '{}' }],
    ];
    const cookie = await world.connect();
    const session = { cookie };
    assert.equal((await world.send('/api/view', { headers: session })).status, 200);
    assert.equal((await world.send('/api/sign-out', { headers: session, body: '{}' })).status, 200);
    for (const headers of [{}, session, { cookie: 'immota_hmi=' }, { cookie: 'immota_hmi=x' }]) {
      for (const [path, sent] of closed) {
        assert.equal(await codeOf(world, path, { ...sent, headers }), '401 SESSION', path);
      }
    }
  });
  it('ends a session after a month', async (test) => {
    const world = await makeHmiWorld(test);
    const headers = { cookie: await world.connect() };
    world.now = world.now.add({ hours: 719 });
    assert.equal((await world.send('/api/view', { headers })).status, 200);
    world.now = world.now.add({ hours: 2 });
    assert.equal(await codeOf(world, '/api/view', { headers }), '401 SESSION');
  });
  it('takes no request that another page has sent, whatever cookie it carries', async (test) => {
    const world = await makeHmiWorld(test);
    const cookie = await world.connect();
    const body = JSON.stringify({ sequence: 0 });
    const { origin, port } = new URL(world.hmi.url);
    const own = { cookie, origin, 'sec-fetch-site': 'same-origin' };
    const foreign: readonly Readonly<Record<string, string>>[] = [
      { origin: 'http://evil.example' },
      { origin: 'null' },
      { origin: `http://127.0.0.1:${Number(port) + 1}` },
      { origin: `http://localhost:${port}` },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ];
    for (const changes of foreign) {
      const headers = { ...own, ...changes };
      assert.equal(await codeOf(world, '/api/dismiss', { headers, body }), '403 CROSS_SITE');
    }
    assert.ok(world.refused.every((code) => code === 'CROSS_SITE'));
    assert.equal((await world.send('/api/dismiss', { headers: own, body })).status, 200);
  });
  it('keeps its history however often it refuses', async (test) => {
    const world = await makeHmiWorld(test);
    const cookie = await world.connect();
    world.offer();
    world.conclude({ 'VIN-brake': 'OK' });
    const headers = { host: 'evil.example' };
    for (let times = 0; times < 50; times += 1) {
      assert.equal(await codeOf(world, '/', { headers }), '403 CROSS_SITE');
    }
    const { text } = await world.send('/api/history', { headers: { cookie } });
    assert.match(text, /Winter brakes/u);
    await world.stop();
    const state = openState(join(world.folder, 'hmi.db'));
    const kinds = state.journal.list(0, 100).map(({ kind }) => kind);
    assert.deepEqual(kinds, ['history']);
    const [refused] = new HmiMemory(state).refusals();
    state.close();
    assert.deepEqual([refused?.code, refused?.count], ['CROSS_SITE', 1]);
  });
  it('answers to no other name: DNS rebinding', async (test) => {
    const world = await makeHmiWorld(test);
    const { port } = new URL(world.hmi.url);
    for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1', `0.0.0.0:${port}`]) {
      assert.equal(await codeOf(world, '/', { headers: { host } }), '403 CROSS_SITE', host);
    }
    const headers = { host: `localhost:${port}` };
    assert.equal((await world.send('/', { headers })).status, 200);
  });
  it('refuses what is none of its requests', async (test) => {
    const world = await makeHmiWorld(test);
    const headers = { cookie: await world.connect() };
    assert.equal(await codeOf(world, '/api/nothing', { headers }), '404 NOT_FOUND');
    assert.equal(await codeOf(world, '/../../etc/passwd', { headers }), '404 NOT_FOUND');
    assert.equal(await codeOf(world, '/api/view', { headers, body: '{}' }), '405 METHOD');
    assert.equal(await codeOf(world, '/', { headers, body: '{}' }), '405 METHOD');
    for (const body of ['{', '[]', '"x"', '{"sequence":-1}', '{"sequence":0,"more":1}']) {
      assert.equal(await codeOf(world, '/api/dismiss', { headers, body }), '400 MALFORMED', body);
    }
    const form = { ...headers, 'content-type': 'text/plain' };
    const sent = { headers: form, body: '{"sequence":0}' };
    assert.equal(await codeOf(world, '/api/dismiss', sent), '400 MALFORMED');
    const long = JSON.stringify({ sequence: 'x'.repeat(5000) });
    assert.equal(await codeOf(world, '/api/dismiss', { headers, body: long }), '413 TOO_LARGE');
  });
  it('makes codes for others where the asker answers for them', async (test) => {
    const world = await makeHmiWorld(test);
    const owner = { cookie: await world.connect() };
    const body = JSON.stringify({ role: 'driver' });
    const { json } = await world.send('/api/invite', { headers: owner, body });
    const paired = await world.send('/api/pair', { body: JSON.stringify({ code: json['code'] }) });
    assert.equal(paired.json['role'], 'driver');
    const driver = { cookie: String(paired.headers['set-cookie']).split(';')[0] ?? '' };
    const owning = JSON.stringify({ role: 'owner' });
    assert.equal(
      await codeOf(world, '/api/invite', { headers: driver, body: owning }),
      '403 NOT_AUTHORISED',
    );
    const odd = JSON.stringify({ role: 'neighbour' });
    assert.equal(
      await codeOf(world, '/api/invite', { headers: owner, body: odd }),
      '400 MALFORMED',
    );
  });
  it('pushes the screen at once and whenever it changes', async (test) => {
    const world = await makeHmiWorld(test);
    const cookie = await world.connect();
    const kinds: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const stream = httpRequest(new URL('/api/events', world.hmi.url), { headers: { cookie } });
    stream.on('response', (response) => {
      assert.equal(response.headers['content-type'], 'text/event-stream');
      response.on('data', (part: Uint8Array) => {
        for (const [, kind = ''] of Buffer.from(part)
          .toString()
          .matchAll(/"screen":\{"kind":"(\w+)"/gu)) {
          kinds.push(kind);
          if (kind === 'idle') world.ask();
          if (kind === 'question') world.isParked = false;
          if (kind === 'driving') resolve();
        }
      });
    });
    stream.on('error', () => resolve());
    stream.end();
    await promise;
    stream.destroy();
    assert.deepEqual(kinds, ['idle', 'question', 'driving']);
  });
});
