/** The command `immota`: the composition root. Each subcommand is a file in `commands/`. */
import { readFile } from 'node:fs/promises';
import { Command, CommanderError } from 'commander';
import { findConnection } from './client.ts';
import { askSecret, type CommandContext, SYSTEM_ENTROPY, writeFolder } from './context.ts';
import { SYSTEM_CLOCK } from './system-clock.ts';
import { createOutput, reportFailure } from './terminal/output.ts';

const program = new Command('immota')
  .description('Over-the-air updates for vehicles: build, sign, publish, deliver, prove.')
  .option('--json', 'print results as JSON')
  .option('--data <DIR>', 'the data folder', process.env['IMMOTA_DATA'] ?? 'immota-data')
  .option('--server <URL>', 'the operator API, when it is not on this machine')
  .showHelpAfterError('(immota --help shows what there is)')
  .exitOverride();

const context: CommandContext = {
  output: () => createOutput(program.opts()['json'] === true, process),
  dataFolder: () => String(program.opts()['data']),
  connection: () =>
    findConnection({
      dataFolder: context.dataFolder(),
      server:
        typeof program.opts()['server'] === 'string' ? String(program.opts()['server']) : undefined,
      token: process.env['IMMOTA_TOKEN'],
    }),
  clock: SYSTEM_CLOCK,
  entropy: SYSTEM_ENTROPY,
  askSecret,
  readFile: (file) => readFile(file),
  writeFolder,
};
/**
 * Every subcommand: what it is for, and where it is. Only the one that is called is loaded, so that a
 * start costs no more than its own command does.
 */
const COMMANDS: readonly (readonly [
  name: string,
  what: string,
  load: () => Promise<(own: CommandContext) => Command>,
])[] = [
  ['init', 'make a new deployment', async () => (await import('./commands/init.ts')).initCommand],
  [
    'serve',
    'serve vehicles and operators',
    async () => (await import('./commands/serve.ts')).serveCommand,
  ],
  [
    'key',
    'make keys, and sign with them in ceremonies',
    async () => (await import('./commands/key.ts')).keyCommand,
  ],
  [
    'pki',
    'issue and revoke credentials of vehicles',
    async () => (await import('./commands/pki.ts')).pkiCommand,
  ],
  [
    'image',
    'inspect, upload and sign images',
    async () => (await import('./commands/image.ts')).imageCommand,
  ],
  [
    'release',
    'sign and list releases',
    async () => (await import('./commands/release.ts')).releaseCommand,
  ],
  [
    'dossier',
    'show and write the dossier of a release',
    async () => (await import('./commands/dossier.ts')).dossierCommand,
  ],
  [
    'evidence',
    'export and verify evidence of campaigns',
    async () => (await import('./commands/evidence.ts')).evidenceCommand,
  ],
  [
    'campaign',
    'create, run and watch campaigns',
    async () => (await import('./commands/campaign.ts')).campaignCommand,
  ],
  [
    'fleet',
    'count, list and export vehicles',
    async () => (await import('./commands/fleet.ts')).fleetCommand,
  ],
  [
    'vehicle',
    'make, run and look after vehicles',
    async () => (await import('./commands/vehicle.ts')).vehicleCommand,
  ],
  ['ecu', 'run one ECU alone', async () => (await import('./commands/vehicle.ts')).ecuCommand],
  [
    'status',
    'show a vehicle, and why it is not updated',
    async () => (await import('./commands/status.ts')).statusCommand,
  ],
  [
    'token',
    'create and revoke API tokens',
    async () => (await import('./commands/token.ts')).tokenCommand,
  ],
  [
    'login',
    'sign in by the browser',
    async () => (await import('./commands/login.ts')).loginCommand,
  ],
  [
    'user',
    'let people in, and change what they may',
    async () => (await import('./commands/user.ts')).userCommand,
  ],
  [
    'tenant',
    'create and list tenants',
    async () => (await import('./commands/tenant.ts')).tenantCommand,
  ],
  [
    'webhook',
    'hand events to other systems',
    async () => (await import('./commands/webhook.ts')).webhookCommand,
  ],
  [
    'audit',
    'read, check and export the audit log',
    async () => (await import('./commands/audit.ts')).auditCommand,
  ],
  [
    'publish',
    'write the repositories as files for any CDN',
    async () => (await import('./commands/publish.ts')).publishCommand,
  ],
  [
    'demo',
    'show the main job once through',
    async () => (await import('./commands/demo.ts')).demoCommand,
  ],
];

for (const [name, what, load] of COMMANDS) {
  if (process.argv.includes(name)) {
    const make = await load();
    program.addCommand(make(context).copyInheritedSettings(program));
  } else program.command(name).description(what);
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode;
  else process.exitCode = reportFailure(error, program.opts()['json'] === true, process);
}
