import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const bin = join(import.meta.dirname, '../../bin/immota.js');
const folder = mkdtempSync(join(tmpdir(), 'immota-decisions-'));
// The database may run as another user, who must be able to pass through.
chmodSync(folder, 0o711);
const data = join(folder, 'data');

interface Answer {
  readonly status: number;
  readonly json: Record<string, unknown>;
  readonly text: string;
}

let server: ChildProcess;
let url = '';

/** Runs the command, as the machine's own administrator or as somebody with a token. */
async function immota(args: readonly string[], token?: string): Promise<Answer> {
  const asked = token === undefined ? [] : ['--server', url];
  const all = [bin, '--json', '--data', data, ...asked, ...args];
  const env = { ...process.env, ...(token === undefined ? {} : { IMMOTA_TOKEN: token }) };
  const options = { cwd: folder, timeout: 120_000, env };
  try {
    const { stdout } = await run(process.execPath, all, options);
    return { status: 0, json: parse(stdout), text: stdout };
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error && 'stdout' in error);
    const text = String(error.stdout);
    return { status: Number(error.code), json: parse(text), text };
  }
}

function parse(text: string): Record<string, unknown> {
  return text.trim() === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}

async function makeToken(name: string, role: string): Promise<string> {
  return String((await immota(['token', 'create', name, '--role', role])).json['token']);
}

before(async () => {
  assert.equal((await immota(['init'])).status, 0);
  const ports = ['--port', '0', '--operator-port', '0', '--wake-port', '0', '--status-port', '0'];
  const where = ['--host', '127.0.0.1', '--no-console', ...ports];
  const args = [bin, '--json', '--data', data, 'serve', ...where];
  server = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  assert.ok(server.stdout);
  const [line] = (await once(createInterface(server.stdout), 'line')) as [string];
  url = String(parse(line)['operator']);
});
after(async () => {
  const ended = once(server, 'exit');
  server.kill('SIGTERM');
  await ended;
  rmSync(folder, { recursive: true });
});

