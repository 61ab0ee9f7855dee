/** An event as rules see it. */

/** What a field holds. */
export type FieldValue = string | number | boolean | null;

/** Where an event comes from, as rules ask for it. */
export interface LogSource {
  readonly product?: string | undefined;
  readonly category?: string | undefined;
  readonly service?: string | undefined;
}

/** An event. Field names are whatever the source calls them, so they stand in a map. */
export interface SecurityEvent {
  /** Unique; findings name it. */
  readonly id: string;
  /** When it happened, in milliseconds of the epoch. */
  readonly atMs: number;
  readonly logSource: LogSource;
  readonly fields: ReadonlyMap<string, FieldValue>;
}
