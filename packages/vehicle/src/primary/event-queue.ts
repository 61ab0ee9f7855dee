/**
 * Progress for the server, unsigned and without consequence: kept until it has arrived, sent at least
 * once, with an id that tells repeats.
 */
import { type ClientEvent, DEVICE_PATHS, deviceLimits } from '@immota/api';
import { type JsonObject, utf8 } from '@immota/base';
import { requestSmall } from '../download/request.ts';
import type { PrimaryContext } from './context.ts';

/** Events that the dialect's own client sends, and so every server of it understands; the last two are ours. */
export type EventKind =
  | 'EcuDownloadStarted'
  | 'EcuDownloadCompleted'
  | 'EcuInstallationStarted'
  | 'EcuInstallationApplied'
  | 'EcuInstallationCompleted'
  | 'campaign_accepted'
  | 'campaign_declined'
  | 'campaign_postponed'
  | 'technician_spoke'
  | 'technician_refused';

const KIND = 'event';
/** Batches in one cycle: a server that takes one event at a time must not hold the cycle up. */
const BATCHES_MAX = 32;

/** Puts an event into the queue. */
export function queueEvent(context: PrimaryContext, kind: EventKind, event: JsonObject): void {
  const { state, surroundings } = context;
  const body = {
    id: drawUuid(surroundings.entropy.bytes(16)),
    deviceTime: surroundings.clock.now().toString({ smallestUnit: 'second' }),
    eventType: { id: kind, version: 0 },
    event,
  } satisfies ClientEvent & JsonObject;
  state.queue.add(KIND, { id: body.id, body });
}

/**
 * Sends what waits, oldest first. What the server cannot take stays; events of a server that knows
 * none are dropped.
 *
 * @throws VehicleFault as `requestSmall`.
 */
export async function flushEvents(context: PrimaryContext): Promise<void> {
  let size = deviceLimits.EVENTS_MAX;
  for (let batch = 0; batch < BATCHES_MAX; batch += 1) {
    const messages = fitting(context.state.queue.list(KIND, size));
    if (messages.length === 0) return;
    const { status } = await requestSmall(context.network(), {
      method: 'POST',
      url: context.bundle.gatewayOrigin + DEVICE_PATHS.events,
      headers: { 'content-type': 'application/json' },
      body: utf8(JSON.stringify(messages.map(({ body }) => body))),
      lengthMaxBytes: deviceLimits.ANSWER_MAX_BYTES,
    });
    const ids = messages.map(({ id }) => id);
    if (status === 413 && messages.length > 1) size = Math.floor(messages.length / 2);
    // 404: nobody there wants events. 413 for a single one: it will never fit.
    else if (status < 300 || status === 404 || status === 413)
      context.state.queue.remove(KIND, ids);
    else return;
  }
}

/** As many as the server's limit on a body lets through. */
function fitting<Message extends { readonly body: JsonObject }>(
  messages: readonly Message[],
): readonly Message[] {
  let lengthBytes = 2;
  const count = messages.findIndex(({ body }) => {
    lengthBytes += utf8(JSON.stringify(body)).length + 1;
    return lengthBytes > deviceLimits.EVENTS_MAX_BYTES;
  });
  return count < 0 ? messages : messages.slice(0, Math.max(1, count));
}

/** RFC 9562, version 4. */
function drawUuid(random: Uint8Array): string {
  const bytes = random.slice();
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toHex();
  return [
    [0, 8],
    [8, 12],
    [12, 16],
    [16, 20],
    [20, 32],
  ]
    .map(([start, end]) => hex.slice(start, end))
    .join('-');
}
