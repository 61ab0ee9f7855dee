/**
 * The line between a cloud and its database. Cutting it is what the death of the cloud's process looks
 * like to PostgreSQL: connections end in the middle of whatever they did, transactions roll back, and a
 * commit that was sent may or may not have happened.
 */
import { mkdirSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';

/** Where the line shall break, in statements from now. */
export interface LineBreak {
  readonly afterStatements: number;
  /** Whether the server still gets the last statement, whose answer nobody hears. */
  readonly isSent: boolean;
}

type Target = { readonly path: string } | { readonly host: string; readonly port: number };

const SOCKET_PORT = '5432';
const TYPE_QUERY = 0x51;
const TYPE_SYNC = 0x53;
const TYPE_READY = 0x5a;
const HEAD_BYTES = 5;
const LENGTH_BYTES = 4;

/** See the head of the file. */
export class DatabaseLine {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #target: Target;
  /** The URL of the database through this line. */
  readonly url: string;
  #break: LineBreak | undefined;
  #onBreak: (() => void) | undefined;
  #isCut = false;
  /** Statements so far. */
  statements = 0;
  #answered = 0;

  /** Use `DatabaseLine.open`. */
  constructor(target: Target, url: string) {
    this.#target = target;
    this.url = url;
    this.#server = createServer((client) => {
      this.#join(client);
    });
  }

  /**
   * Opens a line.
   *
   * @param url - of the database, as the store's test server gives it.
   * @param folder - for its socket; of this line alone, so that nobody who is dead finds another's.
   */
  static async open(url: string, folder: string): Promise<DatabaseLine> {
    const { hostname, port, searchParams } = parseUrl(url);
    const socketFolder = searchParams.get('host');
    const target =
      socketFolder === null
        ? { host: hostname, port: Number(port) }
        : { path: join(socketFolder, `.s.PGSQL.${searchParams.get('port') ?? SOCKET_PORT}`) };
    const line = new DatabaseLine(target, lineUrl(url, folder));
    mkdirSync(folder, { recursive: true });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    line.#server.once('error', reject);
    line.#server.listen(join(folder, `.s.PGSQL.${SOCKET_PORT}`), resolve);
    await promise;
    return line;
  }

  /** Whether the server has not answered all that it was asked. */
  get isBusy(): boolean {
    return !this.#isCut && this.#answered < this.statements;
  }

  /** Plans the break. @param onBreak - called at that instant. */
  breakAfter(plan: LineBreak | undefined, onBreak: () => void): void {
    this.#break =
      plan === undefined
        ? undefined
        : { ...plan, afterStatements: this.statements + plan.afterStatements };
    this.#onBreak = onBreak;
  }

  /** Cuts everything, for good. */
  cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  #join(client: Socket): void {
    if (this.#isCut) {
      client.destroy();
      return;
    }
    const server = connect(this.#target);
    const end = (): void => {
      for (const socket of [client, server]) {
        this.#sockets.delete(socket);
        socket.destroy();
      }
    };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      // A cut line is what this is for; who reads or writes hears of it.
      socket.on('error', end);
      socket.on('close', end);
    }
    const answers = new MessageCounter([TYPE_READY], true);
    let isGreeted = false;
    server.on('data', (bytes: Buffer) => {
      const ready = answers.add(bytes);
      // The first one ends the greeting and answers no statement.
      this.#answered += isGreeted ? ready : Math.max(0, ready - 1);
      isGreeted ||= ready > 0;
      client.write(bytes);
    });
    const messages = new MessageCounter([TYPE_QUERY, TYPE_SYNC], false);
    client.on('data', (bytes: Buffer) => {
      const isBroken = this.#count(messages.add(bytes));
      if (isBroken && this.#break?.isSent !== true) {
        this.#fail();
        return;
      }
      server.write(bytes, () => {
        if (isBroken) this.#fail();
      });
    });
  }

  #count(statements: number): boolean {
    this.statements += statements;
    return this.#break !== undefined && this.statements > this.#break.afterStatements;
  }

  #fail(): void {
    if (this.#isCut) return;
    this.cut();
    this.#onBreak?.();
  }
}

/** Counts messages of some types: what a client asks, and where the server's answers end. */
class MessageCounter {
  readonly #types: readonly number[];
  #rest: Buffer = Buffer.alloc(0);
  #isStarted: boolean;

  /** @param isTyped - whether the first message has a type already: a client's has none. */
  constructor(types: readonly number[], isTyped: boolean) {
    this.#types = types;
    this.#isStarted = isTyped;
  }

  add(bytes: Buffer): number {
    let rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    let count = 0;
    for (;;) {
      const headBytes = this.#isStarted ? HEAD_BYTES : LENGTH_BYTES;
      if (rest.length < headBytes) break;
      const lengthBytes = rest.readUInt32BE(headBytes - LENGTH_BYTES) + headBytes - LENGTH_BYTES;
      if (rest.length < lengthBytes) break;
      const type = this.#isStarted ? rest[0] : undefined;
      if (type !== undefined && this.#types.includes(type)) count += 1;
      this.#isStarted = true;
      rest = rest.subarray(lengthBytes);
    }
    this.#rest = Buffer.from(rest);
    return count;
  }
}

function parseUrl(url: string): URL {
  // A URL of a socket names no host, which URL does not take.
  return new URL(url.replace('@/', '@socket.invalid/'));
}

function lineUrl(url: string, folder: string): string {
  const { username, password, pathname } = parseUrl(url);
  return `postgres://${username}:${password}@${pathname}?host=${encodeURIComponent(folder)}&port=${SOCKET_PORT}`;
}
