/** The command line of the client protocol: flags in any order, then a verb. */
import { unreachable } from '@immota/base';
import { ClientFault } from './fault.ts';
import { TARGET_NAMES_MAX } from './limits.ts';

/** What one call of the client is to do. */
export type Command =
  | { readonly verb: 'init'; readonly metadataDir: string; readonly trustedRoot: string }
  | ({ readonly verb: 'refresh' } & Repository)
  | ({
      readonly verb: 'download';
      readonly targetNames: readonly string[];
      readonly targetBaseUrl: URL;
      readonly targetDir: string;
    } & Repository);

/** Where metadata comes from and where it is kept. */
export interface Repository {
  readonly metadataDir: string;
  readonly metadataUrl: URL;
}

const FLAGS: ReadonlySet<string> = new Set([
  'metadata-dir',
  'metadata-url',
  'target-name',
  'target-base-url',
  'target-dir',
]);
const VERBS = ['init', 'refresh', 'download'] as const;

/**
 * Reads a command line.
 *
 * @param args - without the program's own name.
 * @throws ClientFault USAGE.
 */
export function parseCommand(args: readonly string[]): Command {
  const { flags, words } = split(args);
  const [verb, ...rest] = words;
  const known = VERBS.find((candidate) => candidate === verb);
  if (known === undefined) throw usage(`expected one of ${VERBS.join(', ')}`);
  if (rest.length !== (known === 'init' ? 1 : 0)) throw usage(`${known} has other arguments`);
  const metadataDir = only(flags, 'metadata-dir');
  if (known === 'init') return { verb: known, metadataDir, trustedRoot: rest[0] ?? '' };
  const repository = { metadataDir, metadataUrl: parseUrl(flags, 'metadata-url') };
  switch (known) {
    case 'refresh':
      return { verb: known, ...repository };
    case 'download': {
      const targetNames = flags.get('target-name') ?? [];
      if (targetNames.length === 0 || targetNames.length > TARGET_NAMES_MAX) {
        throw usage(`download takes 1 to ${TARGET_NAMES_MAX} times --target-name`);
      }
      const targetBaseUrl = parseUrl(flags, 'target-base-url');
      return {
        verb: known,
        ...repository,
        targetNames,
        targetBaseUrl,
        targetDir: only(flags, 'target-dir'),
      };
    }
    default:
      return unreachable(known);
  }
}

/** A flag takes the next argument whatever it looks like: `-x` is a legal target name. */
function split(args: readonly string[]): {
  readonly flags: ReadonlyMap<string, readonly string[]>;
  readonly words: readonly string[];
} {
  const flags = new Map<string, string[]>();
  const words: string[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const argument = args[index] ?? '';
    if (!argument.startsWith('--')) {
      words.push(argument);
      continue;
    }
    const equals = argument.indexOf('=');
    const name = argument.slice(2, equals < 0 ? undefined : equals);
    if (!FLAGS.has(name)) throw usage(`there is no flag --${name}`);
    const value = equals < 0 ? args[(index += 1)] : argument.slice(equals + 1);
    if (value === undefined) throw usage(`--${name} needs a value`);
    const values = flags.get(name);
    if (values === undefined) flags.set(name, [value]);
    else values.push(value);
  }
  return { flags, words };
}

function only(flags: ReadonlyMap<string, readonly string[]>, name: string): string {
  const [value, ...others] = flags.get(name) ?? [];
  if (value === undefined || value === '' || others.length > 0) {
    throw usage(`expected --${name} once`);
  }
  return value;
}

function parseUrl(flags: ReadonlyMap<string, readonly string[]>, name: string): URL {
  const url = URL.parse(only(flags, name));
  if (url === null || !/^https?:$/.test(url.protocol)) throw usage(`--${name} is no http URL`);
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

function usage(why: string): ClientFault {
  return new ClientFault('USAGE', `Cannot understand the command line: ${why}`);
}
