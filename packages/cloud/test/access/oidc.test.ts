import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { type ClientMetadata, Provider } from 'oidc-provider';
import { createOidcWay, type OidcIdentity } from '../../src/access/oidc.ts';
import { changePerson, createPerson } from '../../src/access/people.ts';
import { Browser, type Page } from '../support/browser.ts';
import { startTestPlatform, type TestPlatform } from '../support/running-platform.ts';

const ACCOUNTS: Readonly<Record<string, { readonly email: string; readonly isVerified: boolean }>> =
  {
    anna: { email: 'Anna@example.com', isVerified: true },
    bert: { email: 'bert@example.com', isVerified: false },
    carl: { email: 'carl@example.com', isVerified: true },
    dora: { email: 'dora@example.com', isVerified: true },
  };
const CLIENT = 'immota';
const SECRET = 'a secret of sixty-four characters, that nobody guesses, is long..';

let provider: { readonly issuer: string; readonly server: Server; account: string };
let world: TestPlatform;

/** A real provider on loopback. Whoever comes is the account that the test says. */
async function startProvider(redirectUri: () => string): Promise<typeof provider> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const issuer = `http://127.0.0.1:${address.port}`;
  const client: ClientMetadata = {
    client_id: CLIENT,
    client_secret: SECRET,
    redirect_uris: ['http://127.0.0.1:1/auth/callback'],
    post_logout_redirect_uris: ['http://127.0.0.1:1/auth/login'],
    response_types: ['code'],
    grant_types: ['authorization_code'],
  };
  const state = { issuer, server, account: 'anna' };
  const oidc = new Provider(issuer, {
    clients: [client],
    cookies: { keys: ['a key of the test'] },
    pkce: { required: () => true },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({
        sub: id,
        email: ACCOUNTS[id]?.email,
        email_verified: ACCOUNTS[id]?.isVerified,
      }),
    }),
  });
  // The port of the server under test is known later than the provider's.
  const validate = oidc.Client.prototype.redirectUriAllowed.bind(oidc.Client.prototype);
  oidc.Client.prototype.redirectUriAllowed = (uri) => uri === redirectUri() || validate(uri);
  const callback = oidc.callback();
  server.on('request', (request, response) => {
    const isInteraction = request.url?.startsWith('/interaction/') === true;
    if (!isInteraction) {
      void callback(request, response);
      return;
    }
    void (async () => {
      const details = await oidc.interactionDetails(request, response);
      const grant = new oidc.Grant({ accountId: state.account, clientId: CLIENT });
      grant.addOIDCScope(String(details.params['scope']));
      const grantId = await grant.save();
      const result = { login: { accountId: state.account }, consent: { grantId } };
      await oidc.interactionFinished(request, response, result);
    })();
  });
  return state;
}

before(async () => {
  provider = await startProvider(() => `${world.platform.urls.operator}/auth/callback`);
  world = await startTestPlatform({
    oidc: { issuer: provider.issuer, clientId: CLIENT, clientSecret: SECRET },
    startsAt: Temporal.Now.instant().toString(),
  });
  const { context } = world.platform.cloud;
  for (const name of ['anna', 'bert', 'carl']) {
    const email = `${name}@example.com`;
    await createPerson(context, { tenant: 'main', email, name, role: 'operator', by: 'test' });
  }
});
after(async () => {
  await world.close();
  provider.server.closeAllConnections();
  provider.server.close();
});

const own = (path: string): string => world.platform.urls.operator + path;

async function signIn(account: string, browser = new Browser()): Promise<Page> {
  provider.account = account;
  return await browser.go(own('/auth/login?return=/campaigns'), {}, (next) =>
    next.pathname.startsWith('/campaigns'),
  );
}

/** Goes as far as the provider's answer, and does not bring it home. */
async function begin(account: string, browser: Browser): Promise<URL> {
  provider.account = account;
  const page = await browser.go(own('/auth/login'), {}, (next) =>
    next.pathname.startsWith('/auth/callback'),
  );
  return page.url;
}

