/**
 * Who is behind what is done now: while a request of the operator API is carried out, every event that it
 * appends bears who asked, in the same transaction as the change. No route can forget it.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { JsonObject } from '@immota/base';

/** Somebody who changes something. */
export interface Actor {
  readonly kind: 'person' | 'token';
  /** A person's address, or a token's name. */
  readonly name: string;
  /** A person's id. */
  readonly id?: string | undefined;
  /** The address that the request came from. */
  readonly from: string;
  /** Of the operator API. */
  readonly operation: string;
}

interface Acting {
  readonly actor: Actor;
  recorded: number;
}

const acting = new AsyncLocalStorage<Acting>();

/**
 * Carries out work of somebody.
 *
 * @returns how many events bear their name.
 */
export async function actAs(actor: Actor, work: () => Promise<void>): Promise<number> {
  const current: Acting = { actor, recorded: 0 };
  await acting.run(current, work);
  return current.recorded;
}

/** Adds to an event's body who is behind it; the same body when nobody is. */
export function withActor(body: JsonObject): JsonObject {
  const current = acting.getStore();
  if (current === undefined) return body;
  current.recorded += 1;
  const { kind, name, id, from, operation } = current.actor;
  return { ...body, actor: { kind, name, ...(id === undefined ? {} : { id }), from, operation } };
}
