/** Which vehicles a campaign is for: a CEL expression over what is known of a vehicle. */
import { type CelInput, celEnv, isCelError, parse, plan } from '@bufbuild/cel';
import { isJsonObject, type JsonValue } from '@immota/base';
import type { VehicleInventory } from '../director/ports.ts';
import { CloudFault } from '../fault.ts';
import { checkExpression } from './query-expression.ts';

/** An expression: a page of text is more than anybody reads before approving it. */
const QUERY_MAX_LENGTH = 4000;

/**
 * A fleet query, parsed.
 *
 * The expression sees `vehicle`: `id`, `vin`, `model`, `market`, `tags` (a map), `ecus` (a list of maps
 * `id`, `hardware`, `image`, `primary`), `hardware` and `images` (lists of texts).
 */
export interface FleetQuery {
  readonly text: string;
  /**
   * Tells whether a vehicle is meant. What the expression cannot decide for a vehicle, such as a tag
   * that it has not, counts as no.
   */
  matches(vehicle: VehicleInventory): boolean;
}

const environment = celEnv();

/**
 * Parses a fleet query.
 *
 * @param text - CEL; its result must be true or false.
 * @throws CloudFault QUERY_MALFORMED when it is not CEL, longer than 4,000 characters, asks for what a
 * vehicle never has, or would take too long.
 */
export function parseFleetQuery(text: string): FleetQuery {
  if (text.trim() === '' || text.length > QUERY_MAX_LENGTH) {
    throw new CloudFault(
      'QUERY_MALFORMED',
      `Cannot read query: 1 to ${QUERY_MAX_LENGTH} characters`,
    );
  }
  const evaluate = compile(text);
  return {
    text,
    matches: (vehicle) => {
      const result = evaluate({ vehicle: bindingOf(vehicle) });
      return !isCelError(result) && result === true;
    },
  };
}

/** Whatever the library throws on, it is the text's fault: how deep it nests is found before. */
function compile(text: string): (bindings: Record<string, CelInput>) => unknown {
  try {
    const parsed = parse(text);
    checkExpression(parsed.expr);
    return plan(environment, parsed);
  } catch (error) {
    if (error instanceof CloudFault) throw error;
    const why = error instanceof Error ? error.message : 'no reason given';
    throw new CloudFault('QUERY_MALFORMED', `Cannot read query: ${why}`, { cause: error });
  }
}

/** A vehicle as an expression sees it; its names are those that `query-expression.ts` lets pass. */
function bindingOf(vehicle: VehicleInventory): CelInput {
  const ecus = vehicle.ecus.map(
    (ecu) =>
      new Map<string, CelInput>([
        ['id', ecu.ecuIdentifier],
        ['hardware', ecu.hardwareIdentifier],
        ['image', ecu.installed?.name ?? ''],
        ['primary', ecu.isPrimary],
      ]),
  );
  return new Map<string, CelInput>([
    ['id', vehicle.vehicleId],
    ['vin', vehicle.vin ?? vehicle.vehicleId],
    ['model', vehicle.model],
    ['market', vehicle.market],
    ['tags', celOf(vehicle.tags)],
    ['ecus', ecus],
    ['hardware', vehicle.ecus.map((ecu) => ecu.hardwareIdentifier)],
    ['images', vehicle.ecus.map((ecu) => ecu.installed?.name ?? '')],
  ]);
}

/** Bounded by the depth that `parseJson` allows. */
function celOf(value: JsonValue): CelInput {
  if (isJsonObject(value)) {
    return new Map(Object.entries(value).map(([name, inner]) => [name, celOf(inner)]));
  }
  if (typeof value !== 'object' || value === null) return value;
  return value.map((item) => celOf(item));
}
