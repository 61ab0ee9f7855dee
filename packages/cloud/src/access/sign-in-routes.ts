/** Signing in and out in a browser: `/auth/*`, beside the API. */
import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { CloudFault } from '../fault.ts';
import type { OperatorApp } from '../operator/operator-app.ts';
import { type AccessRoom, checkOrigin } from './access-room.ts';
import { addressOf } from './address.ts';
import { addCommandLineRoutes } from './command-line-routes.ts';
import { admit } from './admit.ts';
import { readCookie, writeCookie } from './cookies.ts';
import { type Flow, HOME, newState, returnTo, setFlow, takeFlow } from './flow.ts';
import { committed } from '../context.ts';
import { fleetStream } from '../event-log/event-sink.ts';
import type { Caller } from '../operator/tokens.ts';
import { acceptInvitation, checkLocalAccount, findInvitation } from './local-accounts.ts';
import { type FormField, formPage, STYLE } from './pages.ts';
import type { Person } from './people.ts';
import type { FoundSession } from './sessions.ts';

/** A form of some fields. */
const FORM_MAX_BYTES = 16_384;

const EMAIL: FormField = {
  name: 'email',
  label: 'E-mail',
  type: 'email',
  autocomplete: 'username',
};

/** Adds the routes of sign-in. */
export function addSignInRoutes(app: OperatorApp, room: AccessRoom): void {
  app.use('/auth/*', bodyLimit({ maxSize: FORM_MAX_BYTES, onError: tooLong }));
  app.get('/auth/style.css', (c) =>
    c.body(STYLE, 200, { 'Content-Type': 'text/css', 'Cache-Control': 'max-age=3600' }),
  );
  addLogoutRoutes(app, room);
  addCommandLineRoutes(app, room);
  if (room.oidc === undefined) addLocalRoutes(app, room);
  else addOidcRoutes(app, room);
}

function addOidcRoutes(app: OperatorApp, room: AccessRoom): void {
  const { oidc } = room;
  if (oidc === undefined) return;
  app.get('/auth/login', async (c) => {
    const { url, flow } = await oidc.begin(new URL('/auth/callback', room.publicUrl()).href);
    setFlow(room, c, { ...flow, returnTo: returnTo(room, c.req.query('return')) });
    return c.redirect(url.href, 303);
  });
  app.get('/auth/callback', async (c) => {
    checkRate(room, c);
    const flow = takeFlow(room, c);
    const callback = new URL(c.req.url);
    const own = room.publicUrl();
    // A reverse proxy asks in its own name; the provider compares with what it was told.
    const asked = new URL(`${callback.pathname}${callback.search}`, own);
    const identity = await oidc.finish(asked, flow);
    const person = await admit(room.context, identity);
    return await signIn(room, c, { person, flow, idToken: identity.idToken });
  });
}

function addLocalRoutes(app: OperatorApp, room: AccessRoom): void {
  const { context } = room;
  app.get('/auth/login', (c) => loginPage(room, c));
  app.post('/auth/login', async (c) => {
    const form = await readForm(room, c);
    const flow = takeFlow(room, c);
    checkFormState(flow, form.get('state'));
    const person = await checkLocalAccount(context, field(form, 'email'), field(form, 'password'));
    return await signIn(room, c, { person, flow });
  });
  app.get('/auth/invitation', async (c) => {
    checkRate(room, c);
    const code = c.req.query('code') ?? '';
    const known = await findInvitation(context, code);
    if (known === undefined) {
      throw new CloudFault('SIGN_IN_REFUSED', 'Cannot use this link: it was used, or is over');
    }
    const state = newState(room);
    setFlow(room, c, { state, nonce: '', verifier: '', returnTo: HOME });
    return show(c, invitationPage({ code, state, ...known }));
  });
  app.post('/auth/invitation', async (c) => {
    const form = await readForm(room, c);
    const flow = takeFlow(room, c);
    checkFormState(flow, form.get('state'));
    const person = await acceptInvitation(context, {
      code: field(form, 'code'),
      password: field(form, 'password'),
      ...(form.has('email') ? { email: field(form, 'email'), name: field(form, 'name') } : {}),
    });
    return await signIn(room, c, { person, flow });
  });
}

function addLogoutRoutes(app: OperatorApp, room: AccessRoom): void {
  const { sessions } = room;
  app.get('/auth/logout', async (c) => {
    const found = await currentSession(room, c);
    if (found === undefined) return c.redirect('/auth/login', 303);
    return show(
      c,
      formPage({
        title: 'Sign out',
        says: [`You are signed in as ${found.person.email}.`],
        action: '/auth/logout',
        hidden: { csrf: sessions.csrfToken(found.sessionId) },
        fields: [],
        button: 'Sign out',
      }),
    );
  });
  app.post('/auth/logout', async (c) => {
    const found = await currentSession(room, c);
    checkOrigin(room, c);
    c.header('Set-Cookie', writeCookie('session', undefined, room.isSecure()), { append: true });
    if (found === undefined) return leave(c, '/auth/login');
    const offered = c.req.header('x-csrf-token') ?? field(await c.req.formData(), 'csrf');
    if (!sessions.isCsrfToken(found.sessionId, offered)) {
      throw new CloudFault('CSRF', 'Cannot sign out: this was not asked by our own page');
    }
    const idToken = await sessions.end(found.sessionId);
    await noteSignOut(room, c, found.caller);
    const home = new URL('/auth/login', room.publicUrl()).href;
    const there = idToken === undefined ? undefined : await room.oidc?.signOutUrl(idToken, home);
    return leave(c, there?.href ?? '/auth/login');
  });
}

