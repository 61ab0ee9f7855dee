/**
 * Reads rule files. What cannot be expressed here is refused with every reason at once; nothing of a rule
 * is ever dropped in silence.
 */
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { SocFault, type SocFaultCode } from '../soc-fault.ts';
import {
  RULE_DOCUMENTS_MAX,
  RULE_FILE_MAX_BYTES,
  RULE_VALUES_MAX,
  TIMESPAN_MAX_MS,
} from './limits.ts';
import { parseCondition } from './parse-condition.ts';
import { readFieldTest } from './read-matchers.ts';
import type { FieldValue } from './security-event.ts';
import {
  type CorrelationRule,
  type EventRule,
  type FieldTest,
  type FilterRule,
  LEVELS,
  type RuleHead,
  type Selection,
  type SigmaRule,
} from './sigma-rule.ts';

const text = z.string().max(100_000);
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const oneOrMany = <Item extends z.ZodType>(item: Item): z.ZodUnion<[Item, z.ZodArray<Item>]> =>
  z.union([item, z.array(item)]);

const ownSchema = z
  .object({
    threats: z.array(text).default([]),
    playbook: text.optional(),
    tests: z
      .array(
        z.object({
          name: text.default(''),
          fires: z.boolean(),
          events: z
            .array(z.object({ after: text.default('0s'), fields: z.record(z.string(), scalar) }))
            .min(1),
        }),
      )
      .default([]),
  })
  .default({ threats: [], tests: [] });

const headSchema = z.looseObject({
  title: text.min(1),
  id: z.string().max(100).optional(),
  name: z.string().max(200).optional(),
  description: text.optional(),
  level: z.enum(LEVELS).default('medium'),
  tags: z.array(z.string()).nullish(),
  'x-immota': ownSchema,
});

const logSourceSchema = z.looseObject({
  product: z.string().nullish(),
  category: z.string().nullish(),
  service: z.string().nullish(),
});

const correlationSchema = z.object({
  type: z.enum([
    'event_count',
    'value_count',
    'temporal',
    'temporal_ordered',
    'value_sum',
    'value_avg',
    'value_percentile',
    'value_median',
  ]),
  rules: oneOrMany(z.string()),
  'group-by': oneOrMany(z.string()).nullish(),
  timespan: z.string(),
  condition: z
    .union([z.string(), z.record(z.string(), z.union([z.string(), z.number()]))])
    .optional(),
  aliases: z.record(z.string(), z.record(z.string(), z.string())).optional(),
  generate: z.boolean().optional(),
});

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Reads a rule file with one or more documents.
 *
 * @param source - YAML.
 * @throws SocFault RULE_MALFORMED, RULE_UNSUPPORTED, RULE_LIMIT; `reasons` has all of them.
 */
export function parseRules(source: string): readonly SigmaRule[] {
  if (Buffer.byteLength(source) > RULE_FILE_MAX_BYTES) {
    throw new SocFault('RULE_LIMIT', 'Cannot read rules: the file is too long');
  }
  const reasons: Reason[] = [];
  const rules: SigmaRule[] = [];
  const documents = parseAllDocuments(source, { version: '1.2' });
  if (documents.length === 0) throw malformed('the file is empty');
  if (documents.length > RULE_DOCUMENTS_MAX) {
    throw new SocFault('RULE_LIMIT', 'Cannot read rules: too many documents in one file');
  }
  for (const document of documents) {
    const [error] = document.errors;
    if (error !== undefined) throw malformed(error.message);
    try {
      rules.push(readRule(document.toJS({ maxAliasCount: 100 }), reasons));
    } catch (problem) {
      if (!(problem instanceof SocFault)) throw problem;
      reasons.push({ code: problem.code, words: problem.message });
    }
  }
  const [first] = reasons;
  if (first !== undefined) {
    throw new SocFault(first.code, first.words, { reasons: reasons.map(({ words }) => words) });
  }
  return rules;
}

interface Reason {
  readonly code: SocFaultCode;
  readonly words: string;
}

