/** A bar for long work; on a terminal only, and never with `--json`. */
import type { Output } from './output.ts';

/** Shows how far something is. */
export interface ProgressBar {
  update(done: number, all: number): void;
  /** Ends the line. */
  done(): void;
}

const WIDTH = 30;

/** Makes a bar. */
export function progressBar(output: Output, what: string): ProgressBar {
  if (output.json || !process.stderr.isTTY) return { update: ignore, done: ignore };
  return {
    update: (done, all) => {
      const part = all === 0 ? 1 : done / all;
      const filled = '█'.repeat(Math.round(part * WIDTH)).padEnd(WIDTH, '·');
      process.stderr.write(`\r${what} ${filled} ${(part * 100).toFixed(0).padStart(3)} %`);
    },
    done: () => {
      process.stderr.write('\n');
    },
  };
}

function ignore(): void {
  // Nobody looks.
}
