#!/usr/bin/env node
// Starts the command on the Node that came with the packages when the caller's own is too old to
// run TypeScript as it stands.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
if (Number(process.versions.node.split('.')[0]) >= 26) {
  // Stripped sources are kept, so that a start takes a fraction of the first one's time.
  module.enableCompileCache(
    fileURLToPath(new URL('../../../node_modules/.cache/immota', import.meta.url)),
  );
  process.argv[1] = main;
  await import('../src/main.ts');
} else {
  const own = fileURLToPath(new URL('../../../node_modules/.bin/node', import.meta.url));
  if (!existsSync(own)) {
    process.stderr.write('immota needs Node 26: run "npm ci" in its folder, which brings it\n');
    process.exit(1);
  }
  const bin = fileURLToPath(import.meta.url);
  const { status, signal } = spawnSync(own, [bin, ...process.argv.slice(2)], { stdio: 'inherit' });
  if (signal !== null) process.kill(process.pid, signal);
  process.exit(status ?? 1);
}
