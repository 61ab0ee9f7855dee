/** The command `immota`: the composition root. Each subcommand is a file in `commands/`. */
import { readFile } from 'node:fs/promises';
import { Command, CommanderError } from 'commander';
import { findConnection } from './client.ts';
import { campaignCommand } from './commands/campaign.ts';
import { demoCommand } from './commands/demo.ts';
import { imageCommand } from './commands/image.ts';
import { initCommand } from './commands/init.ts';
import { keyCommand } from './commands/key.ts';
import { pkiCommand } from './commands/pki.ts';
import { publishCommand } from './commands/publish.ts';
import { releaseCommand } from './commands/release.ts';
import { serveCommand } from './commands/serve.ts';
import { statusCommand } from './commands/status.ts';
import { tokenCommand } from './commands/token.ts';
import { ecuCommand, vehicleCommand } from './commands/vehicle.ts';
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
for (const make of [
  initCommand,
  serveCommand,
  keyCommand,
  pkiCommand,
  imageCommand,
  releaseCommand,
  campaignCommand,
  vehicleCommand,
  ecuCommand,
  statusCommand,
  tokenCommand,
  publishCommand,
  demoCommand,
]) {
  const command = make(context);
  program.addCommand(command.copyInheritedSettings(program));
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode;
  else process.exitCode = reportFailure(error, program.opts()['json'] === true, process);
}
