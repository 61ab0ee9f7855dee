import { parseJson, InputFault } from '@immota/base';
import type { z } from 'zod';
import { CloudFault } from '../fault.ts';

/**
 * Reads a JSON body into a known shape.
 *
 * @throws CloudFault REQUEST_MALFORMED.
 */
export function parseBody<Value>(schema: z.ZodType<Value>, body: Uint8Array): Value {
  try {
    const parsed = schema.safeParse(parseJson(body, body.length));
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    throw malformed(`${issue?.path.join('.') ?? ''}: ${issue?.code ?? 'another shape'}`);
  } catch (error) {
    if (error instanceof InputFault) throw malformed('no JSON', error);
    throw error;
  }
}

function malformed(why: string, cause?: unknown): CloudFault {
  return new CloudFault('REQUEST_MALFORMED', `Cannot read request: ${why}`, { cause });
}
