/** Screens that look on: each gets the whole view whenever it changes, as server-sent events. */
import type { ServerResponse } from 'node:http';
import type { Timer } from '../ports.ts';
import { HmiFault } from './hmi-fault.ts';
import { PUSH_MS, STREAMS_MAX } from './limits.ts';

/** A proxy or a phone gives up what is silent; a comment now and then keeps it. */
const ALIVE_MS = 20_000;

interface Stream {
  readonly response: ServerResponse;
  /** Draws the view as this screen reads it, or ends it. */
  readonly draw: () => string | undefined;
  last: string;
}

/** See the head of the file. */
export class Streams {
  readonly #timer: Timer;
  readonly #streams = new Set<Stream>();
  #cancelPush: (() => void) | undefined;
  #cancelAlive: (() => void) | undefined;

  constructor(timer: Timer) {
    this.#timer = timer;
  }

  get size(): number {
    return this.#streams.size;
  }

  /**
   * Begins a stream.
   *
   * @param draw - undefined ends the stream: the screen is not connected any more.
   * @throws HmiFault RATE when too many are open.
   */
  open(response: ServerResponse, draw: () => string | undefined): void {
    if (this.#streams.size >= STREAMS_MAX) {
      throw new HmiFault('RATE', 'Cannot open stream: too many are open');
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    const stream: Stream = { response, draw, last: '' };
    this.#streams.add(stream);
    response.once('close', () => this.#streams.delete(stream));
    this.#send(stream);
    this.#keepAlive();
  }

  /** Has every screen drawn again soon; what has not changed is not sent. */
  push(): void {
    this.#cancelPush ??= this.#timer.schedule(PUSH_MS, () => {
      this.#cancelPush = undefined;
      for (const stream of this.#streams) this.#send(stream);
    });
  }

  close(): void {
    this.#cancelPush?.();
    this.#cancelAlive?.();
    for (const { response } of this.#streams) response.end();
    this.#streams.clear();
  }

  #send(stream: Stream): void {
    const text = stream.draw();
    if (text === undefined) {
      stream.response.end();
      this.#streams.delete(stream);
      return;
    }
    if (text === stream.last) return;
    stream.last = text;
    // JSON holds no line feed, so that one line is one event.
    stream.response.write(`data: ${text}\n\n`);
  }

  #keepAlive(): void {
    this.#cancelAlive ??= this.#timer.schedule(ALIVE_MS, () => {
      this.#cancelAlive = undefined;
      if (this.#streams.size === 0) return;
      for (const { response } of this.#streams) response.write(': alive\n\n');
      this.#keepAlive();
    });
  }
}
