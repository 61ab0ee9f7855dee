/** `immota login`: signs this command line in by the browser {RFC 8252 7.3}. */
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { hostname } from 'node:os';
import { isJsonObject, member, parseJson } from '@immota/base';
import { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { saveCredential } from '../credentials.ts';
import { CliFault } from '../fault.ts';

/** Time to find the password, and the browser. */
const PATIENCE_MS = 300_000;
const ANSWER_MAX_BYTES = 65_536;

/** Adds `immota login` to the command. */
export function loginCommand(context: CommandContext): Command {
  return new Command('login')
    .description('sign in by the browser; later commands with --server act as you')
    .argument('<server>', 'where the console is, as https://ota.example.com')
    .action(async (server: string) => {
      const output = context.output();
      const verifier = randomBytes(32).toString('base64url');
      const code = await askBrowser(server, verifier, (url) => {
        output.note(`Open this in your browser:\n  ${url}`);
      });
      const token = await exchange(server, code, verifier);
      const file = saveCredential(server, token);
      output.result({ server, file }, () => `Signed in at ${server}; kept in ${file}`);
    });
}

/** Waits on a port of this machine for what the browser brings. */
async function askBrowser(
  server: string,
  verifier: string,
  tell: (url: string) => void,
): Promise<string> {
  const state = randomBytes(24).toString('base64url');
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const listener = createServer((request, response) => {
    const { searchParams: brought } = new URL(request.url ?? '', 'http://127.0.0.1');
    const code = brought.get('code');
    // Anything on this machine can knock here; only the browser that we sent knows the state.
    if (code === null || brought.get('state') !== state) {
      response.writeHead(404).end();
      return;
    }
    response.setHeader('content-type', 'text/plain; charset=utf-8');
    response.end('Signed in. You can close this page.');
    resolve(code);
  });
  listener.on('error', reject);
  const timer = setTimeout(() => {
    reject(new CliFault('SERVER', 'Cannot sign in: nobody confirmed it in the browser'));
  }, PATIENCE_MS);
  listener.listen(0, '127.0.0.1', () => {
    const address = listener.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const url = new URL('/auth/command-line', server);
    url.searchParams.set('port', String(port));
    url.searchParams.set('challenge', createHash('sha256').update(verifier).digest('base64url'));
    url.searchParams.set('state', state);
    url.searchParams.set(
      'machine',
      hostname()
        .replaceAll(/[^\w.-]/g, '-')
        .slice(0, 64),
    );
    tell(url.href);
  });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    listener.close();
    listener.closeAllConnections();
  }
}

async function exchange(server: string, code: string, verifier: string): Promise<string> {
  const response = await fetch(new URL('/auth/command-line/token', server), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code, verifier }),
  });
  const bytes = new Uint8Array(await response.arrayBuffer());
  const answer = response.ok ? parseJson(bytes, ANSWER_MAX_BYTES) : null;
  const token = isJsonObject(answer) ? member(answer, 'token') : undefined;
  if (typeof token === 'string') return token;
  throw new CliFault('SERVER', `Cannot sign in: the server answers ${response.status}`);
}
