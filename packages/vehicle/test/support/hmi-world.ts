/** Screens with a Primary that a test plays: what it asks, tells, and has concluded. */
import { request as httpRequest } from 'node:http';
import type { TestContext } from 'node:test';
import { isJsonObject, type JsonObject, parseJson } from '@immota/base';
import { parseEcuIdentifier, parseTargetName } from '@immota/uptane';
import {
  type ConsentAnswer,
  type ConsentRequest,
  type ConsentRole,
  DEFAULT_AUTHORITY,
  type Hmi,
  openHmi,
  type ProgressEvent,
  type Surroundings,
  systemSurroundings,
} from '@immota/vehicle';
import type { ConcludedInstallation } from '../../src/primary/installation.ts';
import { readNotice } from '../../src/consent/notice.ts';
import { requestFor, type RequestOptions } from './consent-request.ts';
import { makeFolder } from './folder.ts';
import { NOW } from './surroundings.ts';
import { CORRELATION } from './world.ts';

/** A notice as a careful maker writes it. */
export const FULL_NOTICE: JsonObject = {
  title: {
    en: 'Winter brakes 2026.11',
    de: 'Winterbremsen 2026.11',
    zh: '冬季制动 2026.11',
  },
  description: {
    en: 'On wet and cold roads the brakes now answer sooner.',
    de: 'Auf nasser und kalter Straße sprechen die Bremsen jetzt früher an.',
    zh: '在湿冷路面上，制动响应更快。',
  },
  purpose: { kind: 'safety' },
  changes: {
    en: [
      'The way to a standstill on wet roads is about one metre shorter.',
      'A new symbol shows when the brakes are cold.',
    ],
    de: [
      'Der Bremsweg auf nasser Straße wird etwa einen Meter kürzer.',
      'Ein neues Symbol zeigt, wann die Bremsen kalt sind.',
    ],
    zh: ['湿滑路面的制动距离缩短约一米。', '新增制动器低温提示图标。'],
  },
  unusableSeconds: 480,
  unavailableTexts: {
    en: ['Driving and charging. Heating and lights stay on.'],
    de: ['Fahren und Laden. Heizung und Licht bleiben an.'],
    zh: ['驾驶和充电不可用。暖风和灯光保持可用。'],
  },
  instructions: {
    en: ['Doors and the emergency call keep working. You can stay inside or leave.'],
    de: ['Türen und Notruf funktionieren weiter. Sie können sitzen bleiben oder aussteigen.'],
    zh: ['车门和紧急呼叫保持可用。您可以留在车内或离开。'],
  },
  manual: {
    en: [{ title: 'Brakes in winter', where: 'chapter 4, page 61' }],
    de: [{ title: 'Bremsen im Winter', where: 'Kapitel 4, Seite 61' }],
    zh: [{ title: '冬季制动', where: '第 4 章，第 61 页' }],
  },
  postpone: { times: 3, until: '2026-06-20T18:00:00Z' },
};

/** What came back over HTTP. */
export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
  readonly json: JsonObject;
}

/** A request as a test breaks it. */
export interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** See the head of the file. */
export class HmiWorld {
  /** Chance and waits are real; the clock stands still until a test moves it. */
  readonly surroundings: Surroundings;
  now: Temporal.Instant = NOW;
  readonly folder: string;
  readonly codes: string[] = [];
  readonly refused: string[] = [];
  readonly reopened: string[] = [];
  readonly concluded: ConcludedInstallation[] = [];
  woken = 0;
  isParked = true;
  unmet: readonly string[] = [];
  hmi!: Hmi;
  #isClosed = true;

  constructor(test: Pick<TestContext, 'after'>) {
    const { timer, entropy } = systemSurroundings();
    this.surroundings = { timer, entropy, clock: { now: () => this.now } };
    this.folder = makeFolder(test);
    test.after(() => this.stop());
  }

