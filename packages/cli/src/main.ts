/** The command `immota`: the composition root. Each subcommand is a file in `commands/`. */
import { Command, CommanderError } from 'commander';
import { reportFailure } from './terminal/output.ts';

const program = new Command('immota')
  .description('Over-the-air updates for vehicles: build, sign, publish, deliver, prove.')
  .option('--json', 'print results as JSON')
  .option('--data DIR', 'the data folder', process.env['IMMOTA_DATA'] ?? 'immota-data')
  .showHelpAfterError('(immota --help shows what there is)')
  .exitOverride();

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode;
  else process.exitCode = reportFailure(error, program.opts()['json'] === true, process);
}
