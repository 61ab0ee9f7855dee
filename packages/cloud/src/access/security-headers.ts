/** What every answer tells browsers: what its page may load, and that nobody frames it or guesses its type. */
import type { OperatorApp } from '../operator/operator-app.ts';
import type { AccessRoom } from './access-room.ts';

/** Data are no page. */
const API_POLICY = "default-src 'none'; frame-ancestors 'none'";
/** The console's own files and nothing else: neither styles nor scripts in the page (ADR 121). */
const CONSOLE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');
/** A year, once it was reached by https. */
const TRANSPORT = 'max-age=31536000; includeSubDomains';

/** Adds the headers to every answer. */
export function addSecurityHeaders(app: OperatorApp, room: AccessRoom): void {
  app.use('*', async (c, next) => {
    await next();
    const { path } = c.req;
    c.header('Content-Security-Policy', policyOf(path, room));
    c.header('X-Content-Type-Options', 'nosniff');
    c.header('Referrer-Policy', 'no-referrer');
    c.header('Cross-Origin-Opener-Policy', 'same-origin');
    c.header('Cross-Origin-Resource-Policy', 'same-origin');
    c.header('Permissions-Policy', 'camera=(), geolocation=(), microphone=()');
    if (room.isSecure()) c.header('Strict-Transport-Security', TRANSPORT);
  });
}

function policyOf(path: string, { oidc }: AccessRoom): string {
  if (path.startsWith('/api/') || path === '/openapi.json') return API_POLICY;
  if (!path.startsWith('/auth/')) return CONSOLE_POLICY;
  // Browsers hold what a form is redirected to against the policy: the provider, to sign out there too, and a
  // command line on the person's own machine.
  const provider = URL.parse(oidc?.issuer ?? '')?.origin ?? '';
  const places = ["'self'", provider, 'http://127.0.0.1:*'].filter((place) => place !== '');
  return `default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action ${places.join(' ')}`;
}
