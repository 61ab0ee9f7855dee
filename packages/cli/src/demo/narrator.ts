/** Tells the demo's story as it happens, and keeps it as data. */
import type { JsonObject, JsonValue } from '@immota/base';
import type { Output } from '../terminal/output.ts';

/** One thing that happened. */
export interface DemoStep {
  readonly step: string;
  readonly what: string;
  /** Since the demo began. */
  readonly atMs: number;
  readonly detail: JsonObject;
}

/** Tells and keeps. */
export interface Narrator {
  tell(step: string, what: string, detail?: JsonObject): void;
  steps(): readonly DemoStep[];
}

/** Makes a narrator. */
export function createNarrator(output: Output): Narrator {
  const begin = performance.now();
  const steps: DemoStep[] = [];
  return {
    tell: (step, what, detail = {}) => {
      const atMs = Math.round(performance.now() - begin);
      steps.push({ step, what, atMs, detail });
      output.say(`${(atMs / 1000).toFixed(1).padStart(6)} s  ${step.padEnd(9)} ${what}`);
    },
    steps: () => steps,
  };
}

/** The steps as JSON. */
export function stepsAsJson(steps: readonly DemoStep[]): readonly JsonValue[] {
  return steps.map(({ step, what, atMs, detail }) => ({ step, what, atMs, detail }));
}
