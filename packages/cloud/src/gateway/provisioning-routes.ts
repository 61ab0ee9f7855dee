/** How devices get their certificates: `POST /devices` of the vehicles' client, and EST (RFC 7030). */
import { DEVICE_PATHS, deviceLimits, provisionSchema } from '@immota/api';
import {
  answerCaCerts,
  encodeCredentialPkcs12,
  type Enrolment,
  type EnrolmentContext,
  type EstMessage,
  type EstResponse,
  parseEnrolmentRequest,
  PkiFault,
  refuseEnrolment,
  simpleEnrol,
  simpleReenrol,
} from '@immota/pki';
import { committed } from '../context.ts';
import { CloudFault } from '../fault.ts';
import {
  claimDevice,
  deviceValidity,
  type IssuingContext,
  isBootstrap,
  provisionVehicle,
  recordCertificate,
} from '../inventory/credentials.ts';
import type { GatewayRecorder } from './recorder.ts';
import { type Exchange, readBody, sendBytes } from './exchange.ts';
import { parseBody } from './parse-body.ts';
import type { GatewayParts, Route } from './parts.ts';

/** Makes the routes. Refusals of EST have a form of their own, so they are noted here. */
export function provisioningRoutes(
  parts: GatewayParts,
  recorder: GatewayRecorder,
): ReadonlyMap<string, Route> {
  const { context } = parts;
  const est = (name: string, work: (exchange: Exchange) => Promise<Enrolment>): Route => ({
    name,
    audience: 'device',
    async handle(exchange) {
      try {
        sendEst(exchange, (await work(exchange)).response);
      } catch (error) {
        if (!(error instanceof PkiFault)) throw error;
        recorder.refuse({
          kind: 'certificate.refused',
          vehicleId: exchange.peer?.kind === 'vehicle' ? exchange.peer.deviceId : undefined,
          code: error.code,
          route: name,
          address: exchange.request.socket.remoteAddress ?? '',
        });
        sendEst(exchange, refuseEnrolment(error));
      }
    },
  });
  return new Map<string, Route>([
    [
      `POST ${DEVICE_PATHS.provision}`,
      {
        name: 'provision',
        audience: 'bootstrap',
        async handle({ request, response, peer }) {
          const body = await readBody(request, deviceLimits.SMALL_BODY_MAX_BYTES);
          const { deviceId, ttl } = parseBody(provisionSchema, body);
          const days = ttl === undefined ? undefined : Number(ttl);
          const by = peer?.deviceId ?? '';
          const credentials = await provisionVehicle(context, deviceId, { days, by });
          const bytes = encodeCredentialPkcs12(credentials, context.entropy);
          sendBytes(response, { mediaType: 'application/x-pkcs12', bytes });
        },
      },
    ],
    [
      'GET /.well-known/est/cacerts',
      {
        name: 'est-cacerts',
        audience: 'anyone',
        handle(exchange) {
          sendEst(exchange, answerCaCerts(parts.certificates));
          return Promise.resolve();
        },
      },
    ],
    [
      'POST /.well-known/est/simpleenroll',
      est('est-enrol', (exchange) => enrol(context, exchange)),
    ],
    [
      'POST /.well-known/est/simplereenroll',
      est('est-reenrol', (exchange) => reenrol(context, exchange)),
    ],
  ]);
}

/** With bootstrap credentials a device that has no certificate yet; a vehicle for itself alone. */
async function enrol(context: IssuingContext, exchange: Exchange): Promise<Enrolment> {
  const { peer } = exchange;
  const message = await readMessage(exchange);
  const { deviceId } = parseEnrolmentRequest(message);
  return await committed(context.database, async (tx) => {
    if (peer?.kind === 'bootstrap') {
      await claimDevice(context, tx, { deviceId, by: peer.deviceId });
    }
    const permitted = peer?.kind === 'bootstrap' ? deviceId : peer?.deviceId;
    const enrolment = await simpleEnrol(message, permitted, enrolmentContext(context));
    await recordCertificate(context, tx, enrolment);
    return enrolment;
  });
}

async function reenrol(context: IssuingContext, exchange: Exchange): Promise<Enrolment> {
  const { peer } = exchange;
  if (peer === undefined || isBootstrap(peer.deviceId)) {
    throw new CloudFault('WRONG_CREDENTIALS', 'Cannot re-enrol: with credentials of its own only');
  }
  const message = await readMessage(exchange);
  const enrolment = await simpleReenrol(message, peer.device, enrolmentContext(context));
  await committed(context.database, (tx) => recordCertificate(context, tx, enrolment));
  return enrolment;
}

function enrolmentContext(context: IssuingContext): EnrolmentContext {
  const { devices: issuer, status, entropy } = context;
  return { issuer, status, entropy, validity: deviceValidity(context) };
}

async function readMessage({ request }: Exchange): Promise<EstMessage> {
  const body = await readBody(request, deviceLimits.SMALL_BODY_MAX_BYTES);
  return { mediaType: request.headers['content-type'], body };
}

function sendEst({ response }: Exchange, answer: EstResponse): void {
  const { status, mediaType, body, isBase64 } = answer;
  response.writeHead(status, {
    'content-type': mediaType,
    'content-length': body.length,
    ...(isBase64 ? { 'content-transfer-encoding': 'base64' } : {}),
  });
  response.end(body);
}
