/** What a link wants done, or tells. */
import type { CanFrame } from '../can/frame.ts';
import type { IsoTpFault } from './isotp-fault.ts';

/** See the head of the file. */
export type IsoTpOutput =
  /** Put this frame on the bus, and say `sent` with the token when it was there. */
  | { readonly kind: 'send'; readonly frame: CanFrame; readonly token: number }
  /** The message that was to be sent is at the other end (N_USData.confirm). */
  | { readonly kind: 'delivered' }
  /** A long message of the peer has begun (N_USDataFF.indication): an answer is no longer late. */
  | { readonly kind: 'begun'; readonly lengthBytes: number }
  /** A whole message of the peer (N_USData.indication). */
  | { readonly kind: 'received'; readonly message: Uint8Array; readonly isFunctional: boolean }
  /** A message is lost: the one that was to be sent, or one that came. */
  | {
      readonly kind: 'failed';
      readonly direction: 'sending' | 'receiving';
      readonly fault: IsoTpFault;
    };

/** Collects what a link wants done. */
export type IsoTpOutputs = IsoTpOutput[];
