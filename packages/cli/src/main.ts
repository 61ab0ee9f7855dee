/** The command `immota`: the composition root. Each subcommand is a file in `commands/`. */
import { Command, CommanderError } from 'commander';
import { keyCommand } from './commands/key.ts';
import { askSecret, type CommandContext, SYSTEM_ENTROPY, writeFolder } from './context.ts';
import { SYSTEM_CLOCK } from './system-clock.ts';
import { createOutput, reportFailure } from './terminal/output.ts';

const program = new Command('immota')
  .description('Over-the-air updates for vehicles: build, sign, publish, deliver, prove.')
  .option('--json', 'print results as JSON')
  .option('--data <DIR>', 'the data folder', process.env['IMMOTA_DATA'] ?? 'immota-data')
  .showHelpAfterError('(immota --help shows what there is)')
  .exitOverride();

const context: CommandContext = {
  output: () => createOutput(program.opts()['json'] === true, process),
  dataFolder: () => String(program.opts()['data']),
  clock: SYSTEM_CLOCK,
  entropy: SYSTEM_ENTROPY,
  askSecret,
  writeFolder,
};
for (const command of [keyCommand(context)]) {
  program.addCommand(command.copyInheritedSettings(program));
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode;
  else process.exitCode = reportFailure(error, program.opts()['json'] === true, process);
}
