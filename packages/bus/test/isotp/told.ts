/** Links, and what they tell, in words that a test can compare. */
import { assert } from '@immota/base';
import {
  canFrame,
  type CanFrame,
  type IsoTpAddress,
  IsoTpLink,
  type IsoTpOutput,
  isoTpParameters,
  type IsoTpSettings,
  mirrorAddress,
  normalAddress,
} from '../../src/index.ts';

/** As the tester sees it. */
export const TESTER: IsoTpAddress = normalAddress({
  txId: 0x7e0,
  rxId: 0x7e8,
  functionalId: 0x7df,
});

/** The tester's end. */
export function testerLink(settings: IsoTpSettings = {}, address = TESTER): IsoTpLink {
  return new IsoTpLink(address, isoTpParameters(settings));
}

/** The ECU's end. */
export function ecuLink(settings: IsoTpSettings = {}, address = TESTER): IsoTpLink {
  return new IsoTpLink(mirrorAddress(address), isoTpParameters(settings));
}

/** Bytes from their hexadecimal digits. */
export function hex(digits: string): Uint8Array {
  return Uint8Array.fromHex(digits.replaceAll(' ', ''));
}

/** Bytes that differ from each other. */
export function pattern(lengthBytes: number): Uint8Array {
  return Uint8Array.from({ length: lengthBytes }, (_, index) => index * 31 + (index >> 8));
}

/** A frame from the tester to the ECU; more than 8 bytes make it one of CAN FD. */
export function frame(digits: string, id = 0x7e0): CanFrame {
  const data = hex(digits);
  return canFrame({ id, data, isFd: data.length > 8, isExtended: id > 0x7ff });
}

/** What the outputs say, without what fills the frames. */
export function told(outputs: readonly IsoTpOutput[]): readonly string[] {
  return outputs.map((output) => {
    switch (output.kind) {
      case 'send':
        return `send ${output.frame.data.toHex().replace(/(cc)+$/, '')}`;
      case 'delivered':
        return 'delivered';
      case 'begun':
        return `begun ${output.lengthBytes}`;
      case 'received':
        return `${output.isFunctional ? 'all' : 'received'} ${output.message.toHex()}`;
      case 'failed':
        return `${output.direction} ${output.fault.code}`;
      default:
        return output satisfies never;
    }
  });
}

/** The link hears a frame. */
export function hear(link: IsoTpLink, digits: string, atMs = 0): readonly string[] {
  return told(link.handle({ kind: 'frame', frame: frame(digits) }, atMs));
}

/** A frame of its own is on the bus. */
export function confirm(link: IsoTpLink, token: number | undefined, atMs = 0): readonly string[] {
  assert(token !== undefined, 'a frame was sent');
  return told(link.handle({ kind: 'sent', token }, atMs));
}
