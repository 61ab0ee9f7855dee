/** `immota serve`: the whole cloud in one process. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createToken, inviteFirst, type Platform, revokeToken, startPlatform } from '@immota/cloud';
import { Command, Option } from 'commander';
import { CONNECTION_FILE } from '../client.ts';
import { type ConsoleFolderOptions, findConsoleFolder } from '../console-folder.ts';
import type { CommandContext } from '../context.ts';
import { CliFault } from '../fault.ts';
import { addSignInOptions, readSignInOptions, type SignInOptions } from '../sign-in-options.ts';
import type { Output } from '../terminal/output.ts';

/** How long the token of this machine's own command line is good; each start makes a new one. */
const LOCAL_TOKEN_DAYS = 365;
const LOCAL_TOKEN_NAME = 'this machine';

interface ServeCommandOptions extends SignInOptions, ConsoleFolderOptions {
  readonly host: string;
  readonly port: string;
  readonly operatorPort: string;
  readonly wakePort: string;
  readonly statusPort: string;
  readonly name: readonly string[];
  readonly cdn?: string;
  readonly repositoryPort?: string;
  readonly approvals: 'required' | 'self';
}

/** Adds `immota serve` to the command. */
export function serveCommand(context: CommandContext): Command {
  return addSignInOptions(new Command('serve'))
    .description('serve vehicles and operators until it is stopped')
    .option('--host <ADDRESS>', 'where vehicles are served', '0.0.0.0')
    .option('--port <PORT>', 'HTTPS for vehicles', '8443')
    .option('--operator-port <PORT>', 'the operator API, on loopback', '8440')
    .option('--wake-port <PORT>', 'MQTT over TLS for wake-ups', '8883')
    .option('--status-port <PORT>', 'health and metrics, on loopback', '8441')
    .option(
      '--name <NAME>',
      'a DNS name or IP address by which vehicles reach it; repeat',
      collect,
      [],
    )
    .option('--repository-port <PORT>', 'serve the Image repository to anybody, in the clear')
    .option('--cdn <URL>', 'where a CDN serves what immota publish writes')
    .addOption(
      new Option('--approvals <WHOSE>', 'self: one person alone starts campaigns, for development')
        .choices(['required', 'self'])
        .default('required'),
    )
    .addHelpText('after', '\nDATABASE_URL names a PostgreSQL server; without it one is embedded.')
    .action(async (options: ServeCommandOptions) => {
      const output = context.output();
      const note = (line: string): void => {
        output.note(line);
      };
      const folder = await findConsoleFolder(options, context.dataFolder(), note);
      const platform = await startServer(context, options, folder);
      const page = options.publicUrl ?? platform.urls.operator;
      const first = await welcomeFirst(platform, options, page);
      sayUrls(output, platform.urls, {
        ...(folder === undefined ? {} : { console: page }),
        ...(first?.invitation === undefined ? {} : { invitation: first.invitation }),
      });
      if (options.approvals === 'self') {
        note('Campaigns are started without a second person: not for vehicles on a road');
      }
      if (first !== undefined) note(first.text);
      output.note('Stop with Ctrl+C; requests that are under way are answered first');
      await stopSignal();
      output.note('Stopping …');
      await platform.close();
      rmSync(join(context.dataFolder(), CONNECTION_FILE), { force: true });
    });
}

/** Starts the cloud, and leaves word in the data folder how this machine's command line reaches it. */
async function startServer(
  context: CommandContext,
  options: ServeCommandOptions,
  consoleFolder: string | undefined,
): Promise<Platform> {
  const { clock, entropy } = context;
  const folder = context.dataFolder();
  const output = context.output();
  const platform = await startPlatform({
    folder,
    databaseUrl: process.env['DATABASE_URL'],
    clock,
    entropy,
    host: options.host,
    port: portOf(options.port),
    operatorPort: portOf(options.operatorPort),
    wakePort: portOf(options.wakePort),
    statusPort: portOf(options.statusPort),
    names: namesOf(options.name),
    cdnBase: options.cdn,
    approvals: options.approvals,
    ...readSignInOptions(options),
    consoleFiles: consoleFolder === undefined ? undefined : { folder: consoleFolder },
    repository:
      options.repositoryPort === undefined
        ? undefined
        : { host: options.host, port: portOf(options.repositoryPort) },
    notice: (notice) => output.note(notice.message),
    failed: (error) => output.note(error instanceof Error ? error.message : String(error)),
  });
  const { token } = await localToken(platform);
  context.writeFolder(folder, (write) => {
    const connection = JSON.stringify({ url: platform.urls.operator, token });
    write(CONNECTION_FILE, new TextEncoder().encode(`${connection}\n`), 0o600);
  });
  return platform;
}

/** For scripts as data, for people as lines. */
function sayUrls(
  output: Output,
  { repository, ...urls }: Platform['urls'],
  more: { readonly console?: string; readonly invitation?: string },
): void {
  const all = { ...urls, ...(repository === undefined ? {} : { repository }), ...more };
  output.result(all, () =>
    [
      `vehicles   ${urls.gateway}`,
      `wake-ups   ${urls.wake}`,
      ...(more.console === undefined ? [] : [`console    ${more.console}`]),
      `operators  ${urls.operator}  (documentation: ${urls.operator}/openapi.json)`,
      `status     ${urls.status}`,
      ...(repository === undefined ? [] : [`repository ${repository}`]),
    ].join('\n'),
  );
}

/** Nobody can sign in before there is an administrator. @returns how to become one, once. */
async function welcomeFirst(
  platform: Platform,
  { oidcIssuer }: ServeCommandOptions,
  page: string,
): Promise<{ readonly invitation?: string; readonly text: string } | undefined> {
  const code = await inviteFirst(platform.cloud.context);
  if (code === undefined) return undefined;
  if (oidcIssuer !== undefined) {
    return { text: 'Nobody is let in yet: immota user create you@example.com --role admin' };
  }
  const link = new URL('/auth/invitation', page);
  link.searchParams.set('code', code);
  const invitation = link.href;
  const text = `Become the first administrator, once, within three days:\n  ${invitation}`;
  return { invitation, text };
}

/** The token of the start before is of no use to anybody: its name is taken over. */
async function localToken(platform: Platform): Promise<{ readonly token: string }> {
  await revokeToken(platform.cloud.context, LOCAL_TOKEN_NAME);
  return await createToken(platform.cloud.context, {
    name: LOCAL_TOKEN_NAME,
    role: 'admin',
    uploadsFor: [],
    ttlDays: LOCAL_TOKEN_DAYS,
  });
}

function portOf(text: string): number {
  const port = Number(text);
  if (Number.isSafeInteger(port) && port >= 0 && port < 65_536) return port;
  throw new CliFault('USAGE', `Cannot use port "${text}": 0 to 65535`);
}

function namesOf(names: readonly string[]): {
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
} {
  const all = names.length === 0 ? ['localhost', '127.0.0.1'] : names;
  return { dnsNames: all.filter((name) => !isAddress(name)), ipAddresses: all.filter(isAddress) };
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

async function stopSignal(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  process.once('SIGINT', resolve);
  process.once('SIGTERM', resolve);
  await promise;
}

function isAddress(name: string): boolean {
  return /^[\d.]+$|:/.test(name);
}
