/** The process of the TUF client: exit status 0 when all went well, 1 when anything did not. */
import { Fault } from '@immota/base';
import { runClient } from './client.ts';

// Whatever ends the process before the last line below is a failure.
process.exitCode = 1;
try {
  await runClient(process.argv.slice(2), { clock: { now: () => Temporal.Now.instant() } });
  process.exitCode = 0;
} catch (error) {
  const text = error instanceof Fault ? `${String(error.code)}: ${error.message}` : String(error);
  process.stderr.write(`${text}\n`);
  process.exitCode = 1;
}
