/** Refusals, as the console shows them: always a code, always a sentence. */
import { type Problem, problemSchema } from '@immota/api';

/** What kept the console from an answer. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problem: Problem;

  /** @param refusal - as the cloud said it, or as the console found it. */
  constructor(refusal: Problem) {
    super(refusal.detail ?? refusal.title);
    this.problem = refusal;
  }
}

/**
 * Reads a refusal.
 *
 * @param status - the HTTP status.
 * @param body - what came, parsed as JSON, or undefined.
 */
export function readProblem(status: number, body: unknown): ProblemError {
  const parsed = problemSchema.safeParse(body);
  if (parsed.success) return new ProblemError(parsed.data);
  return localProblem(status < 400 ? 502 : status, 'UNEXPECTED_ANSWER', `HTTP ${status}`);
}

/** Makes a refusal of what the console itself noticed. */
export function localProblem(status: number, code: string, detail: string): ProblemError {
  return new ProblemError({
    type: `urn:immota:console:${code}`,
    title: code,
    status,
    code,
    detail,
  });
}

/** Tells what kept the console from an answer, whatever was thrown. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  const detail = error instanceof Error ? error.message : String(error);
  return localProblem(500, 'CONSOLE_FAULT', detail).problem;
}
