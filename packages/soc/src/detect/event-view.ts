/** An event while rules look at it: what several of them ask for is made once. */
import type { FieldValue, SecurityEvent } from './security-event.ts';

/** See the head of the file. */
export class EventView {
  readonly event: SecurityEvent;
  readonly #lowered = new Map<string, string>();

  constructor(event: SecurityEvent) {
    this.event = event;
  }

  /** What a field holds; undefined when the event has no such field. */
  value(field: string): FieldValue | undefined {
    return this.event.fields.get(field);
  }

  /** A field as text; undefined when it is absent or null. */
  text(field: string): string | undefined {
    const value = this.event.fields.get(field);
    if (value === undefined || value === null) return undefined;
    return typeof value === 'string' ? value : String(value);
  }

  /** A field as text in lower case. */
  lowered(field: string): string | undefined {
    const known = this.#lowered.get(field);
    if (known !== undefined) return known;
    const text = this.text(field)?.toLowerCase();
    if (text !== undefined) this.#lowered.set(field, text);
    return text;
  }
}
