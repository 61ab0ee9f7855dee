import { setTimeout as pause } from 'node:timers/promises';
import { Buffer } from 'node:buffer';
import pg from 'pg';
import type { Client } from 'pg';
import { assert } from '@immota/base';
import { CONNECT_PATIENCE_MS, CONNECT_RETRY_MS, IDENTIFIER_MAX_BYTES } from '../limits.ts';
import type { Subscription } from './database.ts';

/** What `openListener` needs. */
export interface ListenerOptions {
  /** Opens a connection of its own: a pooled one would lose what it listens to. */
  readonly connect: () => Promise<Client>;
  readonly channel: string;
  readonly listener: (payload: string | undefined) => void;
  /** Told of each lost connection. */
  readonly lost: (error: Error) => void;
}

/**
 * Listens on a channel and goes on listening when the connection is lost.
 *
 * @param options - the connection and the channel.
 * @throws whatever the first connection throws; later ones are tried until `close`.
 */
export async function openListener(options: ListenerOptions): Promise<Subscription> {
  checkChannel(options.channel);
  const closed = new AbortController();
  let revival: Promise<void> = Promise.resolve();
  let current: Client | undefined = await subscribe(options, onLost);

  function onLost(error: Error): void {
    if (closed.signal.aborted) return;
    current = undefined;
    options.lost(error);
    revival = revive();
  }

  async function revive(): Promise<void> {
    for (let pauseMs = CONNECT_RETRY_MS; !closed.signal.aborted;) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- one try after another is the point
        current = await subscribe(options, onLost);
        // Something may have been said while nobody listened.
        options.listener(undefined);
        return;
      } catch {
        // oxlint-disable-next-line no-await-in-loop -- as above
        await pause(pauseMs, undefined, { signal: closed.signal }).catch(() => undefined);
        pauseMs = Math.min(pauseMs * 2, CONNECT_PATIENCE_MS);
      }
    }
  }

  return {
    async close() {
      closed.abort();
      await revival;
      await current?.end().catch(() => undefined);
    },
  };
}

/**
 * Checks that a channel's name reaches the server uncut.
 *
 * @param channel - chosen by our code, never by outside data.
 */
export function checkChannel(channel: string): void {
  const lengthBytes = Buffer.byteLength(channel);
  assert(
    lengthBytes > 0 && lengthBytes <= IDENTIFIER_MAX_BYTES && !channel.includes('\0'),
    'a channel is an identifier of 1 to 63 bytes',
  );
}

async function subscribe(
  options: ListenerOptions,
  onLost: (error: Error) => void,
): Promise<Client> {
  const client = await options.connect();
  let isListening = false;
  client.on('notification', (message) => {
    options.listener(message.payload ?? '');
  });
  client.on('error', (error) => {
    // Before that, the statement below fails, and whoever subscribes hears of it once.
    if (!isListening) return;
    isListening = false;
    onLost(error);
  });
  try {
    await client.query(`LISTEN ${pg.escapeIdentifier(options.channel)}`);
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
  isListening = true;
  return client;
}
