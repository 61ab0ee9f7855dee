/**
 * Conditions: questions in CEL about the vehicle's signals. A signal that is missing, too old or absurd
 * never satisfies a condition that speaks of it, whatever the rest of the expression says.
 */
import { type CelInput, celEnv, isCelError, parse, plan } from '@bufbuild/cel';
import { z } from 'zod';
import { checkExpression } from './check-expression.ts';
import { ConditionFault } from './condition-fault.ts';
import { CONDITIONS_MAX, EXPRESSION_MAX_LENGTH, WANTED_MAX_LENGTH } from './limits.ts';
import { SIGNAL_CATALOGUE, type SignalCatalogue } from './signal-catalogue.ts';
import { type MeasuredSignal, measureSignal, type VehicleSignals } from './vehicle-signals.ts';

/** Holding a `Condition` tells you: it is well-formed and well-typed, and cheap to ask. */
export interface Condition {
  readonly id: string;
  /** For people: "the vehicle stands still". */
  readonly wanted: string;
  readonly expression: string;
  readonly signals: readonly string[];
  /** Asks it. Undefined when it is met, or what was found. */
  ask(this: void, signals: VehicleSignals, atMs: number): UnmetCondition | undefined;
}

/** A condition that is not met, and what was measured. */
export interface UnmetCondition {
  readonly id: string;
  readonly wanted: string;
  readonly expression: string;
  /** `signal`: one of its signals cannot be believed. `value`: the vehicle is not as wanted. */
  readonly why: 'signal' | 'value';
  readonly measured: readonly MeasuredSignal[];
}

const conditionSchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/u),
  wanted: z.string().trim().min(1).max(WANTED_MAX_LENGTH),
  expression: z.string().trim().min(1).max(EXPRESSION_MAX_LENGTH),
});

const environment = celEnv();

/**
 * Reads a list of conditions.
 *
 * @param value - from outside: `id`, `wanted` and `expression` of each.
 * @throws ConditionFault CONDITION_MALFORMED, CONDITION_SIGNAL, CONDITION_TYPE.
 */
export function parseConditions(
  value: unknown,
  catalogue: SignalCatalogue = SIGNAL_CATALOGUE,
): readonly Condition[] {
  const parsed = z.array(conditionSchema).max(CONDITIONS_MAX).safeParse(value);
  if (!parsed.success) {
    const why = parsed.error.issues[0]?.message ?? 'it is none';
    throw new ConditionFault('CONDITION_MALFORMED', `Cannot read condition: ${why}`, {
      cause: parsed.error,
    });
  }
  if (new Set(parsed.data.map(({ id }) => id)).size < parsed.data.length) {
    throw new ConditionFault('CONDITION_MALFORMED', 'Cannot read conditions: two have one name');
  }
  return parsed.data.map((parts) => conditionOf(parts, catalogue));
}

/** Asks all conditions. @returns those that are not met. */
export function findUnmetConditions(
  conditions: readonly Condition[],
  signals: VehicleSignals,
  atMs: number,
): readonly UnmetCondition[] {
  return conditions.flatMap((condition) => condition.ask(signals, atMs) ?? []);
}

/**
 * Makes sure that all conditions are met.
 *
 * @throws ConditionFault CONDITION_UNMET with all that is not.
 */
export function checkConditions(
  conditions: readonly Condition[],
  signals: VehicleSignals,
  atMs: number,
): void {
  const unmet = findUnmetConditions(conditions, signals, atMs);
  if (unmet.length === 0) return;
  throw new ConditionFault(
    'CONDITION_UNMET',
    `Cannot go on: ${unmet.map((one) => describeUnmet(one)).join('; ')}`,
  );
}

/** Says in words what was wanted and what is. */
export function describeUnmet({ wanted, measured }: UnmetCondition): string {
  const found = measured.map(({ name, state, value, unit }) => {
    if (state === 'missing') return `${name} is unknown`;
    const shown = unit === undefined ? String(value) : `${String(value)} ${unit}`;
    return state === 'fresh' ? `${name} is ${shown}` : `${name} was ${shown} and is ${state}`;
  });
  return `${wanted} (${found.join(', ')})`;
}

function conditionOf(
  { id, wanted, expression }: z.infer<typeof conditionSchema>,
  catalogue: SignalCatalogue,
): Condition {
  const { names, evaluate } = compile(expression, catalogue);
  const about = { id, wanted, expression };
  return {
    ...about,
    signals: names,
    ask: (signals, atMs) => {
      const measured = names.map((name) => measureSignal(name, signals, { catalogue, atMs }));
      // Before any evaluation: "a || b" must not be met by a alone when nothing is known of b.
      if (measured.some(({ state }) => state !== 'fresh')) {
        return { ...about, why: 'signal', measured };
      }
      const result = evaluate(bindingsOf(measured, catalogue));
      const isMet = !isCelError(result) && result === true;
      return isMet ? undefined : { ...about, why: 'value', measured };
    },
  };
}

interface Compiled {
  readonly names: readonly string[];
  readonly evaluate: (bindings: Record<string, CelInput>) => unknown;
}

/** Whatever the library throws on, it is the text's fault. */
function compile(expression: string, catalogue: SignalCatalogue): Compiled {
  try {
    const parsed = parse(expression);
    const names = checkExpression(parsed.expr, catalogue);
    return { names, evaluate: plan(environment, parsed) };
  } catch (error) {
    if (error instanceof ConditionFault) throw error;
    const why = error instanceof Error ? error.message : 'no reason given';
    throw new ConditionFault('CONDITION_MALFORMED', `Cannot read condition: ${why}`, {
      cause: error,
    });
  }
}

/** The signals as a tree, as CEL reads dotted names. */
function bindingsOf(
  measured: readonly MeasuredSignal[],
  catalogue: SignalCatalogue,
): Record<string, CelInput> {
  const root = new Map<string, CelInput>();
  for (const { name, value } of measured) {
    const path = name.split('.');
    const last = path.pop() ?? name;
    let branch = root;
    for (const part of path) branch = branchOf(branch, part);
    const isWhole = catalogue.get(name)?.type === 'int' && typeof value === 'number';
    branch.set(last, isWhole ? BigInt(value) : (value ?? null));
  }
  return Object.fromEntries(root);
}

function branchOf(parent: Map<string, CelInput>, name: string): Map<string, CelInput> {
  const known = parent.get(name);
  if (known instanceof Map) return known;
  const made = new Map<string, CelInput>();
  parent.set(name, made);
  return made;
}