/** Scripts are told where to go; a form is sent there. */
function leave(c: Context, location: string): Response {
  const wantsJson = c.req.header('accept')?.includes('application/json') ?? false;
  return wantsJson ? c.json({ location }, 200) : c.redirect(location, 303);
}

async function signIn(
  room: AccessRoom,
  c: Context,
  done: { readonly person: Person; readonly flow: Flow; readonly idToken?: string },
): Promise<Response> {
  const { person, flow, idToken } = done;
  const isSecure = room.isSecure();
  // Whoever signs in begins a session of their own: an older one of this browser ends.
  const before = await currentSession(room, c);
  const way = room.oidc === undefined ? 'local' : 'oidc';
  const from = addressOf(c);
  const token = await room.sessions.begin({ person, state: flow.state, idToken, from, way });
  if (before !== undefined) await room.sessions.end(before.sessionId);
  c.header('Set-Cookie', writeCookie('flow', undefined, isSecure), { append: true });
  c.header('Set-Cookie', writeCookie('session', token, isSecure), { append: true });
  return c.redirect(flow.returnTo, 303);
}

function loginPage(room: AccessRoom, c: Context): Response {
  const state = newState(room);
  const back = returnTo(room, c.req.query('return'));
  setFlow(room, c, { state, nonce: '', verifier: '', returnTo: back });
  return show(
    c,
    formPage({
      title: 'Sign in',
      says: [],
      action: '/auth/login',
      hidden: { state },
      fields: [
        EMAIL,
        {
          name: 'password',
          label: 'Password',
          type: 'password',
          autocomplete: 'current-password',
        },
      ],
      button: 'Sign in',
    }),
  );
}

function invitationPage(known: {
  readonly code: string;
  readonly state: string;
  readonly isFirst: boolean;
  readonly email: string | undefined;
}): string {
  const { code, state, isFirst, email } = known;
  const name: FormField = { name: 'name', label: 'Name', type: 'text', autocomplete: 'name' };
  return formPage({
    title: isFirst ? 'Become the first administrator' : 'Set your password',
    says: [isFirst ? 'This installation has no administrator yet.' : `For ${email ?? ''}.`],
    action: '/auth/invitation',
    hidden: { code, state },
    fields: [
      ...(isFirst ? [EMAIL, name] : []),
      {
        name: 'password',
        label: 'Password',
        type: 'password',
        autocomplete: 'new-password',
        hint: 'At least 12 characters; several words are good.',
      },
    ],
    button: 'Set password and sign in',
  });
}

/** What a page of ours may load and where its form may go; nobody may frame it or learn its address. */
function show(c: Context, html: string): Response {
  return c.html(html, 200, { 'Cache-Control': 'no-store' });
}

async function readForm(room: AccessRoom, c: Context): Promise<FormData> {
  checkRate(room, c);
  checkOrigin(room, c);
  try {
    return await c.req.formData();
  } catch (error) {
    throw new CloudFault('REQUEST_MALFORMED', 'Cannot read form', { cause: error });
  }
}

function field(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === 'string' ? value : '';
}

/** The form is of the page that this browser was shown: nobody signs another in as themselves. */
function checkFormState(flow: Flow, offered: unknown): void {
  if (offered === flow.state) return;
  throw new CloudFault('CSRF', 'Cannot sign in: the form is not of this sign-in; begin again');
}

function checkRate({ limiter }: AccessRoom, c: Context): void {
  if (limiter.take(addressOf(c))) return;
  throw new CloudFault('RATE_LIMIT', 'Cannot sign in: too many tries; wait a minute');
}

async function currentSession(room: AccessRoom, c: Context): Promise<FoundSession | undefined> {
  const cookie = readCookie(c.req.header('cookie'), 'session', room.isSecure());
  return cookie === undefined ? undefined : await room.sessions.peek(cookie);
}

async function noteSignOut({ context }: AccessRoom, c: Context, caller: Caller): Promise<void> {
  const { clock, database, events } = context;
  const body = { by: caller.name, userId: caller.personId ?? '', from: addressOf(c) };
  const stream = fleetStream(caller.fleet.tenant);
  const event = { stream, kind: 'user.signed-out', at: clock.now(), body } as const;
  await committed(database, (tx) => events.append(tx, [event]));
}

function tooLong(): never {
  throw new CloudFault('REQUEST_TOO_LONG', `Cannot read form: over ${FORM_MAX_BYTES} bytes`);
}