describe('sign-in by OpenID Connect', () => {
  it('lets in whom an administrator invited, and binds them to what the provider says', async () => {
    const browser = new Browser();
    const page = await signIn('anna', browser);
    assert.equal(page.url.pathname, '/campaigns');
    const session = await browser.ask(own('/api/v1/session'));
    const told = JSON.parse(session.text) as Record<string, unknown>;
    assert.deepEqual(
      [told['name'], told['kind'], told['role'], told['tenant']],
      ['anna@example.com', 'person', 'operator', 'main'],
    );
    const { kysely } = world.platform.cloud.context.database;
    const row = await kysely
      .selectFrom('person')
      .select(['issuer', 'subject'])
      .where('email', '=', 'anna@example.com')
      .executeTakeFirstOrThrow();
    assert.deepEqual(row, { issuer: provider.issuer, subject: 'anna' });
    const kept = await kysely.selectFrom('session').selectAll().execute();
    const cookie = browser.cookies(own('/')).get('immota-session') ?? '';
    assert.ok(cookie.length > 40);
    assert.ok(!JSON.stringify(kept).includes(cookie), 'the cookie is kept as a hash alone');
  });

  it('asks a change of the session for what only its own pages know', async () => {
    const browser = new Browser();
    await signIn('anna', browser);
    const { csrfToken } = JSON.parse((await browser.ask(own('/api/v1/session'))).text) as {
      readonly csrfToken: string;
    };
    const patch = async (headers: Record<string, string>): Promise<number> =>
      (
        await browser.ask(own('/api/v1/vehicles/csrf-1'), {
          method: 'PATCH',
          body: '{"model":"X1"}',
          headers: { 'content-type': 'application/json', ...headers },
        })
      ).status;
    assert.equal(await patch({}), 403);
    assert.equal(await patch({ 'x-csrf-token': `${csrfToken.slice(0, -1)}A` }), 403);
    assert.equal(await patch({ 'x-csrf-token': csrfToken, origin: 'https://evil.test' }), 403);
    assert.equal(await patch({ 'x-csrf-token': csrfToken }), 200);
  });

  it('signs out here and at the provider', async () => {
    const browser = new Browser();
    await signIn('anna', browser);
    const asked = await browser.ask(own('/auth/logout'));
    const left = await browser.submit(asked, {});
    assert.equal(left.status, 303);
    const there = new URL(left.headers.get('location') ?? '');
    assert.equal(there.origin, provider.issuer);
    assert.ok((there.searchParams.get('id_token_hint') ?? '').length > 100);
    assert.equal((await browser.ask(own('/api/v1/session'))).status, 401);
  });

  const strangers = { dora: 'nobody invited', bert: 'whose address is not verified' };
  for (const [account, why] of Object.entries(strangers)) {
    it(`refuses somebody ${why}`, async () => {
      const page = await signIn(account);
      assert.equal(page.status, 403);
      assert.match(page.text, /not among the people/);
    });
  }

  it('refuses whoever is barred, and ends their sessions at once', async () => {
    const browser = new Browser();
    await signIn('carl', browser);
    assert.equal((await browser.ask(own('/api/v1/session'))).status, 200);
    const { context } = world.platform.cloud;
    const { person_id: personId } = await context.database.kysely
      .selectFrom('person')
      .select('person_id')
      .where('email', '=', 'carl@example.com')
      .executeTakeFirstOrThrow();
    await changePerson(context, { tenant: 'main', personId, by: 'test' }, { isDisabled: true });
    assert.equal((await browser.ask(own('/api/v1/session'))).status, 401);
    assert.equal((await signIn('carl')).status, 403);
  });

  it('refuses another state', async () => {
    const browser = new Browser();
    const callback = await begin('anna', browser);
    callback.searchParams.set('state', 'another');
    assert.equal((await browser.ask(callback)).status, 403);
  });

  it('refuses an answer in a browser that did not ask', async () => {
    const callback = await begin('anna', new Browser());
    assert.equal((await new Browser().ask(callback)).status, 403);
  });

  it('refuses an answer that is played back', async () => {
    const browser = new Browser();
    const callback = await begin('anna', browser);
    const flow = browser.cookies(own('/')).get('immota-flow') ?? '';
    assert.equal((await browser.ask(callback)).status, 303);
    const thief = new Browser();
    thief.setCookie(own('/'), 'immota-flow', flow);
    assert.equal((await thief.ask(callback)).status, 403);
    assert.equal(thief.cookies(own('/')).get('immota-session'), undefined);
  });

  it('refuses an answer that comes after ten minutes', async () => {
    const browser = new Browser();
    const callback = await begin('anna', browser);
    world.clock.advance({ minutes: 11 });
    assert.equal((await browser.ask(callback)).status, 403);
  });

  it('sends nobody to another site', async () => {
    for (const back of ['https://evil.test/', '//evil.test/', '/\\evil.test', '/auth/logout']) {
      const browser = new Browser();
      provider.account = 'anna';
      const page = await browser.go(
        own(`/auth/login?return=${encodeURIComponent(back)}`),
        {},
        (next) =>
          next.host !== new URL(provider.issuer).host && !next.pathname.startsWith('/auth/'),
      );
      assert.equal(page.url.href, own('/'));
    }
  });
});

