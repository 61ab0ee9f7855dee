/**
 * A node's place on a CAN bus. A port: behind it is a bus within the process, a tunnel to one, or the
 * kernel's. What a node sends it does not hear itself.
 */
import type { CanFrame } from './frame.ts';

/** Hears each frame of the others. */
export type CanListener = (frame: CanFrame) => void;

/** See the head of the file. */
export interface CanBus {
  /**
   * Sends a frame; fulfils when it was on the bus whole. Frames of one node leave in the order of the
   * calls.
   */
  send(frame: CanFrame): Promise<void>;
  /** Hears frames from now on. @returns what ends it. */
  listen(listener: CanListener): () => void;
  close(): Promise<void>;
}
