/**
 * Which ECUs are activated before which: as the Director's signed metadata say, and where they say
 * nothing, gateways behind those that are reached through them. The T-BOX is always last.
 */
import type { JsonObject } from '@immota/base';
import { z } from 'zod';
import { ORDER_MAX } from './limits.ts';

/** `installOrder` in the custom part of the Director's Targets: groups of ECU identifiers. */
const orderSchema = z.object({
  installOrder: z
    .array(z.array(z.string().max(256)).max(ORDER_MAX))
    .max(ORDER_MAX)
    .catch([])
    .default([]),
  /** ECUs at which a technician stands by: they may be written without a way back. */
  technicianGated: z.array(z.string().max(256)).max(ORDER_MAX).catch([]).default([]),
});

/** What the Director asks of an installation. */
export interface InstallOrder {
  /** Ranks by ECU. */
  rankOf(ecu: string): number;
  isTechnicianGated(ecu: string): boolean;
}

/**
 * Reads an order.
 *
 * @param custom - of verified Director Targets; what is no order counts as none.
 * @param gateways - ECUs that others are reached through.
 */
export function readOrder(custom: JsonObject, gateways: readonly string[]): InstallOrder {
  const { installOrder, technicianGated } = orderSchema.parse(custom);
  const ranks = new Map<string, number>();
  for (const [rank, group] of installOrder.entries()) {
    for (const ecu of group) if (!ranks.has(ecu)) ranks.set(ecu, rank);
  }
  const behind = installOrder.length;
  return {
    rankOf: (ecu) => ranks.get(ecu) ?? behind + (gateways.includes(ecu) ? 1 : 0),
    isTechnicianGated: (ecu) => technicianGated.includes(ecu),
  };
}
