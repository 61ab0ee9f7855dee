/** Which delegations cover a target name. */
import { createHash } from 'node:crypto';
import { unreachable } from '@immota/base';
import { compareCodePoints } from '../encoding/canonical.ts';
import type { Dialect } from '../encoding/dialect.ts';
import {
  type HardwareIdentifier,
  parseDelegatedRoleName,
  type TargetName,
} from '../metadata/names.ts';
import type { DelegatedRole, Delegation } from '../metadata/roles.ts';

/** What is looked for: an image, and the hardware that is to run it. */
export interface TargetQuery {
  readonly name: TargetName;
  /** Every hardware the delegation must include; empty when hardware does not matter (plain TUF). */
  readonly hardwareIdentifiers: readonly HardwareIdentifier[];
}

/**
 * Tells whether a delegation covers a target {uptane L11}: its name and its hardware.
 *
 * @param dialect - decides whether `*` crosses a slash.
 */
export function delegationCovers(
  dialect: Dialect,
  delegation: Delegation,
  query: TargetQuery,
): boolean {
  const { hardwareIdentifiers: allowed, names } = delegation;
  const fits = query.hardwareIdentifiers.every((id) => allowed === undefined || allowed.has(id));
  if (!fits) return false;
  switch (names.kind) {
    case 'paths':
      return names.patterns.some((pattern) => patternMatches(dialect, pattern, query.name));
    case 'hash-prefixes': {
      const digest = digestOf(query.name);
      return names.prefixes.some((prefix) => digest.startsWith(prefix));
    }
    case 'succinct':
      return true;
    default:
      return unreachable(names);
  }
}

/** The roles to ask for a target: as listed, or the one bin of a succinct delegation. */
export function rolesFor(delegation: Delegation, name: TargetName): readonly DelegatedRole[] {
  const { names, roles } = delegation;
  if (names.kind !== 'succinct') return roles;
  const bin = Number(BigInt(`0x${digestOf(name).slice(0, 8)}`) >> BigInt(32 - names.bitLength));
  const digits = (2 ** names.bitLength - 1).toString(16).length;
  const suffix = bin.toString(16).padStart(digits, '0');
  const bins = { name: parseDelegatedRoleName(`${names.namePrefix}-${suffix}`) };
  return roles.map((role) => ({ ...role, ...bins }));
}

function digestOf(name: TargetName): string {
  return createHash('sha256').update(name).digest('hex');
}

function patternMatches(dialect: Dialect, pattern: string, name: string): boolean {
  if (!dialect.patternStopsAtSlash) return globMatches(pattern, name);
  const patternParts = pattern.split('/');
  const nameParts = name.split('/');
  return (
    patternParts.length === nameParts.length &&
    patternParts.every((part, index) => globMatches(part, nameParts[index] ?? ''))
  );
}

/** Text by characters: as it stands where each is one unit, else taken apart. */
type Characters = string | readonly string[];

/**
 * Matches a shell pattern: `*`, `?`, `[set]`, `[!set]`. In time of the two lengths' product at most:
 * only the last star is ever tried again, so no pattern can be made slow.
 */
export function globMatches(pattern: string, text: string): boolean {
  return charactersMatch(charactersOf(pattern), charactersOf(text));
}

function charactersOf(text: string): Characters {
  return /[\ud800-\udbff]/.test(text) ? Array.from(text) : text;
}

function charactersMatch(pattern: Characters, text: Characters): boolean {
  let patternAt = 0;
  let textAt = 0;
  let star = -1;
  let starText = 0;
  while (textAt < text.length) {
    if (pattern[patternAt] === '*') {
      star = patternAt;
      starText = textAt;
      patternAt += 1;
      continue;
    }
    const next = matchOne(pattern, patternAt, text[textAt] ?? '');
    if (next !== undefined) {
      patternAt = next;
      textAt += 1;
    } else if (star >= 0) {
      starText += 1;
      textAt = starText;
      patternAt = star + 1;
    } else {
      return false;
    }
  }
  while (pattern[patternAt] === '*') patternAt += 1;
  return patternAt === pattern.length;
}

/** Matches one character; returns where the pattern goes on, or undefined. */
function matchOne(pattern: Characters, at: number, character: string): number | undefined {
  if (pattern[at] === '?') return at + 1;
  if (pattern[at] === '[') {
    const inverted = pattern[at + 1] === '!';
    const first = at + (inverted ? 2 : 1);
    // A bracket right at the start of a set stands for itself.
    const end = pattern.indexOf(']', first + 1);
    if (end > 0) {
      return setHolds(pattern.slice(first, end), character) === inverted ? undefined : end + 1;
    }
  }
  return pattern[at] === character ? at + 1 : undefined;
}

function setHolds(set: Characters, character: string): boolean {
  for (let index = 0; index < set.length; index += 1) {
    const low = set[index] ?? '';
    const high = set[index + 1] === '-' ? set[index + 2] : undefined;
    if (high === undefined) {
      if (low === character) return true;
    } else {
      const between =
        compareCodePoints(low, character) <= 0 && compareCodePoints(character, high) <= 0;
      if (between) return true;
      index += 2;
    }
  }
  return false;
}
