/** What vehicles ask of the Director: registration, manifests, metadata, time. */
import { DEVICE_PATHS, deviceLimits, registrationSchema, timeRequestSchema } from '@immota/api';
import { utf8 } from '@immota/base';
import { AKTUALIZR, attestTime, limits, parseNonces } from '@immota/uptane';
import type { DirectorFile } from '../director/director.ts';
import { ECU_KEY_MAX_BYTES } from '../limits.ts';
import { saveEncryptionKey } from '../inventory/encryption-key.ts';
import { registerEcus } from '../inventory/register.ts';
import { signersOf } from '../trust/keystore.ts';
import { saveConsent } from './consent.ts';
import { type Exchange, readBody, sendEmpty, sendJson, sendNotModified } from './exchange.ts';
import { parseBody } from './parse-body.ts';
import type { GatewayParts, Route } from './parts.ts';
import { vehicleOf } from './vehicle-of.ts';

const FILE = /^(?:([1-9]\d{0,14})\.)?(targets|snapshot|timestamp)\.json$/;
const FILES: readonly DirectorFile[] = ['targets', 'snapshot', 'timestamp'];

/** Makes the routes, by method and path; a path that ends in a slash takes what follows it. */
export function directorRoutes(parts: GatewayParts): ReadonlyMap<string, Route> {
  const { context, director, replacement } = parts;
  return new Map<string, Route>([
    [
      `POST ${DEVICE_PATHS.ecus}`,
      {
        name: 'register',
        audience: 'vehicle',
        async handle(exchange) {
          const body = await readBody(exchange.request, deviceLimits.REGISTRATION_MAX_BYTES);
          const registration = parseBody(registrationSchema, body);
          const order = { registration, policy: replacement };
          const outcome = await registerEcus(context, vehicleOf(exchange), order);
          sendEmpty(exchange.response, outcome === 'created' ? 201 : 200);
        },
      },
    ],
    [
      `PUT ${DEVICE_PATHS.manifest}`,
      {
        name: 'manifest',
        audience: 'vehicle',
        async handle(exchange) {
          const body = await readBody(exchange.request, limits.MANIFEST_MAX_BYTES);
          await director.accept(vehicleOf(exchange), body);
          sendEmpty(exchange.response, 200);
        },
      },
    ],
    [
      'GET /director/',
      {
        name: 'director-metadata',
        audience: 'vehicle',
        handle: (exchange) => sendDirectorFile(parts, exchange),
      },
    ],
  ]);
}

/** What only our own vehicles ask for, and the list of campaigns. */
export function extensionRoutes(parts: GatewayParts): ReadonlyMap<string, Route> {
  const { context, keystore, observer } = parts;
  return new Map<string, Route>([
    [
      `POST ${DEVICE_PATHS.time}`,
      {
        name: 'time',
        audience: 'vehicle',
        // {uptane G1} {uptane G2} {uptane G4}: the time, signed together with what the ECUs drew.
        async handle(exchange) {
          const body = await readBody(exchange.request, deviceLimits.SMALL_BODY_MAX_BYTES);
          const nonces = parseNonces(parseBody(timeRequestSchema, body).nonces);
          const signers = signersOf(keystore, 'director-time');
          sendJson(exchange.response, await attestTime(context.clock.now(), nonces, signers));
        },
      },
    ],
    [
      `POST ${DEVICE_PATHS.ecuKeys}`,
      {
        name: 'ecu-key',
        audience: 'vehicle',
        async handle(exchange) {
          const body = await readBody(exchange.request, ECU_KEY_MAX_BYTES);
          await saveEncryptionKey(context, vehicleOf(exchange), body);
          sendEmpty(exchange.response, 200);
        },
      },
    ],
    [
      `POST ${DEVICE_PATHS.consents}`,
      {
        name: 'consent',
        audience: 'vehicle',
        async handle(exchange) {
          const body = await readBody(exchange.request, ECU_KEY_MAX_BYTES);
          await saveConsent({ context, observer }, vehicleOf(exchange), body);
          sendEmpty(exchange.response, 200);
        },
      },
    ],
    [
      `GET ${DEVICE_PATHS.campaigns}`,
      {
        name: 'campaigns',
        audience: 'vehicle',
        async handle(exchange) {
          const campaigns = await parts.campaigns(vehicleOf(exchange));
          sendJson(exchange.response, utf8(JSON.stringify({ campaigns })));
        },
      },
    ],
  ]);
}

/** Root is the same for all; the other three are the vehicle's own. An absent file is a bare 404. */
async function sendDirectorFile(parts: GatewayParts, exchange: Exchange): Promise<void> {
  const { response, request, rest } = exchange;
  const [, digits, name] = FILE.exec(rest) ?? [];
  const file = FILES.find((one) => one === name);
  if (file === undefined) {
    const found = await parts.metadata.find('director', AKTUALIZR, rest);
    if (found === undefined) sendEmpty(response, 404);
    else sendJson(response, found.bytes);
    return;
  }
  const vehicleId = vehicleOf(exchange);
  const { version, bytes } = await parts.director.load(vehicleId, file);
  if (digits !== undefined && (file === 'timestamp' || Number(digits) !== version)) {
    sendEmpty(response, 404);
    return;
  }
  const etag = `"${version}"`;
  // Only who knows our answer asks like this: the vehicles' own client takes a 304 for an empty file.
  if (request.headers['if-none-match'] === etag) sendNotModified(response);
  else sendJson(response, bytes, { etag, 'cache-control': 'no-store' });
}