/** A provider whose ID tokens say and are signed as a test wants. */
async function lyingProvider(
  sign: (claims: Readonly<Record<string, unknown>>, key: CryptoKey) => Promise<string>,
): Promise<{ readonly issuer: string; readonly close: () => void }> {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'RS256', use: 'sig' };
  let issuer = '';
  let nonce = '';
  const answers: Readonly<Record<string, () => unknown>> = {
    '/.well-known/openid-configuration': () => ({
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256', 'HS256', 'none'],
    }),
    '/jwks': () => ({ keys: [jwk] }),
    '/token': async () => {
      const now = Math.floor(Temporal.Now.instant().epochMilliseconds / 1000);
      const claims = { iss: issuer, aud: CLIENT, sub: 'anna', nonce, iat: now, exp: now + 300 };
      const named = { ...claims, email: 'anna@example.com', email_verified: true };
      return {
        access_token: 'a',
        token_type: 'bearer',
        id_token: await sign(named, privateKey),
      };
    },
  };
  const server = createServer((request, response) => {
    void (async () => {
      const url = new URL(request.url ?? '', 'http://x');
      if (url.pathname === '/nonce') nonce = url.search.slice(1);
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(await answers[url.pathname]?.()));
    })();
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  issuer = `http://127.0.0.1:${address.port}`;
  return {
    issuer,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

type Claims = Readonly<Record<string, unknown>>;
const rs256 = (claims: Claims, key: CryptoKey): Promise<string> =>
  new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'k' }).sign(key);

async function finishWith(
  sign: (claims: Claims, key: CryptoKey) => Promise<string>,
): Promise<OidcIdentity> {
  const lying = await lyingProvider(sign);
  try {
    const way = createOidcWay({ issuer: lying.issuer, clientId: CLIENT, clientSecret: SECRET });
    const { flow } = await way.begin('http://127.0.0.1/auth/callback');
    await fetch(`${lying.issuer}/nonce?${flow.nonce}`);
    const callback = new URL(`http://127.0.0.1/auth/callback?code=c&state=${flow.state}`);
    return await way.finish(callback, flow);
  } finally {
    lying.close();
  }
}

describe('an ID token', () => {
  it('is taken when it says and is what it must', async () => {
    const { email, subject } = await finishWith(rs256);
    assert.deepEqual([email, subject], ['anna@example.com', 'anna']);
  });

  const secret = new TextEncoder().encode(SECRET);
  const lies: Readonly<Record<string, (claims: Claims, key: CryptoKey) => Promise<string>>> = {
    'for another client': (claims, key) => rs256({ ...claims, aud: 'another' }, key),
    'of another issuer': (claims, key) => rs256({ ...claims, iss: 'https://evil.test' }, key),
    'of another sign-in': (claims, key) => rs256({ ...claims, nonce: 'another' }, key),
    'without a nonce': (claims, key) => rs256({ ...claims, nonce: undefined }, key),
    'that is over': (claims, key) => rs256({ ...claims, exp: 1_700_000_000 }, key),
    'that nobody signed': (claims) => Promise.resolve(new UnsecuredJWT(claims).encode()),
    'signed with the secret of the client': (claims) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(secret),
    'signed with another key': async (claims) =>
      rs256(claims, (await generateKeyPair('RS256')).privateKey),
    'that was changed': async (claims, key) => {
      const [head = '', , tail = ''] = (await rs256(claims, key)).split('.');
      const body = Buffer.from(JSON.stringify({ ...claims, email: 'boss@example.com' }));
      return `${head}.${body.toString('base64url')}.${tail}`;
    },
  };
  for (const [what, sign] of Object.entries(lies)) {
    it(`is refused ${what}`, async () => {
      await assert.rejects(finishWith(sign), { code: 'SIGN_IN_REFUSED' });
    });
  }

  it('is never asked of a provider without TLS, but on loopback', () => {
    assert.throws(() => createOidcWay({ issuer: 'http://login.example.com', clientId: 'x' }), {
      code: 'REQUEST_MALFORMED',
    });
  });
});
