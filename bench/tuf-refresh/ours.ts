/** One refresh and one lookup by our trust core, in a process of its own; prints its CPU milliseconds. */
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import {
  findTarget,
  metadataFileName,
  parseTargetName,
  RepositorySession,
  runWorkflow,
  TUF,
} from '@immota/uptane';

const [url = '', folder = '', targetName = ''] = process.argv.slice(2);
const before = process.cpuUsage();
const session = new RepositorySession({
  repository: 'image',
  dialect: TUF,
  now: Temporal.Now.instant(),
  pinnedRoot: readFileSync(join(folder, 'root.json')),
  chain: 'full',
  // As a plain TUF client does: custom fields belong to whoever wrote them.
  custom: 'opaque',
});
const perform: Parameters<typeof runWorkflow>[1] = async (step) => {
  if (step.kind === 'fetch') {
    return await get(`${url}/metadata/${metadataFileName(TUF, step.file)}`, step.lengthMaxBytes);
  }
  if (step.kind === 'save') writeFileSync(join(folder, `${step.role}.json`), step.metadata.bytes);
  return undefined;
};
const trust = await runWorkflow(session.refresh(), perform);
const query = { name: parseTargetName(targetName), hardwareIdentifiers: [] };
const found = await runWorkflow(findTarget(TUF, { session, trust }, query), perform);
if (found === undefined) throw new TypeError('the target was not found');
const { user, system } = process.cpuUsage(before);
process.stdout.write(`${(user + system) / 1000}\n`);

async function get(address: string, lengthMaxBytes: number): Promise<Uint8Array | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array | undefined>();
  request(address, (response) => {
    const parts: Buffer[] = [];
    let length = 0;
    response.on('data', (part: Buffer) => {
      length += part.length;
      if (length > lengthMaxBytes) reject(new RangeError('too long'));
      parts.push(part);
    });
    response.on('end', () => {
      resolve(response.statusCode === 200 ? Buffer.concat(parts) : undefined);
    });
    response.on('error', reject);
  })
    .on('error', reject)
    .end();
  return await promise;
}
