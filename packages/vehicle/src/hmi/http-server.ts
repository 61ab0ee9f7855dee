/** The screens' server: on the loopback of the vehicle, with nothing that a page does not need. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { problem, PROBLEM_MEDIA_TYPE } from '@immota/api';
import { Fault, type JsonObject, type JsonValue } from '@immota/base';
import { type Language, nearestLanguage } from '../consent/words/words.ts';
import type { Timer } from '../ports.ts';
import {
  type ActionContext,
  dismiss,
  inviteOther,
  parseCode,
  reconsider,
  takeAnswer,
} from './desk-actions.ts';
import {
  checkHost,
  checkSamePage,
  cookieOf,
  findToken,
  readBody,
  SECURITY_HEADERS,
} from './guard.ts';
import { HmiFault } from './hmi-fault.ts';
import {
  CONNECTIONS_MAX,
  HEADERS_MAX_BYTES,
  PAIRINGS_PER_MINUTE,
  REQUESTS_PER_MINUTE,
  SESSION_MAX_AGE_HOURS,
} from './limits.ts';
import { loadPage, type PageFile } from './page-files.ts';
import { RateLimiter } from './rate-limiter.ts';
import type { Session } from './sessions.ts';
import type { Streams } from './streams.ts';
import { screenWords } from './words/words.ts';

const LOOPBACK = '127.0.0.1';
const REQUEST_TIMEOUT_MS = 10_000;

/** What the server stands on. */
export interface HmiServerOptions {
  readonly actions: ActionContext;
  readonly streams: Streams;
  readonly timer: Timer;
  /** The vehicle's own language, where a browser says nothing. */
  readonly locale: string;
  draw(this: void, language: Language, session: Session): JsonValue;
  drawHistory(this: void, language: Language): JsonValue;
  /** Hears that somebody has connected, so that another code can be shown. */
  onPaired(this: void): void;
  onRefusal(this: void, fault: Fault<string>): void;
  onChange(this: void): void;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly language: Language;
}

type Handler = (exchange: Exchange) => void | Promise<void>;

/** See the head of the file. */
export class HmiServer {
  readonly #options: HmiServerOptions;
  readonly #page: ReadonlyMap<string, PageFile> = loadPage();
  readonly #server: Server;
  readonly #pairings: RateLimiter;
  readonly #requests: RateLimiter;
  readonly #handlers: ReadonlyMap<string, Handler>;
  #port = 0;

  constructor(options: HmiServerOptions) {
    this.#options = options;
    this.#pairings = new RateLimiter(options.timer, PAIRINGS_PER_MINUTE);
    this.#requests = new RateLimiter(options.timer, REQUESTS_PER_MINUTE);
    this.#handlers = this.#route();
    const limits = {
      maxHeaderSize: HEADERS_MAX_BYTES,
      headersTimeout: REQUEST_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
    };
    this.#server = createServer(limits, (request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  get port(): number {
    return this.#port;
  }

  /** Begins to listen; port 0 takes a free one. */
  async listen(port: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    this.#server.listen(port, LOOPBACK, resolve);
    await promise;
    const address = this.#server.address();
    this.#port = typeof address === 'object' && address !== null ? address.port : port;
  }

