import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const bin = join(import.meta.dirname, '../../bin/immota.js');
const folder = mkdtempSync(join(tmpdir(), 'immota-cli-'));
// The database may run as another user, who must be able to pass through.
chmodSync(folder, 0o711);
const data = join(folder, 'data');
const vehicle = join(folder, 'vehicle');
const VIN = 'TESTVIN0000000001';

interface Answer {
  readonly status: number;
  readonly json: Record<string, unknown>;
  readonly stderr: string;
}

async function immota(...args: readonly string[]): Promise<Answer> {
  const all = [bin, '--json', '--data', data, ...args];
  try {
    const { stdout, stderr } = await run(process.execPath, all, { cwd: folder, timeout: 120_000 });
    return { status: 0, json: parse(stdout), stderr };
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error && 'stdout' in error && 'stderr' in error);
    return {
      status: Number(error.code),
      json: parse(String(error.stdout)),
      stderr: String(error.stderr),
    };
  }
}

function parse(text: string): Record<string, unknown> {
  return text.trim() === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}

/** A server as a process of its own; its first line says where it is. */
async function startServer(): Promise<{
  readonly child: ChildProcess;
  readonly urls: Record<string, string>;
}> {
  const ports = ['--port', '0', '--operator-port', '0', '--wake-port', '0', '--status-port', '0'];
  const args = [
    bin,
    '--json',
    '--data',
    data,
    'serve',
    '--host',
    '127.0.0.1',
    ...ports,
    '--approvals',
    'self',
    '--no-console',
  ];
  const child = spawn(process.execPath, args, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  assert.ok(child.stdout);
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { child, urls: JSON.parse(line) as Record<string, string> };
}

async function stop(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

describe('immota', () => {
  let server: Awaited<ReturnType<typeof startServer>>;
  before(async () => {
    const initialised = await immota('init');
    assert.equal(initialised.status, 0, initialised.stderr);
    server = await startServer();
    const made = await immota(
      'vehicle',
      'make',
      VIN,
      '--out',
      vehicle,
      '--gateway',
      server.urls['gateway'] ?? '',
      '--ecu',
      'brake:brake-hw',
      'door:door-hw:partial',
    );
    assert.equal(made.status, 0);
  });
  after(async () => {
    await stop(server.child, 'SIGTERM');
    rmSync(folder, { recursive: true });
  });

  it('shows help for every command', async () => {
    const { stdout } = await run(process.execPath, [bin, '--help']);
    for (const name of ['init', 'serve', 'key', 'pki', 'image', 'release', 'campaign', 'vehicle']) {
      assert.match(stdout, new RegExp(`^  ${name} `, 'm'));
      const help = await run(process.execPath, [bin, name, '--help']);
      assert.match(help.stdout, /Usage: immota/);
    }
  });
  it('refuses to make a deployment where there is one', async () => {
    const again = await immota('init');
    assert.equal(again.status, 1);
    assert.equal(again.json['code'], 'DATA_FOLDER');
  });
  it('says what to do when a file or a server is missing', async () => {
    const missing = await immota('key', 'sign', 'nothing.json', '--key', 'x', '--out', 'y');
    assert.equal(missing.json['code'], 'ENOENT');
    const { stderr } = await run(process.execPath, [
      bin,
      '--data',
      join(folder, 'none'),
      'campaign',
      'list',
    ]).catch((error: unknown) => error as { readonly stderr: string });
    assert.match(stderr, /start it with immota serve/);
  });
  it('refuses an unknown option with status 1 and the way to help', async () => {
    const { stderr } = await run(process.execPath, [bin, 'status', '--nonsense']).catch(
      (error: unknown) => error as { readonly stderr: string },
    );
    assert.match(stderr, /immota --help/);
  });
  it('brings a signed release to every ECU, through a killed server, and says so', async () => {
    const image = join(folder, 'brake-2.bin');
    writeFileSync(image, Buffer.alloc(100_000, 2));
    const facts = ['--version', '2', '--counter', '2', '--encrypt'];
    const upload = ['image', 'upload', image, '--name', 'brake-2.bin', '--hardware', 'brake-hw'];
    assert.equal((await immota(...upload, ...facts)).json['isSigned'], false);
    assert.equal((await immota('image', 'sign')).status, 0);
    const release = join(folder, 'release.json');
    writeFileSync(
      release,
      JSON.stringify({
        _type: 'Release',
        name: 'brakes',
        version: '2',
        images: [{ hardwareId: 'brake-hw', name: 'brake-2.bin', installsOver: 'any' }],
        goal: { 'brake-hw': 'brake-2.bin' },
      }),
    );
    const first = await immota('vehicle', 'run', vehicle, '--once', '--consent', 'always');
    assert.deepEqual([first.status, first.json['code']], [0, undefined]);
    const { json: created } = await immota('release', 'create', release, '--sign');
    const campaign = await immota(
      'campaign',
      'create',
      'brakes',
      '--release',
      String(created['releaseId']),
      '--query',
      `vehicle.id == "${VIN}"`,
    );
    const id = String(campaign.json['campaignId']);
    assert.deepEqual((await immota('campaign', 'start', id)).json['counts'], { targeted: 1 });
    const why = (await immota('status', VIN)).json['whyNot'] as readonly Record<string, unknown>[];
    assert.equal(why[0]?.['reason'], 'NOT_SEEN');
    await stop(server.child, 'SIGKILL');
    server = await startServer();
    const config = join(vehicle, 'tbox/config.json');
    const moved = { ...parse(readFileSync(config, 'utf8')), server: server.urls['gateway'] };
    writeFileSync(config, JSON.stringify(moved));
    const ran = await immota('vehicle', 'run', vehicle, '--once', '--consent', 'always');
    assert.deepEqual(ran.json, [{ ecu: `${VIN}-tbox`, outcome: 'installed' }]);
    assert.deepEqual((await immota('campaign', 'show', id)).json['counts'], { updated: 1 });
    const status = (await immota('status', VIN)).json['vehicle'] as Record<string, unknown>;
    const ecus = status['ecus'] as readonly {
      readonly ecuId: string;
      readonly installed?: { readonly name: string };
    }[];
    const brake = ecus.find((ecu) => ecu.ecuId === `${VIN}-brake`);
    assert.equal(brake?.installed?.name, 'brake-2.bin');
  });
  it('stops for a technician whom a release asks for, and goes on with their word alone {R156 7.1.4.2}', async () => {
    const image = join(folder, 'brake-3.bin');
    writeFileSync(image, Buffer.alloc(50_000, 3));
    const facts = ['--name', 'brake-3.bin', '--hardware', 'brake-hw', '--version', '3'];
    await immota('image', 'upload', image, ...facts, '--counter', '3', '--encrypt');
    assert.equal((await immota('image', 'sign')).status, 0);
    const release = join(folder, 'release-3.json');
    const task = { en: 'Bleed the brakes' };
    writeFileSync(
      release,
      JSON.stringify({
        _type: 'Release',
        name: 'brakes',
        version: '3',
        images: [{ hardwareId: 'brake-hw', name: 'brake-3.bin', installsOver: 'any' }],
        goal: { 'brake-hw': 'brake-3.bin' },
        technician: [{ hardwareId: 'brake-hw', step: 'commit', task }],
      }),
    );
    const { json: created } = await immota('release', 'create', release, '--sign');
    const query = ['--release', String(created['releaseId']), '--query', 'true'];
    const { json: campaign } = await immota('campaign', 'create', 'gated', ...query);
    await immota('campaign', 'start', String(campaign['campaignId']));
    const live = async (): Promise<unknown> =>
      (await immota('vehicle', 'run', vehicle, '--once', '--consent', 'always')).json;
    const idle = await immota('vehicle', 'approve', vehicle);
    assert.equal(idle.json['code'], 'USAGE');
    const waiting = [{ ecu: `${VIN}-tbox`, outcome: 'waiting' }];
    assert.deepEqual(await live(), waiting);
    const { json: status } = await immota('status', VIN);
    const why = status['whyNot'] as readonly Record<string, unknown>[];
    assert.equal(why[0]?.['reason'], 'AWAITING_TECHNICIAN');
    const { json: shown } = await immota('vehicle', 'approve', vehicle);
    const first = shown['stop'] as Record<string, unknown>;
    assert.deepEqual([first['step'], first['tasks']], ['activate', [task]]);
    const [ann, eve] = [join(folder, 'ann'), join(folder, 'eve')];
    assert.equal((await immota('pki', 'issue-technician', 'ann-17', '--out', ann)).status, 0);
    const elsewhere = join(folder, 'elsewhere');
    mkdirSync(elsewhere);
    const foreign = ['--data', elsewhere, 'pki', 'issue-technician', 'ann-17', '--out', eve];
    assert.equal((await immota(...foreign)).status, 0);
    const approve = async (who: string, ...more: readonly string[]): Promise<Answer> =>
      await immota('vehicle', 'approve', vehicle, '--credential', who, '--wait', '0', ...more);
    assert.equal((await approve(ann, '--work', '00000000')).json['code'], 'USAGE');
    assert.equal((await approve(eve)).json['code'], 'HANDED_IN');
    assert.deepEqual(await live(), waiting);
    const answer = readFileSync(join(vehicle, 'tbox/technician/answer.json'), 'utf8');
    assert.equal(parse(answer)['code'], 'APPROVAL_UNTRUSTED');
    await approve(ann, '--work', String(shown['work']).slice(0, 12));
    assert.deepEqual(await live(), waiting);
    const { json: next } = await immota('vehicle', 'approve', vehicle);
    assert.equal((next['stop'] as Record<string, unknown>)['step'], 'commit');
    await approve(ann);
    assert.deepEqual(await live(), [{ ecu: `${VIN}-tbox`, outcome: 'installed' }]);
  });
  it('writes the repositories as files', async () => {
    const tree = join(folder, 'cdn');
    assert.equal((await immota('publish', tree)).status, 0);
    assert.ok(existsSync(join(tree, 'current/repo/timestamp.json')));
    assert.ok(existsSync(join(tree, 'current/tuf/timestamp.json')));
  });
  it('revokes a vehicle’s certificate, which then gets nothing', async () => {
    const list = await immota('pki', 'list', '--vehicle', VIN);
    const [certificate] = list.json as unknown as readonly Record<string, unknown>[];
    assert.equal((await immota('pki', 'revoke', String(certificate?.['serial']))).status, 0);
    const ran = await immota('vehicle', 'run', vehicle, '--once', '--consent', 'always');
    assert.notDeepEqual(ran.json, [{ ecu: `${VIN}-tbox`, outcome: 'nothing-new' }]);
  });
});
