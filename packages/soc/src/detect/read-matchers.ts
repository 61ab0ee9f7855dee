/** Reads a field of a selection: `name|modifier|modifier` and its values. */
import { BlockList, isIP } from 'node:net';
import { Buffer } from 'node:buffer';
import { RE2JS } from 're2js';
import { SocFault } from '../soc-fault.ts';
import { REGEX_MAX_LENGTH } from './limits.ts';
import type { FieldValue } from './security-event.ts';
import type { Comparison, FieldTest, Matcher, PatternPart, TimePart } from './sigma-rule.ts';

const COMPARISONS: ReadonlySet<string> = new Set<Comparison>(['lt', 'lte', 'gt', 'gte']);
const TIME_PARTS: ReadonlySet<string> = new Set<TimePart>([
  'minute',
  'hour',
  'day',
  'week',
  'month',
  'year',
]);
const POSITIONS: ReadonlySet<string> = new Set(['contains', 'startswith', 'endswith']);
const ENCODINGS: ReadonlySet<string> = new Set([
  'base64',
  'base64offset',
  'wide',
  'utf16',
  'utf16le',
  'utf16be',
  'windash',
]);
const REGEX_FLAGS: Readonly<Record<string, string>> = {
  i: 'i',
  ignorecase: 'i',
  m: 'm',
  multiline: 'm',
  s: 's',
  dotall: 's',
};
/** What people write for a dash where programs take several. */
const DASHES = ['-', '/', '\u2013', '\u2014', '\u2015'] as const;

interface Modifiers {
  readonly names: ReadonlySet<string>;
  readonly encodings: readonly string[];
  readonly regexFlags: string;
}

/**
 * Reads one field of a selection.
 *
 * @param key - `name|modifiers`; an empty name asks any field.
 * @param values - what YAML gave.
 * @throws SocFault RULE_UNSUPPORTED for a modifier that is not known, RULE_MALFORMED.
 */
export function readFieldTest(key: string, values: readonly FieldValue[]): FieldTest {
  const [field = '', ...modifierNames] = key.split('|');
  const modifiers = readModifiers(key, modifierNames);
  const matchers = values.flatMap((value) => readMatchers(key, value, modifiers));
  if (matchers.length === 0) {
    throw new SocFault('RULE_MALFORMED', `Cannot read "${key}": it has no value`);
  }
  return {
    field: field === '' ? undefined : field,
    matchers,
    needsAll: modifiers.names.has('all'),
  };
}

function readModifiers(key: string, names: readonly string[]): Modifiers {
  let regexFlags = '';
  for (const name of names) {
    const flag = REGEX_FLAGS[name];
    const isKnown =
      flag !== undefined ||
      COMPARISONS.has(name) ||
      TIME_PARTS.has(name) ||
      POSITIONS.has(name) ||
      ENCODINGS.has(name) ||
      ['all', 're', 'cased', 'cidr', 'exists', 'fieldref', 'neq'].includes(name);
    if (!isKnown) {
      throw new SocFault('RULE_UNSUPPORTED', `Cannot read "${key}": no modifier "${name}" here`);
    }
    if (flag !== undefined) regexFlags += flag;
  }
  const encodings = names.filter((name) => ENCODINGS.has(name));
  return { names: new Set(names), encodings, regexFlags };
}

function readMatchers(key: string, value: FieldValue, modifiers: Modifiers): readonly Matcher[] {
  const { names } = modifiers;
  if (names.has('exists')) return [{ kind: 'exists', isThere: value === true }];
  const special = readSpecial(key, value, modifiers);
  if (special !== undefined) return [special];
  if (value === null || typeof value === 'boolean') return [{ kind: 'literal', value }];
  if (names.has('neq')) {
    return [{ kind: 'number', comparison: 'neq', value: numberOf(key, value) }];
  }
  if (typeof value === 'number' && !isPositioned(modifiers)) return [{ kind: 'literal', value }];
  return textMatchers(key, String(value), modifiers);
}

/** Modifiers that say by themselves what a value means. */
function readSpecial(
  key: string,
  value: FieldValue,
  { names, regexFlags }: Modifiers,
): Matcher | undefined {
  for (const name of names) {
    if (COMPARISONS.has(name)) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- looked up just now
      return { kind: 'number', comparison: name as Comparison, value: numberOf(key, value) };
    }
    if (TIME_PARTS.has(name)) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- looked up just now
      return { kind: 'time', part: name as TimePart, value: numberOf(key, value) };
    }
  }
  if (names.has('re')) {
    return { kind: 'regex', source: checkRegex(key, String(value)), flags: regexFlags };
  }
  if (names.has('cidr')) return { kind: 'cidr', network: checkNetwork(key, String(value)) };
  if (!names.has('fieldref')) return undefined;
  const how = (['contains', 'startswith', 'endswith'] as const).find((one) => names.has(one));
  return {
    kind: 'field',
    field: String(value),
    how: how ?? 'equals',
    isCased: names.has('cased'),
  };
}

function isPositioned({ names }: Modifiers): boolean {
  return [...POSITIONS].some((name) => names.has(name));
}

