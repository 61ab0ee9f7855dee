/**
 * Signing in a command line by the browser {RFC 8252 7.3}: whoever is signed in confirms it, and the browser brings a
 * code to the command line's own port on their machine, which exchanges it with a secret that only it knows.
 */
import { createHash } from 'node:crypto';
import { parseJson, utf8 } from '@immota/base';
import type { Context } from 'hono';
import { z } from 'zod';
import { CloudFault } from '../fault.ts';
import type { OperatorApp } from '../operator/operator-app.ts';
import { createToken } from '../operator/tokens.ts';
import { type AccessRoom, checkOrigin } from './access-room.ts';
import { readCookie } from './cookies.ts';
import { COMMAND_LINE_PATH } from './flow.ts';
import { formPage } from './pages.ts';
import { newId } from './people.ts';
import type { FoundSession } from './sessions.ts';

const SEALED_FOR = 'command line';
/** From the browser to the command line on the same machine. */
const CODE_LIFE_MS = 60_000;
const CODE_MAX_BYTES = 2048;
const TOKEN_DAYS = 30;

const askedSchema = z.object({
  port: z.coerce.number().int().min(1024).max(65_535),
  challenge: z.string().regex(/^[\w-]{43}$/),
  state: z.string().regex(/^[\w-]{20,64}$/),
  machine: z.string().regex(/^[\w.-]{1,64}$/),
});
const codeSchema = z.object({
  personId: z.string(),
  email: z.string(),
  tenant: z.string(),
  challenge: z.string(),
  machine: z.string(),
  id: z.string(),
  atMs: z.number(),
});
const exchangeSchema = z.object({
  code: z.string().max(CODE_MAX_BYTES),
  verifier: z.string().regex(/^[\w-]{43,128}$/),
});

/** Adds the routes. */
export function addCommandLineRoutes(app: OperatorApp, room: AccessRoom): void {
  const { sessions } = room;
  app.get(COMMAND_LINE_PATH, async (c) => {
    const asked = readAsked(c.req.query());
    const found = await sessionOf(room, c);
    if (found === undefined) {
      const back = `${COMMAND_LINE_PATH}${new URL(c.req.url).search}`;
      return c.redirect(`/auth/login?return=${encodeURIComponent(back)}`, 303);
    }
    const { machine } = asked;
    const page = formPage({
      title: 'Sign in a command line',
      says: [
        `A command line on “${machine}” asks to act as ${found.person.email} for ${TOKEN_DAYS} days.`,
        'Go on only if you have just called immota login there yourself.',
      ],
      action: COMMAND_LINE_PATH,
      hidden: { ...asked, port: String(asked.port), csrf: sessions.csrfToken(found.sessionId) },
      fields: [],
      button: 'Let it act as me',
    });
    return c.html(page, 200, { 'Cache-Control': 'no-store' });
  });
  app.post(COMMAND_LINE_PATH, async (c) => {
    checkOrigin(room, c);
    const form = Object.fromEntries((await c.req.formData()).entries());
    const asked = readAsked(form);
    const found = await sessionOf(room, c);
    const { csrf } = form;
    const isOurs =
      found !== undefined &&
      sessions.isCsrfToken(found.sessionId, typeof csrf === 'string' ? csrf : undefined);
    if (!isOurs) throw new CloudFault('CSRF', 'Cannot sign in a command line: begin again');
    const next = new URL(`http://127.0.0.1:${asked.port}/`);
    next.searchParams.set('code', makeCode(room, found, asked));
    next.searchParams.set('state', asked.state);
    return c.redirect(next.href, 303);
  });
  app.post(`${COMMAND_LINE_PATH}/token`, async (c) => {
    const parsed = exchangeSchema.safeParse(await c.req.json());
    if (!parsed.success) throw new CloudFault('REQUEST_MALFORMED', 'Cannot read code');
    const { token, expiresAt } = await exchange(room, parsed.data);
    return c.json({ token, expiresAt: expiresAt.toString() }, 200, { 'Cache-Control': 'no-store' });
  });
}

function readAsked(from: unknown): z.infer<typeof askedSchema> {
  const parsed = askedSchema.safeParse(from);
  if (parsed.success) return parsed.data;
  throw new CloudFault('REQUEST_MALFORMED', 'Cannot sign in a command line: call immota login');
}

function makeCode(
  { flows, context }: AccessRoom,
  { person, caller }: FoundSession,
  { challenge, machine }: z.infer<typeof askedSchema>,
): string {
  const code: z.infer<typeof codeSchema> = {
    personId: person.id,
    email: person.email,
    tenant: caller.fleet.tenant,
    challenge,
    machine,
    id: newId(context, 'cli'),
    atMs: context.clock.now().epochMilliseconds,
  };
  return Buffer.from(flows.seal(SEALED_FOR, utf8(JSON.stringify(code)))).toString('base64url');
}

async function exchange(
  { flows, context }: AccessRoom,
  { code: text, verifier }: z.infer<typeof exchangeSchema>,
): ReturnType<typeof createToken> {
  let code: z.infer<typeof codeSchema>;
  try {
    const opened = flows.open(SEALED_FOR, Buffer.from(text, 'base64url'));
    code = codeSchema.parse(parseJson(opened, CODE_MAX_BYTES));
  } catch (error) {
    throw new CloudFault('SIGN_IN_REFUSED', 'Cannot sign in: the code is none', { cause: error });
  }
  const { personId, email, tenant, machine, id, atMs } = code;
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const isOver = context.clock.now().epochMilliseconds - atMs > CODE_LIFE_MS;
  if (challenge !== code.challenge || isOver) {
    throw new CloudFault('SIGN_IN_REFUSED', 'Cannot sign in: the code is over, or another’s');
  }
  // The code's own id is in the name: used twice, it meets the token that it made.
  return await createToken(context, {
    name: `${email} on ${machine} (${id})`,
    role: 'viewer',
    uploadsFor: [],
    ttlDays: TOKEN_DAYS,
    fleet: { tenant },
    personId,
    by: email,
  });
}

async function sessionOf(room: AccessRoom, c: Context): Promise<FoundSession | undefined> {
  const cookie = readCookie(c.req.header('cookie'), 'session', room.isSecure());
  return cookie === undefined ? undefined : await room.sessions.peek(cookie);
}
