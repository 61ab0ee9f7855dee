/** Asks on a command line. */
import { createInterface } from 'node:readline';
import type { ConsentAnswer, ConsentPort, ConsentRequest } from './consent-port.ts';

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
    ask: async (request, signal) => {
      const lines = createInterface({ input, output, signal });
      try {
        output.write(`${describe(request)}\n[y]es, [n]o or [l]ater? `);
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

/** Says what is asked, in the words that the receipt will name and in figures. */
function describe(request: ConsentRequest): string {
  const minutes = Math.ceil(request.unusableSeconds / 60);
  const lines = [
    request.text,
    request.step === 'download'
      ? `To download: ${(request.downloadBytes / 1_000_000).toFixed(1)} MB.`
      : `The vehicle cannot be used for about ${minutes} min.`,
    ...(request.unavailable.length === 0
      ? []
      : [`Meanwhile these do not work: ${request.unavailable.join(', ')}.`]),
    request.step === 'download' ? 'Download it now?' : 'Install it now?',
  ];
  return lines.join('\n');
}
