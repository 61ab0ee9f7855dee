/** CAN buses of a test: what one node sends, all others hear at once. */
import { type CanBus, CanFault, type CanFrame, type CanListener } from '@immota/bus';

/** One bus; `node` gives a place on it. */
export class LocalBus {
  readonly #listeners = new Map<CanBus, CanListener[]>();
  /** Refuses what is sent when set, as a full bus does. */
  isFull = false;
  /** Resolves sends late when set, as a busy bus does. */
  isStuck = false;
  readonly #stuck: (() => void)[] = [];

  /** Makes a node. */
  node(): CanBus {
    const bus: CanBus = {
      send: async (frame) => this.#send(bus, frame),
      listen: (listener) => {
        const listeners = this.#listeners.get(bus) ?? [];
        listeners.push(listener);
        this.#listeners.set(bus, listeners);
        return () => {
          listeners.splice(listeners.indexOf(listener), 1);
        };
      },
      close: async () => {
        await Promise.resolve();
        this.#listeners.delete(bus);
      },
    };
    return bus;
  }

  /** Lets all that waits go. */
  release(): void {
    this.isStuck = false;
    for (const go of this.#stuck.splice(0)) go();
  }

  async #send(sender: CanBus, frame: CanFrame): Promise<void> {
    if (this.isFull) throw new CanFault('QUEUE_FULL', 'Cannot send frame: the bus is full');
    if (this.isStuck) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#stuck.push(resolve);
      await promise;
    }
    for (const [bus, listeners] of this.#listeners) {
      if (bus === sender) continue;
      for (const listener of listeners) listener(frame);
    }
  }
}
