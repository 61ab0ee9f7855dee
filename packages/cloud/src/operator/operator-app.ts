/** The type of the operator API's application, for those who add routes to it. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Caller } from './tokens.ts';

/** What the middleware leaves for the routes. */
export interface OperatorEnv {
  readonly Variables: {
    caller: Caller;
    /** Of the browser; undefined for tokens. */
    sessionId: string | undefined;
  };
}

/** The application. */
export type OperatorApp = OpenAPIHono<OperatorEnv>;
