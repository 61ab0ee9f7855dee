/** Real firmware in two versions: from npm, and from Debian's archive for arm64. */
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { missingPrograms, runProgram } from '../run-program.ts';

/** Two images of one thing. */
export interface FirmwarePair {
  readonly id: string;
  readonly what: string;
  readonly base: string;
  readonly image: string;
}

/** A pair, or why it cannot be had. */
export type FoundPair = FirmwarePair | { readonly id: string; readonly why: string };

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const ARCHIVE = `deb [signed-by=${KEYRING}] http://deb.debian.org/debian bookworm main
deb [signed-by=${KEYRING}] http://deb.debian.org/debian-security bookworm-security main
deb [signed-by=${KEYRING}] http://deb.debian.org/debian trixie main
`;

/** Finds the pairs, each in files of a folder. */
export async function findPairs(folder: string): Promise<readonly FoundPair[]> {
  mkdirSync(folder, { recursive: true });
  const debian = await openDebian(join(folder, 'debian'));
  return [
    hubPair(folder),
    await debian(bootloaderPair),
    await debian(kernelPair),
    rootFileSystemPair(),
  ];
}

/** The firmware of a hub with an STM32F4, out of the archives of two npm releases. */
function hubPair(folder: string): FoundPair {
  const id = 'primehub';
  const { resolve } = createRequire(join(import.meta.dirname, '../../packages/image/package.json'));
  const paths = ['firmware-old', 'firmware-new'].map((name) => {
    const [archive = ''] = globSync(
      join(dirname(resolve(`${name}/package.json`)), 'build/primehub.zip'),
    );
    const path = join(folder, `primehub.${name}`);
    writeFileSync(path, readMember(readFileSync(archive), 'firmware-base.bin'));
    return path;
  });
  const [base = '', image = ''] = paths;
  return { id, what: 'firmware of an STM32F4, @pybricks/firmware 7.22.0 to 7.27.0', base, image };
}

/** Reads a file out of a ZIP archive by its central directory. */
function readMember(archive: Buffer, name: string): Buffer {
  const end = archive.lastIndexOf(Buffer.from('PK\u0005\u0006'));
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left -= 1) {
    const nameBytes = archive.readUInt16LE(at + 28);
    const found = archive.toString('utf8', at + 46, at + 46 + nameBytes);
    if (found === name) {
      const local = archive.readUInt32LE(at + 42);
      const from = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
      const packed = archive.subarray(from, from + archive.readUInt32LE(at + 20));
      return archive.readUInt16LE(at + 10) === 0 ? packed : inflateRawSync(packed);
    }
    at += 46 + nameBytes + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  throw new Error(`no ${name} in the archive`);
}

interface Debian {
  readonly folder: string;
  readonly apt: readonly string[];
}

/** An apt of its own, for another architecture, that touches nothing of the machine's. */
async function openDebian(
  folder: string,
): Promise<(find: (debian: Debian) => Promise<FirmwarePair>) => Promise<FoundPair>> {
  const missing = missingPrograms(['apt-get', 'dpkg-deb']);
  if (missing.length > 0 || !existsSync(KEYRING)) return refused('this is no Debian system');
  for (const name of ['lists/partial', 'cache/archives/partial', 'state', 'unpacked']) {
    mkdirSync(join(folder, name), { recursive: true });
  }
  writeFileSync(join(folder, 'sources.list'), ARCHIVE);
  writeFileSync(join(folder, 'status'), '');
  const settings = {
    'Dir::State': join(folder, 'state'),
    'Dir::State::lists': join(folder, 'lists'),
    'Dir::State::status': join(folder, 'status'),
    'Dir::Cache': join(folder, 'cache'),
    'Dir::Etc::sourcelist': join(folder, 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'APT::Architecture': 'arm64',
    'APT::Architectures': 'arm64',
    'APT::Sandbox::User': 'root',
  };
  const apt = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  try {
    await runProgram(['apt-get', ...apt, 'update', '-q']);
  } catch {
    return refused("Debian's archive cannot be reached");
  }
  return async (find) => {
    try {
      return await find({ folder, apt });
    } catch (error) {
      const why = error instanceof Error ? error.message.split('\n')[0] : 'unknown';
      return { id: find.name.replace('Pair', ''), why: `its packages cannot be had: ${why ?? ''}` };
    }
  };
}

function refused(why: string): (find: { readonly name: string }) => Promise<FoundPair> {
  return (find) => Promise.resolve({ id: find.name.replace('Pair', ''), why });
}

/** The oldest and the newest that the archive has of Linux for bookworm. */
async function kernelPair(debian: Debian): Promise<FirmwarePair> {
  const shown = await runProgram(['apt-cache', ...debian.apt, 'show', 'linux-image-arm64']);
  const names = [...shown.matchAll(/^Depends: (linux-image-6\.1\.[^ ,]+)/gm)].map(
    ([, name = '']) => name,
  );
  const [image = '', base = ''] = [...new Set(names)];
  const [oldImage, newImage] = await Promise.all(
    [base, image].map(async (name) => {
      const folder = await unpack(debian, name);
      const [path = ''] = globSync(join(folder, 'boot/vmlinuz-*'));
      return path;
    }),
  );
  return { id: 'kernel', what: `${base} to ${image}`, base: oldImage ?? '', image: newImage ?? '' };
}

/** The boot loader of a small computer: a jump of two years. */
async function bootloaderPair(debian: Debian): Promise<FirmwarePair> {
  const versions = await runProgram(['apt-cache', ...debian.apt, 'madison', 'u-boot-rpi']);
  const numbers = [...versions.matchAll(/\| *(\S+) *\|/g)].map(([, version = '']) => version);
  const [newest = '', oldest = ''] = [numbers[0], numbers.at(-1)];
  const paths = [];
  for (const version of [oldest, newest]) {
    const folder = await unpack(debian, `u-boot-rpi=${version}`);
    paths.push(globSync(join(folder, 'usr/lib/u-boot/rpi_4/u-boot.bin'))[0] ?? '');
  }
  const [base = '', image = ''] = paths;
  return { id: 'bootloader', what: `u-boot-rpi ${oldest} to ${newest}`, base, image };
}

async function unpack({ folder, apt }: Debian, name: string): Promise<string> {
  const cwd = join(folder, 'unpacked', name.replaceAll(/[^\w.+-]/g, '_'));
  mkdirSync(cwd, { recursive: true });
  await runProgram(['apt-get', ...apt, 'download', name], { cwd });
  const [archive = ''] = globSync(join(cwd, '*.deb'));
  await runProgram(['dpkg-deb', '-x', archive, cwd]);
  return cwd;
}

/** Two root file systems of a gigabyte are built by nobody in passing: they are named from outside. */
function rootFileSystemPair(): FoundPair {
  const id = 'rootfs';
  const [base = '', image = ''] = (process.env['BENCH_ROOTFS'] ?? '').split(':');
  if (!existsSync(base) || !existsSync(image)) {
    return { id, why: 'name two root file systems, not compressed: BENCH_ROOTFS=OLD:NEW' };
  }
  return { id, what: 'a root file system, not compressed', base, image };
}
