/** Which vehicles somebody means: a CEL expression over what is known of a vehicle, one language everywhere. */
import { celEnv, type CelInput, type CelValue, isCelError, parse, plan, run } from '@bufbuild/cel';
import { assert, isJsonObject, type JsonValue } from '@immota/base';
import type { RawBuilder } from 'kysely';
import type { VehicleInventory } from '../../director/ports.ts';
import { CloudFault } from '../../fault.ts';
import { compilation, compileCondition } from './compile.ts';
import { checkExpression } from './expression.ts';
import { malformed } from './malformed.ts';
import { vehicleValue } from './value.ts';

/** An expression: a page of text is more than anybody reads before approving it. */
const QUERY_MAX_LENGTH = 4000;
/** Names of rows come from our own code; a slip must not become a statement. */
const ALIAS = /^[a-z][a-z_]{0,30}$/;

/** A vehicle, with what a query may ask of it beside what the Director knows. */
export interface FleetVehicle extends VehicleInventory {
  /** Its places in campaigns; where they are not known, no question about them is decided. */
  readonly campaigns?: readonly {
    readonly id: string;
    readonly name: string;
    readonly state: string;
    readonly reason: string;
    readonly health: string;
  }[];
}

/**
 * A fleet query, parsed.
 *
 * The expression sees `vehicle`: `id`, `vin`, `model`, `market`, `tags` (a map), `lastSeen`, `registered`,
 * `quarantined`, `ecus` (with `id`, `hardware`, `image`, `sha256`, `primary`, `missing`, `attacks`, `since`),
 * `hardware`, `images` and `rxswins` (lists of texts), `campaigns` (with `id`, `name`, `state`, `reason`,
 * `health`); and `now`, where whoever parsed it said what time it is.
 */
export interface FleetQuery {
  readonly text: string;
  /** Which fields of a vehicle it asks for. */
  readonly fields: ReadonlySet<string>;
  /**
   * Tells whether a vehicle is meant. What the expression cannot decide for a vehicle, such as a tag
   * that it has not, counts as no.
   */
  matches(vehicle: FleetVehicle): boolean;
  /**
   * Gives the same as a condition: true for the vehicles that are meant, false or NULL for all others.
   *
   * @param alias - of the row of `vehicle` in the statement.
   */
  sql(alias: string): RawBuilder<boolean>;
}

const environment = celEnv();

/**
 * Parses a fleet query.
 *
 * @param text - CEL; its result must be true or false.
 * @param now - what `now` means in it, to the microsecond; without it a query that asks is refused.
 * @throws CloudFault QUERY_MALFORMED when it is not CEL, longer than 4,000 characters, asks for what a
 * vehicle never has or the database cannot be asked, or would take too long.
 */
export function parseFleetQuery(text: string, now?: Temporal.Instant): FleetQuery {
  if (text.trim() === '' || text.length > QUERY_MAX_LENGTH)
    throw malformed(`1 to ${QUERY_MAX_LENGTH} characters`);
  const instant = now === undefined ? undefined : timestampOf(now);
  return translated(() => {
    const parsed = parse(text);
    checkExpression(parsed.expr, new Set(instant === undefined ? ['vehicle'] : ['vehicle', 'now']));
    const { expr } = parsed;
    if (expr === undefined) throw malformed('it is empty');
    const fields = new Set<string>();
    const compile = (alias: string): RawBuilder<boolean> => {
      const vehicle = vehicleValue(alias, (name) => fields.add(name));
      const compiling = compilation(environment, instant, vehicle);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a condition compiles to is a boolean of the database
      return compileCondition(compiling, expr).holds() as RawBuilder<boolean>;
    };
    compile('vehicle');
    const evaluate = plan(environment, parsed);
    const bound = instant === undefined ? {} : { now: instant };
    return {
      text,
      fields,
      matches: (vehicle) => {
        const result = evaluate({ ...bound, vehicle: bindingOf(vehicle) });
        return !isCelError(result) && result === true;
      },
      sql: (alias) => {
        assert(ALIAS.test(alias), 'the name of a row is a word of ours');
        return compile(alias);
      },
    };
  });
}

/** Whatever the library throws on, it is the text's fault: how deep it nests is found before. */
function translated<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof CloudFault) throw error;
    throw malformed(error instanceof Error ? error.message : 'no reason given', error);
  }
}

/** CEL's own form of an instant. */
function timestampOf(instant: Temporal.Instant): CelValue {
  const result = run(`timestamp("${instant.round('microsecond').toString()}")`);
  assert(!isCelError(result), 'an instant is a timestamp');
  return result;
}

/** A vehicle as an expression sees it; the same names are compiled by `value.ts`. */
function bindingOf(vehicle: FleetVehicle): CelInput {
  const { ecus, campaigns } = vehicle;
  return mapOf({
    id: vehicle.vehicleId,
    vin: vehicle.vin ?? vehicle.vehicleId,
    model: vehicle.model,
    market: vehicle.market,
    tags: celOf(vehicle.tags),
    lastSeen: vehicle.lastSeenAt && timestampOf(vehicle.lastSeenAt),
    registered: vehicle.primaryEcuIdentifier !== undefined,
    quarantined: vehicle.isQuarantined,
    ecus: ecus.map((ecu) =>
      mapOf({
        id: ecu.ecuIdentifier,
        hardware: ecu.hardwareIdentifier,
        image: ecu.installed?.name ?? '',
        sha256: ecu.installed?.sha256 ?? '',
        primary: ecu.isPrimary,
        missing: ecu.missingSince !== undefined,
        attacks: ecu.attacksDetected,
        since: ecu.installed?.at && timestampOf(ecu.installed.at),
      }),
    ),
    hardware: ecus.map((ecu) => ecu.hardwareIdentifier),
    images: ecus.map((ecu) => ecu.installed?.name ?? ''),
    rxswins: ecus.flatMap((ecu) => ecu.rxswins ?? []),
    campaigns: campaigns?.map((campaign) => mapOf({ ...campaign })),
  });
}

/** What is not there is not in the map: asking for it decides nothing. */
function mapOf(fields: Readonly<Record<string, CelInput | undefined>>): CelInput {
  const map = new Map<string, CelInput>();
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) map.set(name, value);
  }
  return map;
}

/** Bounded by the depth that `parseJson` allows. */
function celOf(value: JsonValue): CelInput {
  if (isJsonObject(value)) {
    return new Map(Object.entries(value).map(([name, inner]) => [name, celOf(inner)]));
  }
  if (typeof value !== 'object' || value === null) return value;
  return value.map((item) => celOf(item));
}
