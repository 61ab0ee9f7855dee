/**
 * Runs published conformance material against the trust core.
 *
 * Usage: node conformance/main.ts vectors DIR [--only NAME] [--now INSTANT] [--json]
 *        node conformance/main.ts wire-logs DIR [--json]
 *
 * The last line reads `N passed, N failed`; the exit status is 0 when none failed, 1 when one did and
 * 2 when nothing could be run.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Fault } from '@immota/base';
import { renderOutcome, runFolder } from './vectors/run-folder.ts';
import { checkLogs, renderLogs } from './wire/check-log.ts';

const USAGE = `Usage: npm run conformance -- vectors DIR [--only NAME] [--now INSTANT] [--json]
       npm run conformance -- wire-logs DIR [--json]`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      only: { type: 'string' },
      now: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const [verb, named, ...others] = positionals;
  if (named === undefined || others.length > 0) {
    console.error(USAGE);
    return 2;
  }
  // npm runs scripts in the repository's folder and says from where it was called.
  const folder = resolve(process.env['INIT_CWD'] ?? '.', named);
  if (verb === 'vectors') {
    const { only } = values;
    const now =
      values.now === undefined ? Temporal.Now.instant() : Temporal.Instant.from(values.now);
    const outcome = await runFolder({ folder, only, now });
    console.log(values.json ? JSON.stringify(outcome, undefined, 2) : renderOutcome(outcome));
    return outcome.vectors.every(({ passed }) => passed) ? 0 : 1;
  }
  if (verb === 'wire-logs') {
    const outcomes = checkLogs(folder);
    console.log(values.json ? JSON.stringify(outcomes, undefined, 2) : renderLogs(outcomes));
    return outcomes.every(({ refusal }) => refusal === undefined) ? 0 : 1;
  }
  console.error(USAGE);
  return 2;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Fault ? `${String(error.code)}: ${error.message}` : error);
  process.exitCode = 2;
}
