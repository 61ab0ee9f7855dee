import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { inviteFirst } from '../../src/access/local-accounts.ts';
import { createToken } from '../../src/index.ts';
import { Browser, type Page } from '../support/browser.ts';
import { startTestPlatform, type TestPlatform } from '../support/running-platform.ts';

let world: TestPlatform;
before(async () => {
  world = await startTestPlatform();
});
after(() => world.close());

const own = (path: string): string => world.platform.urls.operator + path;
const PASSWORD = 'correct horse battery staple';

async function signIn(email: string, password: string, browser = new Browser()): Promise<Page> {
  return await browser.submit(await browser.ask(own('/auth/login')), { email, password });
}

async function call(
  browser: Browser,
  method: string,
  path: string,
  json?: unknown,
): Promise<{ readonly status: number; readonly json: Record<string, unknown> }> {
  const session = await browser.ask(own('/api/v1/session'));
  const { csrfToken } = JSON.parse(session.text) as { readonly csrfToken?: string };
  const page = await browser.ask(own(`/api/v1${path}`), {
    method,
    headers: { 'content-type': 'application/json', 'x-csrf-token': csrfToken ?? '' },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  });
  return { status: page.status, json: JSON.parse(page.text) as Record<string, unknown> };
}

const admin = new Browser();

async function inviteUser(email: string, role: string): Promise<{ id: string; link: string }> {
  const made = await call(admin, 'POST', '/users', { email, name: email, role });
  assert.equal(made.status, 201);
  return { id: String(made.json['userId']), link: String(made.json['invitation']) };
}

describe('local accounts', () => {
  it('begin with one link for the first administrator', async () => {
    const { context } = world.platform.cloud;
    const code = await inviteFirst(context);
    const link = own(`/auth/invitation?code=${code ?? ''}`);
    const short = await admin.submit(await admin.ask(link), {
      email: 'Root@example.com',
      name: 'Root',
      password: 'short',
    });
    assert.equal(short.status, 400);
    const done = await admin.submit(await admin.ask(link), {
      email: 'Root@example.com',
      name: 'Root',
      password: PASSWORD,
    });
    assert.equal(done.status, 303);
    assert.equal((await call(admin, 'GET', '/session')).json['role'], 'admin');
    assert.equal((await new Browser().ask(link)).status, 403);
    assert.equal(await inviteFirst(context), undefined);
    const { kysely } = context.database;
    const { password } = await kysely
      .selectFrom('person')
      .select('password')
      .executeTakeFirstOrThrow();
    assert.match(password ?? '', /^scrypt\$15\$8\$3\$/);
  });

  it('let in by address and password, and refuse every other in the same words', async () => {
    const { link } = await inviteUser('olga@example.com', 'operator');
    const browser = new Browser();
    const done = await browser.submit(await browser.ask(link), { password: PASSWORD });
    assert.equal(done.status, 303);
    assert.equal((await signIn(' OLGA@example.com', PASSWORD)).status, 303);
    const wrong = await signIn('olga@example.com', 'wrong');
    const unknown = await signIn('nobody@example.com', PASSWORD);
    assert.deepEqual([wrong.status, unknown.status], [403, 403]);
    assert.equal(wrong.text, unknown.text);
  });

  it('wait after five wrong passwords, though the sixth is right', async () => {
    const { link } = await inviteUser('lock@example.com', 'viewer');
    const browser = new Browser();
    await browser.submit(await browser.ask(link), { password: PASSWORD });
    for (let count = 0; count < 5; count += 1) {
      assert.equal((await signIn('lock@example.com', 'wrong')).status, 403);
    }
    assert.equal((await signIn('lock@example.com', PASSWORD)).status, 403);
    world.clock.advance({ minutes: 1, seconds: 1 });
    assert.equal((await signIn('lock@example.com', PASSWORD)).status, 303);
    const rows = await world.platform.cloud.context.database.kysely
      .selectFrom('event')
      .select('kind')
      .where('kind', '=', 'user.locked')
      .execute();
    assert.equal(rows.length, 1);
  });

  it('refuse a form of another site, of another sign-in, or of none', async () => {
    const browser = new Browser();
    const fields = { email: 'olga@example.com', password: PASSWORD };
    const page = await browser.ask(own('/auth/login'));
    const foreign = await browser.submit(page, fields, { origin: 'https://evil.test' });
    assert.equal(foreign.status, 403);
    assert.equal((await browser.submit(page, { ...fields, state: 'another' })).status, 403);
    assert.equal((await new Browser().submit(page, fields)).status, 403);
    assert.equal((await browser.submit(page, fields)).status, 303);
  });

  it('refuse a dictionary from one address', async () => {
    world.clock.advance({ minutes: 10 });
    const statuses: number[] = [];
    const browser = new Browser();
    const page = await browser.ask(own('/auth/login'));
    for (let count = 0; count < 25; count += 1) {
      const body = { email: '', password: '' };
      statuses.push((await browser.submit(page, { ...body, state: 'x' })).status);
    }
    assert.deepEqual([statuses[0], statuses.at(-1)], [403, 429]);
    world.clock.advance({ minutes: 10 });
  });
});

