/** How `immota serve` is told who lets people in, and where browsers reach it. */
import { readFileSync } from 'node:fs';
import type { OidcSettings, PlatformOptions } from '@immota/cloud';
import type { Command } from 'commander';
import { CliFault } from './fault.ts';

/** As the options are parsed. */
export interface SignInOptions {
  readonly publicUrl?: string;
  readonly oidcIssuer?: string;
  readonly oidcClientId?: string;
  readonly oidcSecretFile?: string;
  readonly oidcTrustEmail?: true;
  readonly webhookAllow?: readonly string[];
}

const SECRET_VARIABLE = 'IMMOTA_OIDC_SECRET';

/** Adds the options to a command. */
export function addSignInOptions(command: Command): Command {
  return command
    .option('--public-url <URL>', 'how browsers reach console and API, through your proxy')
    .option('--console <DIR>', 'serve the console’s files from here; built from source without it')
    .option('--no-console', 'serve the API without its console')
    .option('--oidc-issuer <URL>', 'the provider that people sign in at; local accounts without it')
    .option('--oidc-client-id <ID>', 'as the provider knows this installation')
    .option('--oidc-secret-file <FILE>', `the client’s secret; or in ${SECRET_VARIABLE}`)
    .option('--oidc-trust-email', 'every address that the provider tells is its owner’s')
    .option('--webhook-allow <HOST...>', 'hosts that webhooks may reach though not public', []);
}

/** Reads them. @throws CliFault USAGE when they contradict each other. */
export function readSignInOptions(
  options: SignInOptions,
): Pick<PlatformOptions, 'oidc' | 'publicUrl' | 'webhookAllow'> {
  const { publicUrl, webhookAllow } = options;
  if (publicUrl !== undefined && !URL.canParse(publicUrl)) {
    throw new CliFault('USAGE', `Cannot use --public-url "${publicUrl}": it is no URL`);
  }
  return {
    oidc: oidcOf(options),
    publicUrl,
    webhookAllow,
  };
}

function oidcOf(options: SignInOptions): OidcSettings | undefined {
  const { oidcIssuer: issuer, oidcClientId: clientId, oidcSecretFile: file } = options;
  if (issuer === undefined && clientId === undefined) return undefined;
  if (issuer === undefined || clientId === undefined) {
    throw new CliFault('USAGE', 'Cannot sign in by OIDC: --oidc-issuer and --oidc-client-id');
  }
  const clientSecret =
    file === undefined ? process.env[SECRET_VARIABLE] : readFileSync(file, 'utf8').trim();
  return { issuer, clientId, clientSecret, trustsEmail: options.oidcTrustEmail === true };
}
