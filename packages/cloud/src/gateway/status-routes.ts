/** Revocation for those who cannot ask the gateway's own memory: lists and OCSP. */
import { DEVICE_PATHS, deviceLimits } from '@immota/api';
import {
  advanceRevocationList,
  answerOcsp,
  type Authority,
  emptyRevocationList,
  encodeCrl,
  keyIdOf,
  parseSerialNumber,
  type Revocation,
  REVOCATION_REASONS,
  type RevocationList,
  type RevocationReason,
  type SerialNumber,
} from '@immota/pki';
import type { CloudContext } from '../context.ts';
import { CloudFault } from '../fault.ts';
import type { AccessView } from '../inventory/access.ts';
import { readBody, sendBytes } from './exchange.ts';
import { STATUS_CACHE_MS, STATUS_HOURS } from './limits.ts';
import type { GatewayParts, Route } from './parts.ts';

interface AuthorityStatus {
  readonly list: RevocationList;
  readonly issued: ReadonlySet<SerialNumber>;
}

/** Makes the routes. The list of an authority is named by its key: `/pki/KEYID.crl`. */
export function statusRoutes(
  { context, authorities }: GatewayParts,
  access: AccessView,
): ReadonlyMap<string, Route> {
  const load = rememberStatus(context, access);
  return new Map<string, Route>([
    [
      'GET /pki/',
      {
        name: 'crl',
        audience: 'anyone',
        async handle({ response, rest }) {
          const authority = authorities.find((one) => rest === `${keyNameOf(one)}.crl`);
          if (authority === undefined) {
            throw new CloudFault('NOT_FOUND', 'Cannot find revocation list: no such authority');
          }
          const { list } = await load(authority);
          const now = floor(context.clock.now());
          // Grows with time, so that any process numbers alike.
          const number = Math.floor(now.epochMilliseconds / 1000);
          const nextUpdate = now.add({ hours: STATUS_HOURS });
          const bytes = await encodeCrl(authority, list, { number, thisUpdate: now, nextUpdate });
          sendBytes(response, { mediaType: 'application/pkix-crl', bytes });
        },
      },
    ],
    [
      `POST ${DEVICE_PATHS.ocsp}`,
      {
        name: 'ocsp',
        audience: 'anyone',
        async handle({ request, response }) {
          const body = await readBody(request, deviceLimits.SMALL_BODY_MAX_BYTES);
          const [issuer] = authorities;
          if (issuer === undefined) {
            throw new CloudFault('NOT_FOUND', 'Cannot answer: there is no authority');
          }
          const { list, issued } = await load(issuer);
          const thisUpdate = floor(context.clock.now());
          const bytes = await answerOcsp(body, {
            issuer,
            list,
            isIssued: (serial) => issued.has(serial),
            thisUpdate,
            nextUpdate: thisUpdate.add({ hours: STATUS_HOURS }),
          });
          sendBytes(response, { mediaType: 'application/ocsp-response', bytes });
        },
      },
    ],
  ]);
}

/** Names an authority by its key, as its list's address does. */
export function keyNameOf({ certificate }: Pick<Authority, 'certificate'>): string {
  return Buffer.from(keyIdOf(certificate.publicKeyDer)).toString('hex');
}

/** Anybody may ask, so the database is asked once in a while, and after each revocation. */
function rememberStatus(
  context: CloudContext,
  access: AccessView,
): (authority: Authority) => Promise<AuthorityStatus> {
  const known = new Map<Authority, { readonly status: Promise<AuthorityStatus>; atMs: number }>();
  access.onChange(() => known.clear());
  return (authority) => {
    const atMs = context.clock.now().epochMilliseconds;
    const last = known.get(authority);
    if (last !== undefined && atMs - last.atMs < STATUS_CACHE_MS) return last.status;
    const status = loadStatus(context, authority);
    known.set(authority, { status, atMs });
    status.catch(() => known.delete(authority));
    return status;
  };
}

async function loadStatus(context: CloudContext, authority: Authority): Promise<AuthorityStatus> {
  const rows = await context.database.kysely
    .selectFrom('device_certificate')
    .select(['serial', 'revoked_at', 'revocation_reason'])
    .where('authority', '=', keyNameOf(authority))
    .execute();
  const revocations = rows.flatMap(
    ({ serial, revoked_at: at, revocation_reason: reason }): readonly Revocation[] =>
      at === null
        ? []
        : [{ serial: parseSerialNumber(serial), at: floor(at), reason: parseReason(reason) }],
  );
  return {
    list: advanceRevocationList(emptyRevocationList(authority.certificate), revocations),
    issued: new Set(rows.map(({ serial }) => parseSerialNumber(serial))),
  };
}

function parseReason(value: string | null): RevocationReason {
  const known = Object.keys(REVOCATION_REASONS).find((reason) => reason === value);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- minted: one of its own keys
  return (known ?? 'unspecified') as RevocationReason;
}

function floor(instant: Temporal.Instant): Temporal.Instant {
  const seconds = Math.floor(instant.epochMilliseconds / 1000);
  return Temporal.Instant.fromEpochMilliseconds(seconds * 1000);
}
