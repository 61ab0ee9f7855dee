/**
 * Joins two buses into one. Foreign tools at a tunnel so reach ECUs at a modelled bus, at the speed of
 * that bus. Every frame passes: a firewall stands elsewhere. Buses that are joined in a ring never rest.
 */
import { type CanBus, CanFault, type CanFrame } from '@immota/bus';

/** Two buses, and who hears of frames that did not pass. */
export interface BusBridgeOptions {
  readonly buses: readonly [CanBus, CanBus];
  /** A frame that the other bus refused: it is full, or closed. */
  readonly onDropped?: ((frame: CanFrame, fault: CanFault) => void) | undefined;
}

/** Joins them. @returns what parts them; the buses stay open. */
export function bridgeBuses({ buses, onDropped }: BusBridgeOptions): () => void {
  const forward = async (to: CanBus, frame: CanFrame): Promise<void> => {
    try {
      await to.send(frame);
    } catch (error) {
      if (!(error instanceof CanFault)) throw error;
      onDropped?.(frame, error);
    }
  };
  const [first, second] = buses;
  const ends = [
    first.listen((frame) => void forward(second, frame)),
    second.listen((frame) => void forward(first, frame)),
  ];
  return () => {
    for (const end of ends) end();
  };
}