  async close(): Promise<void> {
    this.#options.streams.close();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#server.closeAllConnections();
    await promise;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
    response.setHeader('cache-control', 'no-store');
    try {
      checkHost(request, this.#port);
      this.#requests.take();
      await this.#answer(request, response);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.#refuse(response, error);
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', `http://${LOOPBACK}`);
    const file = this.#page.get(url.pathname);
    if (file !== undefined) {
      if (request.method !== 'GET' && request.method !== 'HEAD') throw wrongMethod();
      response.writeHead(200, { 'content-type': file.type });
      response.end(request.method === 'HEAD' ? undefined : file.bytes);
      return;
    }
    const handler = this.#handlers.get(`${request.method ?? ''} ${url.pathname}`);
    if (handler === undefined) {
      const isKnown = [...this.#handlers.keys()].some((key) => key.endsWith(` ${url.pathname}`));
      throw isKnown
        ? wrongMethod()
        : new HmiFault('NOT_FOUND', 'Cannot find page: nothing is here');
    }
    // What changes something comes from our own page, whoever carries the cookie.
    if (request.method === 'POST') checkSamePage(request);
    const locale = url.searchParams.get('locale') ?? this.#localeOf(request);
    await handler({ request, response, language: nearestLanguage(locale) });
  }

  #route(): ReadonlyMap<string, Handler> {
    const { actions, draw, drawHistory, onChange } = this.#options;
    const changing =
      (act: (session: Session, body: JsonObject) => JsonValue | void): Handler =>
      async ({ request, response }) => {
        const session = this.#session(request);
        const answer = act(session, await readBody(request));
        // What has nothing to tell says that it was done.
        sendJson(response, answer ?? {});
        onChange();
      };
    return new Map<string, Handler>([
      ['POST /api/pair', (exchange) => this.#pair(exchange)],
      ['GET /api/words', ({ response, language }) => sendJson(response, wordsOf(language))],
      [
        'GET /api/view',
        ({ request, response, language }) =>
          sendJson(response, draw(language, this.#session(request))),
      ],
      ['GET /api/events', (exchange) => this.#stream(exchange)],
      [
        'GET /api/history',
        ({ request, response, language }) => {
          this.#session(request);
          sendJson(response, drawHistory(language));
        },
      ],
      [
        'POST /api/answer',
        changing((session, body) => {
          takeAnswer(actions, session, body);
        }),
      ],
      [
        'POST /api/reconsider',
        changing((session, body) => {
          reconsider(actions, session, body);
        }),
      ],
      [
        'POST /api/dismiss',
        changing((_, body) => {
          dismiss(actions, body);
        }),
      ],
      [
        'POST /api/invite',
        changing((session, body) => ({ code: inviteOther(actions, session, body) })),
      ],
      [
        'POST /api/sign-out',
        changing((session) => {
          actions.sessions.end(session);
        }),
      ],
    ]);
  }

  async #pair({ request, response }: Exchange): Promise<void> {
    this.#pairings.take();
    const code = parseCode(await readBody(request));
    const { token, role } = this.#options.actions.sessions.pair(code);
    response.setHeader('set-cookie', cookieOf(token, SESSION_MAX_AGE_HOURS * 3600));
    sendJson(response, { role });
    this.#options.onPaired();
  }

  #stream({ request, response, language }: Exchange): void {
    const { streams, draw } = this.#options;
    this.#session(request);
    streams.open(response, () => {
      try {
        return JSON.stringify(draw(language, this.#session(request)));
      } catch (error) {
        if (error instanceof HmiFault) return undefined;
        throw error;
      }
    });
  }

  #session(request: IncomingMessage): Session {
    return this.#options.actions.sessions.require(findToken(request));
  }

  #localeOf({ headers }: IncomingMessage): string {
    return headers['accept-language']?.split(',')[0]?.trim() ?? this.#options.locale;
  }

  #refuse(response: ServerResponse, fault: Fault<string>): void {
    // A screen that was not connected yet is no news.
    if (fault.code !== 'SESSION' && fault.code !== 'NOT_FOUND') this.#options.onRefusal(fault);
    const status = STATUS.get(fault.code) ?? 409;
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const more = status === 429 ? { 'retry-after': '60' } : {};
    // Whatever is left of the request is not read.
    response.writeHead(status, {
      'content-type': PROBLEM_MEDIA_TYPE,
      connection: 'close',
      ...more,
    });
    response.end(JSON.stringify(problem(status, fault.code, fault.message)));
  }
}

const STATUS: ReadonlyMap<string, number> = new Map([
  ['MALFORMED', 400],
  ['SESSION', 401],
  ['PAIRING_CODE', 403],
  ['CROSS_SITE', 403],
  ['NOT_AUTHORISED', 403],
  ['ROLE_UNKNOWN', 403],
  ['NOT_FOUND', 404],
  ['METHOD', 405],
  ['TOO_LARGE', 413],
  ['RATE', 429],
]);

function wordsOf(language: Language): JsonValue {
  const { labels, refusals } = screenWords(language);
  return { locale: language, labels: { ...labels, accept: { ...labels.accept } }, refusals };
}

function wrongMethod(): HmiFault {
  return new HmiFault('METHOD', 'Cannot answer: not with this method');
}

function sendJson(response: ServerResponse, body: JsonValue): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
