/** ECUs with a file system: two slots in files. */
import type { CutClass } from './cut-report.ts';
import { exhaust } from './exhaust.ts';
import { LINUX_VARIANT } from './linux-bench.ts';

/** See the head of the file. */
export const LINUX: CutClass = {
  name: 'linux',
  run: async (options) =>
    exhaust([LINUX_VARIANT], options, {
      tears: options.isBounded ? 3 : 6,
      nestedEvery: options.isBounded ? 16 : 3,
      randomRuns: options.isBounded ? 2 : 40,
    }),
};
