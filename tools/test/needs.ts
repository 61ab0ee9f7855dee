/**
 * What the tests need from the machine beside `npm ci`, and how it is brought where it can be.
 *
 * A package names its needs in `house.needs` of its manifest. Its tests look for themselves whether
 * a thing is there and skip with a reason; this file only fetches it first.
 */
import { existsSync, globSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { type Ending, runProcess } from './process.ts';

/** A thing that tests need. */
interface Need {
  /** What to tell a person who has to bring it by hand. */
  readonly advice: string;
  isThere(root: string): boolean;
  bring(root: string): Promise<Ending | undefined>;
}

/** A need that could not be met. */
export interface Missing {
  readonly name: string;
  readonly reason: string;
}

const INSTALL_LIMIT_MS = 180_000;

const NEEDS: Readonly<Record<string, Need>> = {
  softhsm2: debian(
    'softhsm2',
    () => globSync('/usr/lib{,64,/*}/softhsm/libsofthsm2.so').length > 0,
  ),
  openssl: debian('openssl', () => isOnPath('openssl')),
  nginx: debian('nginx-light', () => isOnPath('nginx') || existsSync('/usr/sbin/nginx')),
  'python3-can': debian('python3-can', () => hasPython('can')),
  'python3-scapy': debian('python3-scapy', () => hasPython('scapy')),
  tshark: debian('tshark', () => isOnPath('tshark')),
  chromium: debian('chromium', () =>
    ['chromium', 'chromium-browser', 'google-chrome'].some(isOnPath),
  ),
  pkcs11js: {
    advice: 'npm rebuild pkcs11js --ignore-scripts=false (needs python3, make and a C++ compiler)',
    isThere: (root) => canLoad(root, 'pkcs11js'),
    bring: (root) =>
      runProcess({
        command: 'npm',
        args: ['rebuild', 'pkcs11js', '--ignore-scripts=false'],
        cwd: root,
        env: headersBeside(process.execPath),
        limitMs: INSTALL_LIMIT_MS,
        show: false,
      }),
  },
};

/**
 * Brings what is not there yet.
 *
 * @param root - the repository's folder.
 * @param names - the needs of the suites that will run.
 * @param asIs - true to bring nothing and only look.
 * @returns what is missing all the same, with the reason and what to do.
 */
export async function meetNeeds(
  root: string,
  names: ReadonlySet<string>,
  asIs: boolean,
): Promise<readonly Missing[]> {
  const missing: Missing[] = [];
  for (const name of names) {
    const need = NEEDS[name];
    if (need === undefined) {
      missing.push({ name, reason: 'tools/test/needs.ts knows no such need' });
    } else if (!need.isThere(root)) {
      if (!asIs) console.log(`bringing ${name} …`);
      // One after the other: they share the package manager's lock.
      const ending = asIs ? undefined : await need.bring(root);
      if (!need.isThere(root)) missing.push({ name, reason: reasonOf(need, ending) });
    }
  }
  return missing;
}

function reasonOf(need: Need, ending: Ending | undefined): string {
  const lines = (ending?.output ?? '').split('\n').filter((line) => /\berr/i.test(line));
  const why = ending?.timedOut === true ? 'it took too long' : lines.at(0)?.trim();
  return why === undefined ? `try: ${need.advice}` : `${why}; try: ${need.advice}`;
}

/** A package of Debian's, installed when we are root on Debian. */
function debian(name: string, isThere: () => boolean): Need {
  return {
    advice: `apt-get install ${name}`,
    isThere,
    bring: async (root) => {
      if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) return undefined;
      const first = await apt(root, ['install', '-y', '--no-install-recommends', name]);
      if (first.status === 0) return first;
      // A fresh machine has no package lists, an old one has stale ones.
      await apt(root, ['update']);
      return apt(root, ['install', '-y', '--no-install-recommends', name]);
    },
  };
}

function apt(cwd: string, args: readonly string[]): Promise<Ending> {
  // RUNLEVEL=1: a package that brings a server must not start it.
  const env = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  return runProcess({ command: 'apt-get', args, cwd, env, limitMs: INSTALL_LIMIT_MS, show: false });
}

function isOnPath(program: string): boolean {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.some((folder) => existsSync(join(folder, program)));
}

/** Debian's own modules; tests ask its own interpreter. */
function hasPython(module: string): boolean {
  return existsSync(join('/usr/lib/python3/dist-packages', module));
}

/** A build that failed half-way leaves the addon's folder and nothing that loads. */
function canLoad(root: string, name: string): boolean {
  try {
    createRequire(join(root, 'package.json'))(name);
    return true;
  } catch {
    return false;
  }
}

/** Node's own headers lie beside it, so that the build has nothing to download. */
function headersBeside(node: string): Readonly<Record<string, string>> {
  const folder = join(node, '../..');
  return existsSync(join(folder, 'include/node/node_api.h')) ? { npm_config_nodedir: folder } : {};
}
