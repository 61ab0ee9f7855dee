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
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { type Browser, chromium, type Page } from 'playwright-core';

const run = promisify(execFile);
const bin = join(import.meta.dirname, '../../bin/immota.js');
const screens = join(import.meta.dirname, '../../../../reports/screens');
const folder = mkdtempSync(join(tmpdir(), 'immota-screens-'));
// The database may run as another user, who must be able to pass through.
chmodSync(folder, 0o711);
const data = join(folder, 'data');
const vehicle = join(folder, 'vehicle');
const VIN = 'SCREENVIN00000001';
const LINE_MS = 60_000;

/** Where the operators' API is, once the server runs. */
let operators = '';

/** Runs the command, as the machine's own administrator. */
async function immota(...args: readonly string[]): Promise<Record<string, unknown>> {
  return await immotaAs(undefined, ...args);
}

/** Runs the command as somebody with a token. */
async function immotaAs(
  token: string | undefined,
  ...args: readonly string[]
): Promise<Record<string, unknown>> {
  const asked = token === undefined ? [] : ['--server', operators];
  const all = [bin, '--json', '--data', data, ...asked, ...args];
  const env = { ...process.env, ...(token === undefined ? {} : { IMMOTA_TOKEN: token }) };
  const { stdout } = await run(process.execPath, all, { cwd: folder, timeout: 120_000, env });
  return stdout.trim() === '' ? {} : (JSON.parse(stdout) as Record<string, unknown>);
}

/** Two people agree that a release may go out, with a whole dossier {R156 7.1.2.5}. */
async function approveAndStart(releaseId: string, query: string): Promise<string> {
  const tokenOf = async (name: string, role: string): Promise<string> => {
    const token = String((await immota('token', 'create', name, '--role', role))['token']);
    await immotaAs(token, 'key', 'decision', '--out', `${name}.key`, '--register');
    return token;
  };
  const author = await tokenOf('ann', 'operator');
  const approver = await tokenOf('bob', 'approver');
  writeFileSync(join(folder, 'report.txt'), 'passed');
  const yes = ['--answer', 'yes', '--evidence', 'report.txt'];
  for (const item of 'abcdefghi') {
    const answer = 'cdef'.includes(item) ? ['--answer', 'no'] : [];
    const rest = item === 'h' || item === 'i' ? yes : answer;
    await immota('dossier', 'write', releaseId, item, '--text', `about ${item}`, ...rest);
  }
  const chosen = ['--release', releaseId, '--query', query];
  const made = await immotaAs(author, 'campaign', 'create', 'brakes', ...chosen);
  const campaignId = String(made['campaignId']);
  await immotaAs(author, 'campaign', 'submit', campaignId, '--key', 'ann.key');
  await immotaAs(approver, 'campaign', 'approve', campaignId, '--key', 'bob.key');
  await immotaAs(author, 'campaign', 'start', campaignId);
  return campaignId;
}

/** A command as a process of its own, whose lines a test waits for. */
class Running {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(...args: readonly string[]) {
    const all = [bin, '--data', data, ...args];
    this.#child = spawn(process.execPath, all, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      assert.ok(stream !== null);
      createInterface(stream).on('line', (line) => {
        this.#lines.push(line);
        for (const look of this.#waiting) look();
      });
    }
  }

  /** Waits for a line, from the beginning on. */
  async line(wanted: RegExp): Promise<RegExpExecArray> {
    const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>();
    const look = (): void => {
      for (const line of this.#lines.toReversed()) {
        const found = wanted.exec(line);
        if (found !== null) resolve(found);
      }
    };
    const late = setTimeout(() => {
      reject(new assert.AssertionError({ message: `no ${wanted} in:\n${this.#lines.join('\n')}` }));
    }, LINE_MS);
    this.#waiting.add(look);
    look();
    try {
      return await promise;
    } finally {
      clearTimeout(late);
      this.#waiting.delete(look);
    }
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill(signal);
    await ended;
  }
}

const NOTICE = {
  title: { en: 'Better brakes', de: 'Bessere Bremsen' },
  description: { en: 'The brakes answer sooner.', de: 'Die Bremsen sprechen früher an.' },
  purpose: { kind: 'safety' },
  changes: { en: ['A shorter way to a standstill.'], de: ['Ein kürzerer Bremsweg.'] },
  unusableSeconds: 30,
  unavailableTexts: { en: ['Driving.'], de: ['Fahren.'] },
  instructions: { en: ['Doors keep working.'], de: ['Die Türen funktionieren weiter.'] },
  manual: { en: [{ title: 'Brakes', where: 'page 61' }] },
  postpone: { times: 2 },
};

function findChromium(): string {
  const found = (process.env['PATH'] ?? '')
    .split(delimiter)
    .flatMap((one) =>
      ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(one, name)),
    )
    .find((path) => existsSync(path));
  assert.ok(found !== undefined, 'this test needs a chromium on PATH');
  return found;
}

