/**
 * Writes the operator API's OpenAPI document to `docs/openapi.json`.
 *
 * Usage: node tools/openapi.ts [file]
 */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describeOperatorApi } from '@immota/api';

const file = process.argv[2] ?? resolve(import.meta.dirname, '../docs/openapi.json');
writeFileSync(file, `${JSON.stringify(describeOperatorApi(), null, 2)}\n`);
console.log(`Wrote ${file}`);
