/** The same image by RAUC: a signed plain bundle, not encrypted, into a raw slot. */
import { truncateSync, writeFileSync } from 'node:fs';
import { link, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from '../run-program.ts';
import type { BenchImage } from './image.ts';
import { type Install, makeCertificate } from './swupdate.ts';

/** What it needs, by program. */
export const RAUC_NEEDS = {
  rauc: 'rauc',
  openssl: 'openssl',
  mksquashfs: 'squashfs-tools',
  'dbus-run-session': 'dbus-daemon',
  'dbus-send': 'dbus-bin',
} as const;

/**
 * Its service does the work and stays: what its CPU time grows by counts, in ticks of the kernel. What
 * the kernel's loop device does for it is not in it.
 */
const SCRIPT = `
export DBUS_STARTER_BUS_TYPE=session
rauc --conf="$PWD/system.conf" --override-boot-slot=A service >service.log 2>&1 &
service=$!
tries=0
owner="--session --dest=org.freedesktop.DBus --print-reply / org.freedesktop.DBus.GetNameOwner"
until dbus-send $owner string:de.pengutronix.rauc >/dev/null 2>&1; do
  tries=$((tries + 1)); [ $tries -gt 100 ] && exit 1; sleep 0.1
done
cut -d' ' -f14,15 /proc/$service/stat
rauc --conf=system.conf install "$PWD/bundle.raucb" >install.log 2>&1 || exit 1
cut -d' ' -f14,15 /proc/$service/stat
kill $service
`;

const SLOTS = ['A', 'B'] as const;

/** Builds the bundle. */
export async function prepareRauc(parent: string, image: BenchImage): Promise<Install> {
  const folder = join(parent, 'rauc');
  await mkdir(join(folder, 'content'), { recursive: true });
  await mkdir(join(folder, 'mount'));
  await link(image.plain, join(folder, 'content/image.img'));
  const manifest = '[update]\ncompatible=bench\nversion=1\n\n[image.rootfs]\nfilename=image.img\n';
  writeFileSync(join(folder, 'content/manifest.raucm'), manifest);
  const emptySlots = (): void => {
    for (const name of SLOTS) {
      const device = join(folder, `slot-${name}`);
      writeFileSync(device, '');
      truncateSync(device, image.lengthBytes);
    }
  };
  const slots = SLOTS.map((name, index) => {
    const device = join(folder, `slot-${name}`);
    return `[slot.rootfs.${index}]\ndevice=${device}\ntype=raw\nbootname=${name}\n`;
  });
  const system = [
    '[system]\ncompatible=bench\nbootloader=noop',
    `mountprefix=${join(folder, 'mount')}\nstatusfile=${join(folder, 'status')}\n`,
    '[keyring]\npath=cert.pem\n',
  ];
  writeFileSync(join(folder, 'system.conf'), [...system, ...slots].join('\n'));
  await makeCertificate(folder, []);
  const signer = ['--cert', 'cert.pem', '--key', 'key.pem'];
  await runProgram(['rauc', 'bundle', ...signer, 'content', 'bundle.raucb'], { cwd: folder });
  const tickMs = 1000 / Number(await runProgram(['getconf', 'CLK_TCK']));
  return async () => {
    emptySlots();
    const session = ['dbus-run-session', '--', 'sh', '-c', SCRIPT];
    const printed = await runProgram(session, { cwd: folder });
    const [before = 0, after = 0] = printed.trim().split('\n').map(sumOfTicks);
    return (after - before) * tickMs;
  };
}

function sumOfTicks(line: string): number {
  return line.split(' ').reduce((sum, ticks) => sum + Number(ticks), 0);
}
