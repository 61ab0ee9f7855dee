import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { createFolderFetcher } from '../../src/offline/folder-fetcher.ts';
import { makeFolder } from '../support/folder.ts';

const ORIGIN = 'https://gateway.example.com';
const PIECES = [
  'repo',
  'director',
  'x',
  '..',
  '.',
  '%2e%2e',
  '%2F',
  '/',
  '\\',
  '%5C',
  '%00',
  'secret',
  '%',
  '?',
  '#',
];

describe('createFolderFetcher()', () => {
  it('serves nothing that lies outside its folder, whatever is asked', async (test) => {
    const outer = makeFolder(test);
    const folder = join(outer, 'stick');
    mkdirSync(join(folder, 'repo'), { recursive: true });
    mkdirSync(join(outer, 'repo'));
    for (const path of ['secret', 'repo/secret']) writeFileSync(join(outer, path), 'secret');
    writeFileSync(join(folder, 'secret'), 'secret');
    writeFileSync(join(folder, 'repo', 'x'), 'public');
    const fetcher = createFolderFetcher(folder, ORIGIN);
    const { signal } = new AbortController();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 4 })), {
          maxLength: 8,
        }),
        async (pieces) => {
          const url = `${ORIGIN}/${pieces.join('')}`;
          if (!URL.canParse(url)) return;
          const response = await fetcher.fetch({ method: 'GET', url, signal });
          let text = '';
          for await (const bytes of response.body) text += Buffer.from(bytes).toString();
          assert.ok(text === '' || text === 'public', url);
          assert.ok(response.status === 200 || response.status === 404, url);
        },
      ),
    );
  });
});
