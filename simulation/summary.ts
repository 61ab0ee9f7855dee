/** What many runs came to, in lines. */
import type { RunResult } from './run.ts';

const PROGRESS_RUNS = 50;
const KINDS = ['unverified', 'lost', 'unconverged'] as const;

/** See the head of the file. */
export class Summary {
  readonly #isVerbose: boolean;
  readonly #failed = new Map<string, number>();
  readonly #counts = new Map<string, number>();
  readonly #startedMs: number = performance.now();
  #runs = 0;
  #manifests = 0;
  #simulatedMs = 0;

  constructor(isVerbose: boolean) {
    this.#isVerbose = isVerbose;
  }

  /** Whether nothing failed so far. */
  get isGood(): boolean {
    return this.#failed.size === 0 && this.#runs > 0;
  }

  /** Adds a run. @returns what is to be printed. */
  add(result: RunResult): readonly string[] {
    const { seed, failures, counts, manifests, simulatedMs, digest } = result;
    this.#runs += 1;
    this.#manifests += manifests;
    this.#simulatedMs += simulatedMs;
    for (const [kind, count] of counts)
      this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + count);
    // A run counts once for each kind of failure.
    for (const kind of new Set(failures.map((failure) => failure.kind))) {
      this.#failed.set(kind, (this.#failed.get(kind) ?? 0) + 1);
    }
    const lines = failures.map(({ kind, detail }) => `seed ${seed}: ${kind}: ${detail}`);
    if (failures.length > 0) {
      lines.push(`replay: npm run -s simulate -- kills --runs 1 --seed ${seed} --story`);
    } else if (this.#isVerbose) lines.push(`seed ${seed}: ${digest}`);
    if (this.#runs % PROGRESS_RUNS === 0) {
      const seconds = ((performance.now() - this.#startedMs) / 1000).toFixed(0);
      lines.push(`${this.#runs} runs in ${seconds} s`);
    }
    return lines;
  }

  /** The end. @returns what is to be printed. */
  end(): readonly string[] {
    const struck = [...this.#counts].toSorted(([left], [right]) => (left < right ? -1 : 1));
    const days = (this.#simulatedMs / 86_400_000).toFixed(1);
    const broken = this.#failed.get('broken') ?? 0;
    return [
      ...struck.map(([kind, count]) => `${String(count).padStart(8)}  ${kind}`),
      `${this.#manifests} manifests acknowledged in ${days} simulated days`,
      ...(broken > 0 ? [`${broken} runs ended otherwise than they may`] : []),
      `${this.#runs} runs, ${KINDS.map((kind) => `${this.#failed.get(kind) ?? 0} ${kind}`).join(', ')}`,
    ];
  }
}
