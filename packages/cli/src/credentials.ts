/** What `immota login` leaves in the person's own configuration: a token for each server. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { isJsonObject, type JsonObject, member, parseJson } from '@immota/base';

const FILE_MAX_BYTES = 65_536;

/** Finds the token for a server. */
export function findCredential(server: string): string | undefined {
  const token = member(readAll(), new URL(server).origin);
  return typeof token === 'string' ? token : undefined;
}

/** Keeps a token for a server; nobody else on the machine reads it. */
export function saveCredential(server: string, token: string): string {
  const path = pathOf();
  const all = { ...readAll(), [new URL(server).origin]: token };
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(`${path}.tmp`, `${JSON.stringify(all)}\n`, { mode: 0o600 });
  renameSync(`${path}.tmp`, path);
  return path;
}

function readAll(): JsonObject {
  try {
    const value = parseJson(readFileSync(pathOf()), FILE_MAX_BYTES);
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}

function pathOf(): string {
  const base = process.env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config');
  return join(base, 'immota', 'credentials.json');
}
