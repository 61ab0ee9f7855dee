/** ControlDTCSetting {14229-1:2020 10.8}. */
import { makeCall, type UdsCall } from '../call.ts';
import { SERVICES, SUPPRESS_BIT } from '../service-id.ts';

const ON = 1;
const OFF = 2;

/** Lets trouble codes be set, or not. */
export function controlDtcSetting(isOn: boolean): UdsCall<undefined> {
  return makeCall([Uint8Array.of(SERVICES.controlDtcSetting, isOn ? ON : OFF)], 1, () => undefined);
}

/** The same without an answer. */
export function controlDtcSettingSilently(isOn: boolean): UdsCall<undefined> {
  const subFunction = (isOn ? ON : OFF) | SUPPRESS_BIT;
  return makeCall([Uint8Array.of(SERVICES.controlDtcSetting, subFunction)], 1, () => undefined);
}

/** Tells whether a sub-function lets codes be set; undefined for another. */
export function findDtcSetting(subFunction: number): boolean | undefined {
  if (subFunction === ON) return true;
  return subFunction === OFF ? false : undefined;
}
