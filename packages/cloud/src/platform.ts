/** The whole cloud as one process: gateway for vehicles, wake-ups, campaigns, operator API. */
import { assert, findFaultCode } from '@immota/base';
import { type Scheduled, systemTimer } from '@immota/store';
import { type CampaignRoomParts, createCampaignRoom } from './campaign/campaign-room.ts';
import { foldCounts } from './fleet/counts.ts';
import { type Peer, PeerIdentifier } from './gateway/peer.ts';
import { GatewayRecorder } from './gateway/recorder.ts';
import { CloudFault } from './fault.ts';
import { wakeOnPlans } from './notify/wake-on-plans.ts';
import { openWakeBroker, type WakeBroker } from './notify/wake-broker.ts';
import { type OperatorServer, serveOperator } from './operator/serve-operator.ts';
import type { OperatorServices } from './operator/services.ts';
import { createImageUploads } from './image-repository/upload.ts';
import { type RunningCloud, type ServeOptions, startCloud } from './serve.ts';

/** How the whole is served. */
export interface PlatformOptions
  extends
    Omit<ServeOptions, 'campaigns'>,
    Pick<OperatorServices, 'oidc' | 'publicUrl' | 'consoleFiles' | 'webhookAllow'> {
  /** Where the operator API listens; on loopback, behind a reverse proxy in production. */
  readonly operatorHost?: string | undefined;
  readonly operatorPort?: number | undefined;
  /** Where MQTT wake-ups are had; any free port when left out. */
  readonly wakePort?: number | undefined;
  /** Whether campaigns must be approved by a second person; `required` when left out. */
  readonly approvals?: 'required' | 'self' | undefined;
}

/** The whole while it runs. */
export interface Platform extends RunningCloud {
  readonly campaigns: CampaignRoomParts;
  readonly urls: RunningCloud['urls'] & {
    /** For operators. */
    readonly operator: string;
    /** For vehicles that want to be woken: `mqtts://…`. */
    readonly wake: string;
  };
}

interface Closable {
  close(): Promise<void>;
}

/** Starts the whole. @throws as `startCloud`. */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  let room: CampaignRoomParts | undefined;
  const running = await startCloud({
    ...options,
    campaigns: (cloud) => {
      room = createCampaignRoom({ ...cloud, approvals: options.approvals });
      return { planner: room.planner, observer: room.observer };
    },
  });
  const opened: Closable[] = [running];
  try {
    assert(room !== undefined, 'a cloud that has started made its room of campaigns');
    const broker = await openBroker(running, options, opened);
    const operator = await openOperator(running, room, { ...options, broker });
    opened.push(operator, ...keepTime(running, room, options));
    const { hostname } = new URL(running.urls.gateway);
    return {
      ...running,
      campaigns: room,
      urls: {
        ...running.urls,
        operator: operator.url,
        wake: `mqtts://${hostname}:${broker.port}`,
      },
      close: () => closeAll(opened),
    };
  } catch (error) {
    await closeAll(opened);
    throw error;
  }
}

async function openBroker(
  running: RunningCloud,
  options: PlatformOptions,
  opened: Closable[],
): Promise<WakeBroker> {
  const { cloud, access, tls } = running;
  const { authorities, context } = cloud;
  const { clock, failed = ignore, timer } = options;
  const peers = new PeerIdentifier({
    anchors: [authorities.root],
    intermediates: [authorities.devices.certificate],
    access,
    clock,
  });
  const recorder = new GatewayRecorder(context, failed, timer);
  opened.push(recorder);
  const broker = await openWakeBroker({
    host: options.host ?? '0.0.0.0',
    port: options.wakePort ?? 0,
    tls: tls.options(),
    identify: (socket) => vehicleOf(peers.identify(socket)),
    refused: (error, address) => {
      const code = findFaultCode(error);
      if (code === undefined) failed(error);
      else {
        const kind = code === 'FORBIDDEN' ? 'request.refused' : 'certificate.refused';
        const refusal = { kind, vehicleId: undefined, code } as const;
        recorder.refuse({ ...refusal, route: 'wake', address });
      }
    },
  });
  opened.push(broker);
  // Whoever is barred is cut off at once, and not at the next request, which never comes here.
  const stops = [
    access.onChange(() => {
      broker.recheck();
    }),
    tls.onChange((fresh) => {
      broker.show(fresh);
    }),
  ];
  const listening = await wakeOnPlans(context.database, broker, failed);
  opened.push({
    close: () => {
      for (const stop of stops) stop();
      return listening.close();
    },
  });
  return broker;
}

function vehicleOf(peer: Peer): string {
  if (peer.kind === 'vehicle') return peer.deviceId;
  throw new CloudFault('WRONG_CREDENTIALS', 'Cannot wake: bootstrap credentials are no vehicle');
}

async function openOperator(
  running: RunningCloud,
  room: CampaignRoomParts,
  options: PlatformOptions & { readonly broker: WakeBroker },
): Promise<OperatorServer> {
  const { cloud } = running;
  const services = {
    context: cloud.context,
    trustContext: cloud.trust,
    trust: cloud.store,
    releases: room.releases,
    campaigns: room.campaigns,
    uploads: createImageUploads(cloud),
    authorities: cloud.authorities,
    keystore: cloud.keystore,
    secret: cloud.secret,
    oidc: options.oidc,
    publicUrl: options.publicUrl,
    consoleFiles: options.consoleFiles,
    webhookAllow: options.webhookAllow,
    wake: (vehicleId: string) => options.broker.wake(vehicleId),
    failed: options.failed ?? ignore,
  };
  const { operatorHost: host, operatorPort: port } = options;
  return await serveOperator(services, { host, port });
}

/** Waves open and curves are drawn on while nobody asks. */
const ADVANCE_MS = 5000;

/** Vehicles report all day, also while nobody looks at the fleet and has its counts folded. */
const FOLD_MS = 60 * 60 * 1000;

/** What time does by itself: to campaigns, and to the counts of the fleet. */
function keepTime(
  { cloud }: RunningCloud,
  { campaigns }: CampaignRoomParts,
  options: PlatformOptions,
): readonly Closable[] {
  return [
    repeat(ADVANCE_MS, () => campaigns.advance(), options),
    repeat(FOLD_MS, () => foldCounts(cloud.context.database), options),
  ];
}

/** Does something again and again, one at a time; the first time after a whole interval. */
function repeat(
  intervalMs: number,
  work: () => Promise<unknown>,
  { timer = systemTimer, failed = ignore }: PlatformOptions,
): Closable {
  let running: Promise<unknown> = Promise.resolve();
  let scheduled: Scheduled;
  const schedule = (): void => {
    scheduled = timer.schedule(intervalMs, () => {
      running = work().catch(failed).then(schedule);
    });
  };
  schedule();
  return {
    async close() {
      scheduled.cancel();
      await running;
      scheduled.cancel();
    },
  };
}

/** The last that was opened closes first. */
async function closeAll(opened: readonly Closable[]): Promise<void> {
  for (const one of opened.toReversed()) await one.close();
}

/** Who gave no ear hears nothing. */
function ignore(): void {
  // See above.
}
