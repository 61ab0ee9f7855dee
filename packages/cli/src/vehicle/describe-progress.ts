/** What a vehicle does, in words. */
import type { ProgressEvent } from '@immota/vehicle';

const PHASES = {
  register: 'register its ECUs',
  manifest: 'send the manifest',
  time: 'ask for attested time',
  metadata: 'fetch and verify metadata',
  consent: 'ask for consent',
  download: 'download',
  'time-to-secondaries': 'hand time to the ECUs',
  'metadata-to-secondaries': 'hand metadata to the ECUs',
  install: 'install',
  activate: 'boot',
  'roll-back': 'bring the old images back',
  report: 'report',
} as const;

/** Describes one event; undefined for those that come too often to be read. */
export function describeProgress(event: ProgressEvent): string | undefined {
  switch (event.kind) {
    case 'phase':
      return `· ${PHASES[event.phase]}`;
    case 'update-verified':
      return `verified: ${event.images.map(({ ecu, name }) => `${ecu} ← ${name}`).join(', ')}`;
    case 'consent':
      return `consent to ${event.step}: ${event.decision}`;
    case 'download':
      return event.receivedBytes === event.lengthBytes
        ? `downloaded ${event.name}, ${(event.lengthBytes / 1_000_000).toFixed(1)} MB`
        : undefined;
    case 'image-verified':
      return `image verified: ${event.name}`;
    case 'ecu-prepared':
      return `${event.ecu} has ${event.name} in its other slot, verified`;
    case 'ecu-activated':
      return `${event.ecu} boots ${event.name}`;
    case 'ecu-result':
      return `${event.ecu}: ${event.code} ${event.description}`;
    case 'forecast': {
      const [low, high] = [event.unusable.low, event.unusable.high].map((ms) => ms / 60_000);
      return `foretold: ${low?.toFixed(1)} to ${high?.toFixed(1)} min during which it cannot be used`;
    }
    case 'technician':
      return event.state === 'awaited'
        ? `a technician has to stand by at ${event.ecus.join(', ')}: immota vehicle approve`
        : `technician ${event.technician} says ${event.decision} to ${event.step}`;
    case 'refused':
      return `REFUSED [${event.code}] ${event.message}`;
    case 'check-in-ended':
      return undefined;
    case 'certificate-renewed':
      return `certificate renewed until ${event.notAfter.toString()}`;
    default:
      return undefined;
  }
}