describe('a session', () => {
  it('changes its cookie after a quarter of an hour, and ends when the old one comes back', async () => {
    const browser = new Browser();
    await signIn('olga@example.com', PASSWORD, browser);
    const old = browser.cookies(own('/')).get('immota-session') ?? '';
    world.clock.advance({ minutes: 16 });
    const first = await call(browser, 'GET', '/session');
    const next = browser.cookies(own('/')).get('immota-session') ?? '';
    assert.notEqual(next, old);
    const late = new Browser();
    late.setCookie(own('/'), 'immota-session', old);
    const grace = await call(late, 'GET', '/session');
    assert.deepEqual([grace.status, grace.json['csrfToken']], [200, first.json['csrfToken']]);
    world.clock.advance({ minutes: 2 });
    assert.equal((await call(late, 'GET', '/session')).status, 401);
    // One of the two bears a stolen cookie: nobody goes on.
    assert.equal((await call(browser, 'GET', '/session')).status, 401);
  });

  it('ends when it is left alone, and after half a day whatever was done', async () => {
    const idle = new Browser();
    await signIn('olga@example.com', PASSWORD, idle);
    world.clock.advance({ hours: 2, seconds: 1 });
    assert.equal((await call(idle, 'GET', '/session')).status, 401);
    const busy = new Browser();
    await signIn('olga@example.com', PASSWORD, busy);
    for (let hours = 0; hours < 11; hours += 1) {
      world.clock.advance({ hours: 1 });
      assert.equal((await call(busy, 'GET', '/session')).status, 200);
    }
    world.clock.advance({ hours: 1 });
    assert.equal((await call(busy, 'GET', '/session')).status, 401);
    await signIn('root@example.com', PASSWORD, admin);
  });
});

describe('people', () => {
  it('are changed at once, and the last administrator stays', async () => {
    const users = await call(admin, 'GET', '/users');
    const all = users.json['items'] as readonly Record<string, unknown>[];
    const root = all.find(({ email }) => email === 'root@example.com')?.['userId'];
    const olga = all.find(({ email }) => email === 'olga@example.com')?.['userId'];
    const browser = new Browser();
    await signIn('olga@example.com', PASSWORD, browser);
    await call(admin, 'PATCH', `/users/${String(olga)}`, { role: 'viewer' });
    assert.equal((await call(browser, 'GET', '/session')).json['role'], 'viewer');
    assert.equal((await call(browser, 'GET', '/users')).status, 403);
    for (const patch of [{ isDisabled: true }, { role: 'viewer' }]) {
      const refused = await call(admin, 'PATCH', `/users/${String(root)}`, patch);
      assert.deepEqual([refused.status, refused.json['code']], [409, 'LAST_ADMIN']);
    }
    await call(admin, 'PATCH', `/users/${String(olga)}`, { role: 'admin' });
    assert.equal(
      (await call(admin, 'PATCH', `/users/${String(olga)}`, { isDisabled: true })).status,
      200,
    );
    assert.equal((await call(browser, 'GET', '/session')).status, 401);
    assert.equal((await signIn('olga@example.com', PASSWORD)).status, 403);
  });

  it('are known by one address, and administrators see all of their tenant', async () => {
    const json = { email: 'ROOT@example.com', name: 'x', role: 'viewer' };
    assert.equal((await call(admin, 'POST', '/users', json)).json['code'], 'USER_EXISTS');
    const bounded = { email: 'b@example.com', name: 'b', role: 'admin', scope: 'true' };
    assert.equal((await call(admin, 'POST', '/users', bounded)).json['code'], 'REQUEST_MALFORMED');
    const wrong = { email: 'b@example.com', name: 'b', role: 'viewer', scope: 'vehicle.' };
    assert.equal((await call(admin, 'POST', '/users', wrong)).json['code'], 'QUERY_MALFORMED');
    const token = { name: 'root@example.com', role: 'viewer' };
    assert.equal((await call(admin, 'POST', '/tokens', token)).json['code'], 'REQUEST_MALFORMED');
  });
});

describe('a command line of a person', () => {
  it('may what they may, and ends with them', async () => {
    const { id, link } = await inviteUser('cli@example.com', 'operator');
    const { context } = world.platform.cloud;
    const { token } = await createToken(context, {
      name: 'cli@example.com at home',
      role: 'admin',
      uploadsFor: [],
      ttlDays: 1,
      personId: id,
      by: 'cli@example.com',
    });
    const authorization = `Bearer ${token}`;
    const session = await world.ask('GET', '/api/v1/session', { authorization });
    assert.deepEqual(
      [session.json['kind'], session.json['name'], session.json['role']],
      ['person', 'cli@example.com', 'operator'],
    );
    await call(admin, 'PATCH', `/users/${id}`, { isDisabled: true });
    assert.equal((await world.ask('GET', '/api/v1/session', { authorization })).status, 401);
    assert.equal((await new Browser().ask(link)).status, 403);
  });
});
