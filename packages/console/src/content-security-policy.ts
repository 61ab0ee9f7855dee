/**
 * What a page of the console may load and run: its own files and nothing else. No script and no style
 * stands in the page itself, so neither a nonce nor `unsafe-inline` is needed (ADR 121). Whoever serves
 * the console sends it as `Content-Security-Policy` with `index.html`.
 */
export const CONSOLE_CONTENT_SECURITY_POLICY: string = [
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
