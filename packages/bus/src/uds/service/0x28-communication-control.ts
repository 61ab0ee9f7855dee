/** CommunicationControl {14229-1:2020 10.5}; the forms with a node's number are not served. */
import { makeCall, type UdsCall } from '../call.ts';
import { MessageReader } from '../message-reader.ts';
import { SERVICES, SUPPRESS_BIT } from '../service-id.ts';

/** What an ECU still does on its bus, by the sub-function. */
export const COMMUNICATION_CONTROLS = {
  enableRxAndTx: 0,
  enableRxAndDisableTx: 1,
  disableRxAndEnableTx: 2,
  disableRxAndTx: 3,
} as const;

/** One of them. */
export type CommunicationControl = keyof typeof COMMUNICATION_CONTROLS;

/** Ordinary messages alone, on all subnets {14229-1:2020 B.1}. */
const NORMAL_COMMUNICATION = 1;

/** Controls communication. */
export function controlCommunication(
  control: CommunicationControl,
  communicationType: number = NORMAL_COMMUNICATION,
): UdsCall<undefined> {
  return callOf(COMMUNICATION_CONTROLS[control], communicationType);
}

/** The same without an answer. */
export function controlCommunicationSilently(
  control: CommunicationControl,
  communicationType: number = NORMAL_COMMUNICATION,
): UdsCall<undefined> {
  return callOf(COMMUNICATION_CONTROLS[control] | SUPPRESS_BIT, communicationType);
}

/** Finds what a sub-function asks for. */
export function findCommunicationControl(subFunction: number): CommunicationControl | undefined {
  const all = ['enableRxAndTx', 'enableRxAndDisableTx', 'disableRxAndEnableTx'] as const;
  const found = all.find((control) => COMMUNICATION_CONTROLS[control] === subFunction);
  if (found !== undefined) return found;
  return subFunction === COMMUNICATION_CONTROLS.disableRxAndTx ? 'disableRxAndTx' : undefined;
}

/** Reads the communication type of a request. */
export function readCommunicationType(request: Uint8Array): number {
  const reader = new MessageReader(request, 2);
  const communicationType = reader.uint(1);
  reader.end();
  return communicationType;
}

function callOf(subFunction: number, communicationType: number): UdsCall<undefined> {
  const request = Uint8Array.of(SERVICES.communicationControl, subFunction, communicationType);
  return makeCall([request], 1, () => undefined);
}