describe('immota campaign submit and approve', () => {
  it('need two people and a whole dossier, and leave evidence that anybody can verify', async () => {
    const [ann, bob] = [await makeToken('ann', 'operator'), await makeToken('bob', 'approver')];
    const campaignId = await prepare(ann);
    for (const [name, own] of [
      ['ann', ann],
      ['bob', bob],
    ] as const) {
      const made = await immota(['key', 'decision', '--out', `${name}.key`, '--register'], own);
      assert.equal(made.json['isRegistered'], true);
      assert.equal(statSync(join(folder, `${name}.key`)).mode & 0o777, 0o600);
    }
    const again = await immota(['key', 'decision', '--out', 'ann.key']);
    assert.equal(again.json['code'], 'FILE');
    const early = await immota(['campaign', 'start', campaignId], ann);
    assert.match(early.text, /APPROVAL_MISSING/);
    const submit = ['campaign', 'submit', campaignId, '--key'];
    assert.match((await immota([...submit, 'ann.key'], ann)).text, /DOSSIER_INCOMPLETE/);
    await fillDossier(await releaseOf(campaignId));
    assert.match((await immota([...submit, 'bob.key'], ann)).text, /SIGNATURE_KEY_FOREIGN/);
    assert.equal((await immota([...submit, 'ann.key'], ann)).status, 0);
    const approve = ['campaign', 'approve', campaignId, '--key'];
    const other = ['--content', 'a'.repeat(64)];
    assert.equal((await immota([...approve, 'bob.key', ...other], bob)).json['code'], 'USAGE');
    const approved = await immota([...approve, 'bob.key', '--note', 'go'], bob);
    assert.equal((approved.json['approval'] as Record<string, unknown>)['state'], 'approved');
    assert.equal((await immota(['campaign', 'start', campaignId], ann)).json['state'], 'running');
    await checkEvidence(campaignId);
  });

  it('refuse a key that others may read, and one that was changed', async () => {
    const file = join(folder, 'ann.key');
    const args = ['campaign', 'submit', 'none', '--key', file];
    const text = readFileSync(file, 'utf8');
    chmodSync(file, 0o644);
    assert.equal((await immota(args)).json['code'], 'FILE');
    chmodSync(file, 0o600);
    writeFileSync(file, text.replace(/"keyId": "./, '"keyId": "x'));
    assert.equal((await immota(args)).json['code'], 'FILE');
    writeFileSync(file, text);
    assert.equal((await immota(args)).json['code'], 'SERVER');
  });
});

/** Image, release and campaign. */
async function prepare(ann: string): Promise<string> {
  writeFileSync(join(folder, 'brake-2.bin'), Buffer.alloc(1000, 2));
  const facts = ['--name', 'brake-2.bin', '--hardware', 'brake-hw', '--version', '2'];
  await immota(['image', 'upload', 'brake-2.bin', ...facts, '--counter', '2']);
  assert.equal((await immota(['image', 'sign'])).status, 0);
  const release = {
    _type: 'Release',
    name: 'brakes',
    version: '2',
    images: [{ hardwareId: 'brake-hw', name: 'brake-2.bin', installsOver: 'any' }],
    goal: { 'brake-hw': 'brake-2.bin' },
    rxswins: [{ regulation: 'R13', hardwareId: 'brake-hw', rxswin: 'R13 2', before: 'R13 1' }],
  };
  writeFileSync(join(folder, 'release.json'), JSON.stringify(release));
  const { json } = await immota(['release', 'create', 'release.json', '--sign']);
  const parts = ['--release', String(json['releaseId']), '--query', 'true'];
  const campaign = await immota(['campaign', 'create', 'brakes', ...parts], ann);
  return String(campaign.json['campaignId']);
}

async function releaseOf(campaignId: string): Promise<string> {
  return String((await immota(['campaign', 'show', campaignId])).json['releaseId']);
}

async function fillDossier(releaseId: string): Promise<void> {
  writeFileSync(join(folder, 'report.pdf'), 'passed');
  const evidence = ['--evidence', 'report.pdf'];
  const items: Readonly<Record<string, readonly string[]>> = {
    a: [],
    b: [],
    c: ['--answer', 'yes'],
    d: ['--answer', 'no'],
    e: ['--answer', 'yes'],
    f: ['--answer', 'yes', '--approval', 'E1*13*1'],
    g: [],
    h: ['--answer', 'yes', ...evidence],
    i: ['--answer', 'yes', ...evidence],
  };
  let last: Answer | undefined;
  for (const [item, rest] of Object.entries(items)) {
    last = await immota(['dossier', 'write', releaseId, item, '--text', `about ${item}`, ...rest]);
  }
  assert.equal(last?.json['isComplete'], true);
  const register = await immota(['release', 'rxswins']);
  assert.match(register.text, /E1\*13\*1/);
  const solved = await immota(['release', 'solve', releaseId, '--vehicle', 'nobody']);
  assert.match(solved.text, /NOT_FOUND/);
}

async function checkEvidence(campaignId: string): Promise<void> {
  await immota(['evidence', 'key', '--out', 'events.pub.json']);
  const out = ['--out', 'campaign.ndjson'];
  assert.equal((await immota(['evidence', 'export', campaignId, ...out])).status, 0);
  const verify = ['evidence', 'verify', 'campaign.ndjson', '--trust', 'events.pub.json'];
  const report = await immota(verify);
  assert.deepEqual([report.status, report.json['isApproved']], [0, true], report.text);
  const file = join(folder, 'campaign.ndjson');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace('"ann"', '"eve"'));
  const touched = await immota(verify);
  assert.deepEqual([touched.status, touched.json['code']], [1, 'EVIDENCE_LINE']);
  writeFileSync(file, text);
}
