/**
 * Sign-in by OpenID Connect, at any provider that can be discovered: authorization code with PKCE, state and nonce
 * {OIDC Core 3.1} {RFC 7636 4} {RFC 9700 2.1}. The ID token's signature is checked as well, though it came by TLS.
 */
import * as client from 'openid-client';
import { decodeProtectedHeader } from 'jose';
import { CloudFault } from '../fault.ts';

/** How a provider is reached. */
export interface OidcSettings {
  readonly issuer: string;
  readonly clientId: string;
  /** None for a public client. */
  readonly clientSecret?: string | undefined;
  /**
   * Whether every address that the provider tells is its owner's, though it does not say `email_verified`: so with
   * a company's own directory.
   */
  readonly trustsEmail?: boolean | undefined;
}

/** What must be remembered between the two halves of a sign-in. */
export interface OidcFlow {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/** Who signed in, as their provider says. */
export interface OidcIdentity {
  readonly issuer: string;
  readonly subject: string;
  /** Verified, in lower case; undefined when the provider vouches for none. */
  readonly email: string | undefined;
  readonly idToken: string;
}

/** Sign-in at one provider. */
export interface OidcWay {
  readonly issuer: string;
  /** Where the browser goes, and what to remember. @throws CloudFault UNAVAILABLE. */
  begin(redirectUri: string): Promise<{ readonly url: URL; readonly flow: OidcFlow }>;
  /** Checks what the browser brought back. @throws CloudFault SIGN_IN_REFUSED, UNAVAILABLE. */
  finish(callback: URL, flow: OidcFlow): Promise<OidcIdentity>;
  /** Where the browser goes to sign out there too; undefined when the provider has no such place. */
  signOutUrl(idToken: string, returnTo: string): Promise<URL | undefined>;
}

/** Answers of providers are some kilobytes; many keys are some more. */
const ANSWER_MAX_BYTES = 1_048_576;
const TIMEOUT_SECONDS = 10;
const SCOPE = 'openid email profile';
/** Signatures of public keys: nobody who knows the client's secret, or nothing at all, makes one. */
const ALGORITHMS: ReadonlySet<string | undefined> = new Set([
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
]);
const LOOPBACK = new Set(['127.0.0.1', '[::1]', 'localhost']);

/**
 * Makes the sign-in at a provider. It is discovered when it is first needed.
 *
 * @throws CloudFault REQUEST_MALFORMED for an issuer that is not https; http is for loopback alone.
 */
export function createOidcWay(settings: OidcSettings): OidcWay {
  const issuer = parseIssuer(settings.issuer);
  let discovered: Promise<client.Configuration> | undefined;
  const configuration = (): Promise<client.Configuration> => {
    discovered ??= discover(issuer, settings).catch((error: unknown) => {
      // The next who signs in tries again.
      discovered = undefined;
      throw new CloudFault('UNAVAILABLE', 'Cannot reach the sign-in provider', { cause: error });
    });
    return discovered;
  };
  return {
    issuer: settings.issuer,
    async begin(redirectUri) {
      const config = await configuration();
      const flow = {
        state: client.randomState(),
        nonce: client.randomNonce(),
        verifier: client.randomPKCECodeVerifier(),
      };
      const url = client.buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        scope: SCOPE,
        state: flow.state,
        nonce: flow.nonce,
        code_challenge: await client.calculatePKCECodeChallenge(flow.verifier),
        code_challenge_method: 'S256',
      });
      return { url, flow };
    },
    async finish(callback, flow) {
      const config = await configuration();
      try {
        return await identify(config, callback, { flow, settings });
      } catch (error) {
        if (error instanceof CloudFault) throw error;
        throw new CloudFault('SIGN_IN_REFUSED', `Cannot sign in: ${whyOf(error)}`, {
          cause: error,
        });
      }
    },
    async signOutUrl(idToken, returnTo) {
      const config = await configuration();
      if (config.serverMetadata().end_session_endpoint === undefined) return undefined;
      return client.buildEndSessionUrl(config, {
        id_token_hint: idToken,
        post_logout_redirect_uri: returnTo,
      });
    },
  };
}

function parseIssuer(text: string): URL {
  const url = URL.parse(text);
  const isSafe =
    url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK.has(url.hostname));
  if (url !== null && isSafe) return url;
  throw new CloudFault('REQUEST_MALFORMED', `Cannot use issuer "${text}": https expected`);
}

async function discover(issuer: URL, settings: OidcSettings): Promise<client.Configuration> {
  const { clientId, clientSecret } = settings;
  const config = await client.discovery(
    issuer,
    clientId,
    undefined,
    clientSecret === undefined ? client.None() : client.ClientSecretBasic(clientSecret),
    {
      execute: [
        client.enableNonRepudiationChecks,
        ...(issuer.protocol === 'http:' ? [client.allowInsecureRequests] : []),
      ],
      timeout: TIMEOUT_SECONDS,
      [client.customFetch]: fetchBounded,
    },
  );
  return config;
}

async function identify(
  config: client.Configuration,
  callback: URL,
  { flow, settings }: { readonly flow: OidcFlow; readonly settings: OidcSettings },
): Promise<OidcIdentity> {
  const tokens = await client.authorizationCodeGrant(config, callback, {
    expectedState: flow.state,
    expectedNonce: flow.nonce,
    pkceCodeVerifier: flow.verifier,
    idTokenExpected: true,
  });
  const { id_token: idToken } = tokens;
  const claims = tokens.claims();
  if (idToken === undefined || claims === undefined) throw refused('there is no ID token');
  if (!ALGORITHMS.has(decodeProtectedHeader(idToken).alg)) throw refused('its signature is none');
  const { sub: subject, iss: issuer } = claims;
  const told =
    claims['email'] === undefined && config.serverMetadata().userinfo_endpoint !== undefined
      ? await client.fetchUserInfo(config, tokens.access_token, subject)
      : claims;
  return { issuer, subject, email: verifiedEmail(told, settings), idToken };
}

function verifiedEmail(
  told: Readonly<Record<string, unknown>>,
  { trustsEmail = false }: OidcSettings,
): string | undefined {
  const { email, email_verified: isVerified } = told;
  if (typeof email !== 'string') return undefined;
  return isVerified === true || trustsEmail ? email.toLowerCase() : undefined;
}

function refused(why: string): CloudFault {
  return new CloudFault('SIGN_IN_REFUSED', `Cannot sign in: ${why}`);
}

/** The library's words name the claim or the check, and hold no secret. */
function whyOf(error: unknown): string {
  if (error instanceof client.AuthorizationResponseError) return `the provider says ${error.error}`;
  if (error instanceof client.ResponseBodyError) return `the provider says ${error.error}`;
  return 'what the provider answered does not verify';
}

const fetchBounded: client.CustomFetch = async (url, options) => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the library means fetch's own options
  const response = await fetch(url, options as RequestInit);
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.length;
    if (length > ANSWER_MAX_BYTES) {
      throw new CloudFault('UNAVAILABLE', 'Cannot read what the provider answers: it is too long');
    }
    parts.push(part);
  }
  const { status, statusText, headers } = response;
  const hasBody = status !== 204 && status !== 304 && !(status >= 300 && status < 400);
  return new Response(hasBody ? Buffer.concat(parts) : null, { status, statusText, headers });
};
