/** Asks on a command line. */
import { createInterface } from 'node:readline';
import type { ConsentAnswer, ConsentPort } from './consent-port.ts';

/** Where to ask. */
export interface PromptOptions {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  /** Who sits there: `owner`, `driver`, `workshop`. */
  readonly actor: string;
}

const ANSWERS: ReadonlyMap<string, ConsentAnswer['decision']> = new Map([
  ['y', 'accepted'],
  ['yes', 'accepted'],
  ['n', 'declined'],
  ['no', 'declined'],
  ['l', 'postponed'],
  ['later', 'postponed'],
]);

/** Asks the person at a terminal; anything but a clear answer is asked again. */
export function promptConsent({ input, output, actor }: PromptOptions): ConsentPort {
  return {
    ask: async ({ question }, signal) => {
      const lines = createInterface({ input, output, signal });
      try {
        // The very words that the receipt names, and nothing else.
        output.write(`${question.text}\n[y]es, [n]o or [l]ater: `);
        for await (const line of lines) {
          const decision = ANSWERS.get(line.trim().toLowerCase());
          if (decision !== undefined) return { decision, actor };
          output.write('Please answer y, n or l: ');
        }
        return undefined;
      } finally {
        lines.close();
      }
    },
  };
}
