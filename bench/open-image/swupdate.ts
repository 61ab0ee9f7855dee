/** The same image by SWUpdate: signed, AES-256-CBC, SHA-256, its rawfile handler. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { measureProgram, runProgram } from '../run-program.ts';
import type { BenchImage } from './image.ts';

/** What it needs, by program. */
export const SWUPDATE_NEEDS = { swupdate: 'swupdate', openssl: 'openssl', cpio: 'cpio' } as const;

/** An installation that can be repeated; gives its CPU milliseconds. */
export type Install = () => Promise<number>;

/** Builds the package. */
export async function prepareSwupdate(parent: string, image: BenchImage): Promise<Install> {
  const folder = join(parent, 'swupdate');
  await mkdir(folder);
  const run = (...command: string[]): Promise<string> => runProgram(command, { cwd: folder });
  const key = randomBytes(32).toString('hex');
  const vector = randomBytes(16).toString('hex');
  writeFileSync(join(folder, 'aes.key'), `${key} ${vector}\n`);
  const cipher = ['enc', '-aes-256-cbc', '-K', key, '-iv', vector];
  await run('openssl', ...cipher, '-in', image.plain, '-out', 'image.enc');
  const [sha256 = ''] = (await run('sha256sum', 'image.enc')).split(' ');
  writeFileSync(
    join(folder, 'sw-description'),
    `software = {
  version = "1.0";
  hardware-compatibility: [ "1.0" ];
  images: ( { filename = "image.enc"; type = "rawfile"; path = "${join(folder, 'written')}";
    encrypted = true; ivt = "${vector}"; sha256 = "${sha256}"; } );
};
`,
  );
  await makeCertificate(folder, ['-addext', 'extendedKeyUsage=emailProtection']);
  const sign = ['cms', '-sign', '-signer', 'cert.pem', '-inkey', 'key.pem', '-outform', 'DER'];
  const files = ['-in', 'sw-description', '-out', 'sw-description.sig'];
  await run('openssl', ...sign, '-nosmimecap', '-binary', ...files);
  const list = 'sw-description\\nsw-description.sig\\nimage.enc\\n';
  await run('sh', '-c', `printf '${list}' | cpio -o -H crc > image.swu`);
  const install = ['swupdate', '-i', 'image.swu', '-k', 'cert.pem', '-K', 'aes.key'];
  return async () => {
    // Each contender writes to a file without blocks: to write over what is cached costs less.
    await rm(join(folder, 'written'), { force: true });
    return await measureProgram([...install, '-H', 'bench:1.0'], { cwd: folder });
  };
}

/** Makes a key and a certificate of its own, as `key.pem` and `cert.pem`. */
export async function makeCertificate(folder: string, more: readonly string[]): Promise<void> {
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2'];
  const files = ['-keyout', 'key.pem', '-out', 'cert.pem', '-subj', '/CN=bench'];
  await runProgram(['openssl', ...request, ...files, ...more], { cwd: folder });
}