  async start(role: ConsentRole = 'owner', port = 0): Promise<this> {
    this.hmi = await openHmi({
      folder: this.folder,
      port,
      rules: {
        authority: DEFAULT_AUTHORITY,
        timeZone: 'Europe/Berlin',
        isParked: () => this.isParked,
      },
      locale: 'en',
      surroundings: this.surroundings,
      role,
      onPairingCode: (code) => this.codes.push(code),
      findUnmet: () => this.unmet,
      onRefusal: ({ code }) => this.refused.push(code),
    });
    this.#isClosed = false;
    this.hmi.attach({
      wake: () => (this.woken += 1),
      reopenConsent: (correlationId) => this.reopened.push(correlationId),
      listInstallations: (after) => this.concluded.filter(({ sequence }) => sequence > after),
    });
    return this;
  }

  async stop(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.hmi.close();
  }

  tell(...events: readonly ProgressEvent[]): void {
    for (const event of events) this.hmi.onProgress(event);
  }

  /** An update was verified, as at the beginning of every one. */
  offer(custom: JsonObject = FULL_NOTICE): void {
    this.tell({
      kind: 'update-verified',
      correlationId: CORRELATION,
      images: ['brake', 'tbox'].map((name) => ({
        ecu: parseEcuIdentifier(`VIN-${name}`),
        name: parseTargetName(`${name}.bin`),
      })),
      notice: readNotice(custom),
      downloadBytes: 1000,
    });
  }

  /** The Primary asks. */
  ask(
    options: RequestOptions = {},
    custom: JsonObject = FULL_NOTICE,
    signal: AbortSignal = new AbortController().signal,
  ): { readonly request: ConsentRequest; readonly answered: Promise<ConsentAnswer | undefined> } {
    this.offer(custom);
    const request = requestFor(custom, options);
    return { request, answered: this.hmi.consent.ask(request, signal) };
  }

  /** An update came to its end. */
  conclude(codes: Readonly<Record<string, string>>, correlationId = CORRELATION): void {
    const items = Object.entries(codes).map(([ecu, code]) => ({
      ecu,
      code,
      hardware: 'hw',
      description: '',
    }));
    this.concluded.push({ sequence: this.concluded.length + 1, correlationId, items });
    const isGood = items.every(({ code }) => code === 'OK');
    const result = isGood ? 'installed' : 'failed';
    this.tell({ kind: 'check-in-ended', result, code: undefined });
  }

  /** Sends a request as our own page would, unless a test says otherwise. */
  async send(path: string, { method, headers = {}, body }: Sent = {}): Promise<Answered> {
    const url = new URL(path, this.hmi.url);
    const isPost = body !== undefined;
    const own = isPost
      ? { origin: url.origin, 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' }
      : {};
    const { promise, resolve, reject } = Promise.withResolvers<Answered>();
    const options = {
      method: method ?? (isPost ? 'POST' : 'GET'),
      headers: { ...own, ...headers },
    };
    const sent = httpRequest(url, options, (response) => {
      const parts: Uint8Array[] = [];
      response.on('data', (part: Uint8Array) => parts.push(part));
      response.on('end', () => {
        const text = Buffer.concat(parts).toString();
        const isJson = (response.headers['content-type'] ?? '').includes('json');
        const parsed = isJson ? parseJson(Buffer.from(text), 1_000_000) : {};
        const json: JsonObject = isJsonObject(parsed) ? parsed : { list: parsed };
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json });
      });
    });
    sent.on('error', reject);
    sent.end(body);
    return await promise;
  }

  /** Connects a screen, and gives what its cookie says. */
  async connect(role?: ConsentRole): Promise<string> {
    const code = role === undefined ? (this.codes.at(-1) ?? '') : this.hmi.invite(role);
    const { headers } = await this.send('/api/pair', { body: JSON.stringify({ code }) });
    return String(headers['set-cookie']).split(';')[0] ?? '';
  }
}

/** Makes a world of screens. */
export async function makeHmiWorld(
  test: Pick<TestContext, 'after'>,
  role?: ConsentRole,
): Promise<HmiWorld> {
  return await new HmiWorld(test).start(role);
}