function textMatchers(key: string, text: string, modifiers: Modifiers): readonly Matcher[] {
  const { names, encodings } = modifiers;
  // Encodings work on the bytes of the value: stars in it would lose their meaning.
  const isEncoded = encodings.some((name) => name !== 'windash');
  if (isEncoded && /[*?]/.test(text.replaceAll(/\\[*?\\]/g, ''))) {
    throw new SocFault('RULE_UNSUPPORTED', `Cannot read "${key}": stars cannot be encoded`);
  }
  const isContained = names.has('base64offset') || names.has('contains');
  return encode(isEncoded ? unescape(text) : text, encodings).map((one) => {
    const parts = isEncoded ? literalParts(one) : parsePattern(one);
    const many = { kind: 'many' } as const;
    return {
      kind: 'pattern',
      parts: join([
        ...(isContained || names.has('endswith') ? [many] : []),
        ...parts,
        ...(isContained || names.has('startswith') ? [many] : []),
      ]),
      isCased: names.has('cased') || encodings.some((name) => name.startsWith('base64')),
    };
  });
}

/** Reads stars and question marks; a backslash takes the meaning of these and of itself away. */
function parsePattern(text: string): readonly PatternPart[] {
  const parts: PatternPart[] = [];
  let literal = '';
  const flush = (): void => {
    if (literal !== '') parts.push({ kind: 'literal', text: literal });
    literal = '';
  };
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? '';
    const next = text[at + 1];
    if (character === '\\' && (next === '*' || next === '?' || next === '\\')) {
      literal += next;
      at += 1;
    } else if (character === '*' || character === '?') {
      flush();
      parts.push({ kind: character === '*' ? 'many' : 'one' });
    } else {
      literal += character;
    }
  }
  flush();
  return join(parts);
}

function unescape(text: string): string {
  return text.replaceAll(/\\([*?\\])/g, '$1');
}

function literalParts(text: string): readonly PatternPart[] {
  return text === '' ? [] : [{ kind: 'literal', text }];
}

/** Two stars in a row are one. */
function join(parts: readonly PatternPart[]): readonly PatternPart[] {
  return parts.filter((part, index) => part.kind !== 'many' || parts[index - 1]?.kind !== 'many');
}

function encode(text: string, encodings: readonly string[]): readonly string[] {
  let texts: readonly string[] = [text];
  let bytes: Buffer | undefined;
  for (const name of encodings) {
    switch (name) {
      case 'windash':
        texts = texts.flatMap(withDashes);
        break;
      case 'wide':
      case 'utf16le':
        bytes = Buffer.from(texts[0] ?? '', 'utf16le');
        break;
      case 'utf16be':
        bytes = Buffer.from(texts[0] ?? '', 'utf16le').swap16();
        break;
      case 'utf16':
        bytes = Buffer.from(`\uFEFF${texts[0] ?? ''}`, 'utf16le');
        break;
      case 'base64':
        texts = texts.map((one) => (bytes ?? Buffer.from(one)).toString('base64'));
        bytes = undefined;
        break;
      case 'base64offset':
        texts = texts.flatMap((one) => offsets(bytes ?? Buffer.from(one)));
        bytes = undefined;
        break;
      default:
        break;
    }
  }
  return bytes === undefined ? texts : [bytes.toString('latin1')];
}

function withDashes(text: string): readonly string[] {
  const variants = DASHES.map((dash) =>
    text.replaceAll(/(^|\s)-/g, (_, before: string) => before + dash),
  );
  return [...new Set([text, ...variants])];
}

/** What a text looks like within a longer one, at each of the three places that base64 has for it. */
function offsets(bytes: Buffer): readonly string[] {
  const start = [0, 2, 3] as const;
  const end = [0, -3, -2] as const;
  return start.map((from, offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset, ' '), bytes]).toString('base64');
    const cut = end[(bytes.length + offset) % 3] ?? 0;
    return encoded.slice(from, cut === 0 ? undefined : cut);
  });
}

function checkRegex(key: string, source: string): string {
  if (source.length > REGEX_MAX_LENGTH) {
    throw new SocFault('RULE_LIMIT', `Cannot read "${key}": its expression is too long`);
  }
  try {
    RE2JS.compile(source);
    return source;
  } catch (error) {
    const why = error instanceof Error ? error.message : 'no reason given';
    throw new SocFault(
      'RULE_UNSUPPORTED',
      `Cannot read "${key}": its expression cannot run in linear time: ${why}`,
      { cause: error },
    );
  }
}

function checkNetwork(key: string, network: string): string {
  const [address = '', bits = ''] = network.split('/');
  const family = isIP(address);
  const isGood =
    family !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
  if (!isGood)
    throw new SocFault('RULE_MALFORMED', `Cannot read "${key}": no network "${network}"`);
  return network;
}

/** Makes the test whether an address lies in a network that was checked. */
export function networkTest(network: string): (address: string) => boolean {
  const [address = '', bits = ''] = network.split('/');
  const list = new BlockList();
  list.addSubnet(address, Number(bits), isIP(address) === 6 ? 'ipv6' : 'ipv4');
  return (asked) => {
    const family = isIP(asked);
    return family !== 0 && list.check(asked, family === 6 ? 'ipv6' : 'ipv4');
  };
}

function numberOf(key: string, value: FieldValue): number {
  const number = typeof value === 'number' ? value : Number(value);
  if (value === null || value === '' || !Number.isFinite(number)) {
    throw new SocFault('RULE_MALFORMED', `Cannot read "${key}": "${String(value)}" is no number`);
  }
  return number;
}