function readRule(value: unknown, reasons: Reason[]): SigmaRule {
  const parsed = headSchema.safeParse(value);
  if (!parsed.success) throw malformedBy(parsed.error);
  const { data } = parsed;
  const own = data['x-immota'];
  const head: RuleHead = {
    id: data.id ?? data.name ?? data.title,
    name: data.name,
    title: data.title,
    level: data.level,
    tags: data.tags ?? [],
    description: data.description ?? '',
    threats: own.threats,
    playbook: own.playbook,
    tests: own.tests.map(({ name, fires, events }) => ({
      name,
      fires,
      events: events.map(({ after, fields }) => ({
        afterMs: after === '0s' ? 0 : readTimespan(after),
        fields: new Map(Object.entries(fields)),
      })),
    })),
  };
  if (data['correlation'] !== undefined) return readCorrelation(head, data['correlation']);
  if (data['filter'] !== undefined) return readFilter(head, data, reasons);
  return readEventRule(head, data, reasons);
}

function readEventRule(
  head: RuleHead,
  data: Readonly<Record<string, unknown>>,
  reasons: Reason[],
): EventRule {
  const detection = readDetection(data['detection'], reasons);
  return { kind: 'event', ...head, logSource: readLogSource(data['logsource']), ...detection };
}

function readFilter(
  head: RuleHead,
  data: Readonly<Record<string, unknown>>,
  reasons: Reason[],
): FilterRule {
  const parsed = z
    .looseObject({ rules: z.union([oneOrMany(z.string()), z.literal('any')]).nullish() })
    .safeParse(data['filter']);
  if (!parsed.success) throw malformedBy(parsed.error);
  const { rules, ...rest } = parsed.data;
  return {
    kind: 'filter',
    ...head,
    logSource: readLogSource(data['logsource']),
    rules: typeof rules === 'string' ? [rules] : (rules ?? ['any']),
    ...readDetection(rest, reasons),
  };
}

function readLogSource(value: unknown): EventRule['logSource'] {
  const parsed = logSourceSchema.safeParse(value);
  if (!parsed.success) throw malformedBy(parsed.error);
  const { product, category, service } = parsed.data;
  return {
    product: product ?? undefined,
    category: category ?? undefined,
    service: service ?? undefined,
  };
}

function readDetection(
  value: unknown,
  reasons: Reason[],
): Pick<EventRule, 'selections' | 'condition'> {
  const parsed = z
    .looseObject({ condition: z.unknown().optional(), timeframe: z.unknown().optional() })
    .safeParse(value);
  if (!parsed.success) throw malformed('it has no detection');
  const { condition, timeframe, ...rest } = parsed.data;
  if (timeframe !== undefined) {
    throw new SocFault(
      'RULE_UNSUPPORTED',
      'Cannot read rule: a timeframe is gone since Sigma 2, use a correlation',
    );
  }
  const budget = { values: RULE_VALUES_MAX };
  const selections = new Map<string, Selection>();
  for (const [name, inner] of Object.entries(rest)) {
    try {
      selections.set(name, readSelection(inner, budget));
    } catch (problem) {
      if (!(problem instanceof SocFault)) throw problem;
      reasons.push({ code: problem.code, words: problem.message });
      selections.set(name, []);
    }
  }
  const conditions = z.union([z.string(), z.array(z.string()).min(1)]).safeParse(condition);
  if (!conditions.success) throw malformed('it has no condition');
  const texts = typeof conditions.data === 'string' ? [conditions.data] : conditions.data;
  const parts = texts.map((one) => parseCondition(one, [...selections.keys()]));
  const [only] = parts;
  return {
    selections,
    condition: parts.length === 1 && only !== undefined ? only : { kind: 'or', parts },
  };
}

/** A map asks all of its fields; a list is of alternatives, maps or words that may stand anywhere. */
function readSelection(value: unknown, budget: { values: number }): Selection {
  if (!Array.isArray(value)) return [readMap(value, budget)];
  const words = value.filter((item) => typeof item !== 'object' || item === null);
  const maps = value.filter((item) => typeof item === 'object' && item !== null);
  const alternatives = maps.map((item) => readMap(item, budget));
  if (words.length === 0) return alternatives;
  return [...alternatives, [readField('|contains', words, budget)]];
}