/** Has the vehicle's sensors say how fast it goes. */
function drive(speed: number): void {
  const file = join(vehicle, 'signals.json');
  const signals = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  writeFileSync(file, JSON.stringify({ ...signals, 'Vehicle.Speed': speed }));
}

describe('immota vehicle run --hmi', () => {
  let browser: Browser;
  let page: Page;
  let server: Running;
  let car: Running;
  const picture = async (name: string): Promise<void> => {
    mkdirSync(screens, { recursive: true });
    await page.screenshot({
      path: join(screens, `owner-real-${name}.png`),
      animations: 'disabled',
    });
  };
  const startCar = async (): Promise<string> => {
    car = new Running('vehicle', 'run', vehicle, '--poll-seconds', '2', '--hmi');
    const [, url = ''] = await car.line(/(http:\/\/127\.0\.0\.1:\d+\/#\S+)/u);
    return url;
  };

  before(async () => {
    await immota('init');
    const ports = ['--port', '0', '--operator-port', '0', '--wake-port', '0', '--status-port', '0'];
    server = new Running('--json', 'serve', '--no-console', '--host', '127.0.0.1', ...ports);
    const [, gateway = ''] = await server.line(/"gateway":"([^"]+)"/u);
    [, operators = ''] = await server.line(/"operator":"([^"]+)"/u);
    const ecus = ['brake:brake-hw', 'door:door-hw:partial'];
    await immota('vehicle', 'make', VIN, '--out', vehicle, '--gateway', gateway, '--ecu', ...ecus);
    await immota('vehicle', 'run', vehicle, '--once', '--consent', 'always');
    const image = join(folder, 'brake-2.bin');
    writeFileSync(image, Buffer.alloc(100_000, 2));
    const facts = ['--hardware', 'brake-hw', '--version', '2', '--counter', '2', '--encrypt'];
    await immota('image', 'upload', image, '--name', 'brake-2.bin', ...facts);
    await immota('image', 'sign');
    browser = await chromium.launch({ executablePath: findChromium(), args: ['--no-sandbox'] });
    page = await browser.newPage({ viewport: { width: 1280, height: 720 }, locale: 'en' });
  });
  after(async () => {
    await browser.close();
    await car.stop();
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  it('carries an update from the notice to the history, with a receipt for each step', async () => {
    await page.goto(await startCar());
    await page.getByRole('heading', { name: 'Your vehicle is up to date' }).waitFor();
    const release = join(folder, 'release.json');
    writeFileSync(
      release,
      JSON.stringify({
        _type: 'Release',
        name: 'brakes',
        version: '2',
        images: [{ hardwareId: 'brake-hw', name: 'brake-2.bin', installsOver: 'any' }],
        goal: { 'brake-hw': 'brake-2.bin' },
        ...NOTICE,
      }),
    );
    const { releaseId } = await immota('release', 'create', release, '--sign');
    const query = `vehicle.id == "${VIN}"`;
    const campaignId = await approveAndStart(String(releaseId), query);

    await page.getByRole('heading', { name: 'Better brakes' }).waitFor();
    await page.getByText('May the vehicle download this update?').waitFor();
    await picture('1-download');
    // Never while driving.
    drive(30);
    await page.getByRole('heading', { name: 'Have a good trip' }).waitFor();
    drive(0);
    await page.getByRole('button', { name: 'Yes, download' }).click();
    await page.getByText('May the vehicle install this update?').waitFor();
    await picture('2-install');
    await page.getByRole('button', { name: 'Yes, install now' }).click();
    await page.getByText('May the vehicle restart with this update?').waitFor();
    await picture('3-restart');
    // Whoever has answered is not asked twice: the T-BOX is killed and starts anew.
    await car.stop('SIGKILL');
    await page.goto(await startCar());
    await page.getByText('May the vehicle restart with this update?').waitFor({ timeout: 60_000 });
    await page.getByRole('button', { name: 'Yes, restart now' }).click();
    await page
      .getByRole('heading', { name: 'The update is installed' })
      .waitFor({ timeout: 60_000 });
    await picture('4-result');
    await page.getByText('Brakes, page 61').waitFor();
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('heading', { name: 'Your vehicle is up to date' }).waitFor();
    await page.getByRole('link', { name: 'History' }).click();
    await page.getByText('Restart: yes').waitFor();
    await picture('5-history');
    for (const step of ['Download: yes', 'Installation: yes']) {
      assert.equal(await page.getByText(step).count(), 1, step);
    }
    await car.line(/consent to activate: accepted/u);
    const { counts } = await immota('campaign', 'show', campaignId);
    assert.deepEqual(counts, { updated: 1 });
  });
});
