/** Cookies of sign-in {RFC 6265bis}. */

/** What a cookie is for: the sign-in under way, or the session that it ended in. */
export type CookieUse = 'session' | 'flow';

/**
 * Names a cookie. Over https the prefix keeps it from being set by neighbours of the domain, or without TLS; names
 * on loopback, where browsers do not take the prefix, are plain.
 */
function nameOf(use: CookieUse, isSecure: boolean): string {
  return `${isSecure ? '__Host-' : ''}immota-${use}`;
}

/** Reads a cookie of a request. */
export function readCookie(
  header: string | undefined,
  use: CookieUse,
  isSecure: boolean,
): string | undefined {
  const wanted = nameOf(use, isSecure);
  for (const part of (header ?? '').split(';')) {
    const [name = '', value = ''] = part.split('=', 2);
    if (name.trim() === wanted && value.trim() !== '') return value.trim();
  }
  return undefined;
}

/**
 * Writes a cookie: for this host alone, out of reach of scripts, and not sent when another site posts.
 *
 * @param value - undefined to remove it.
 */
export function writeCookie(use: CookieUse, value: string | undefined, isSecure: boolean): string {
  const parts = [
    `${nameOf(use, isSecure)}=${value ?? ''}`,
    'Path=/',
    'HttpOnly',
    'SameSite=Lax',
    ...(isSecure ? ['Secure'] : []),
    ...(value === undefined ? ['Max-Age=0'] : []),
  ];
  return parts.join('; ');
}