function readMap(value: unknown, budget: { values: number }): readonly FieldTest[] {
  if (typeof value !== 'object' || value === null) {
    return [readField('|contains', value, budget)];
  }
  return Object.entries(value).map(([key, inner]) =>
    readField(key.startsWith('|') ? `|contains${key}` : key, inner, budget),
  );
}

function readField(key: string, value: unknown, budget: { values: number }): FieldTest {
  const parsed = oneOrMany(scalar).safeParse(value);
  if (!parsed.success) throw malformed(`"${key}" has a value that is none`);
  const { data } = parsed;
  const values: readonly FieldValue[] = Array.isArray(data) ? data : [data];
  budget.values -= values.length;
  if (budget.values < 0) throw new SocFault('RULE_LIMIT', 'Cannot read rule: too many values');
  return readFieldTest(key, values);
}

function readCorrelation(head: RuleHead, value: unknown): CorrelationRule {
  const parsed = correlationSchema.safeParse(value);
  if (!parsed.success) throw malformedBy(parsed.error);
  const { data } = parsed;
  const rules = typeof data.rules === 'string' ? [data.rules] : data.rules;
  const groupBy = data['group-by'] ?? [];
  const { condition } = data;
  const isTemporal = data.type === 'temporal' || data.type === 'temporal_ordered';
  if (condition === undefined && !isTemporal) throw malformed('a correlation has a condition');
  return {
    kind: 'correlation',
    ...head,
    type: data.type === 'value_median' ? 'value_percentile' : data.type,
    rules,
    groupBy: typeof groupBy === 'string' ? [groupBy] : groupBy,
    timespanMs: readTimespan(data.timespan),
    ...readBounds(typeof condition === 'object' ? condition : {}, data.type),
    expression: typeof condition === 'string' ? parseCondition(condition, rules) : undefined,
    aliases: new Map(
      Object.entries(data.aliases ?? {}).map(([field, names]) => [
        field,
        new Map(Object.entries(names)),
      ]),
    ),
    generatesBase: data.generate ?? false,
  };
}

function readBounds(
  condition: Readonly<Record<string, string | number>>,
  type: string,
): Pick<CorrelationRule, 'bounds' | 'field' | 'percentile'> {
  const bounds: CorrelationRule['bounds'][number][] = [];
  let field: string | undefined;
  let percentile = 50;
  for (const [key, value] of Object.entries(condition)) {
    if (key === 'field') field = String(value);
    else if (key === 'percentile') percentile = Number(value);
    else if (['lt', 'lte', 'gt', 'gte', 'eq', 'neq'].includes(key) && typeof value === 'number') {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- looked up just now
      bounds.push({ comparison: key as 'eq', value });
    } else throw new SocFault('RULE_UNSUPPORTED', `Cannot read correlation: no "${key}" here`);
  }
  if (type.startsWith('value_') && field === undefined) throw malformed(`${type} names no field`);
  if (!(percentile >= 0 && percentile <= 100)) throw malformed('a percentile is from 0 to 100');
  return { bounds, field, percentile };
}

function readTimespan(value: string): number {
  const [, count = '', unit = ''] = /^(\d{1,6})([smhd])$/.exec(value) ?? [];
  const span = Number(count) * (UNIT_MS[unit] ?? 0);
  if (!(span > 0 && span <= TIMESPAN_MAX_MS)) {
    throw malformed(`"${value}" is no time from 1s to 92d`);
  }
  return span;
}

function malformedBy(error: z.ZodError): SocFault {
  const [issue] = error.issues;
  return malformed(`at "${issue?.path.join('.') ?? ''}": ${issue?.message ?? ''}`);
}

function malformed(why: string): SocFault {
  return new SocFault('RULE_MALFORMED', `Cannot read rule: ${why}`);
}
