/** Starts a cloud: the Director, the gateway, and what keeps metadata fresh. */
import { type Scheduled, systemTimer, type Timer } from '@immota/store';
import type { ServerNames } from './authorities.ts';
import { type Cloud, type CloudOptions, openCloud } from './cloud.ts';
import { createDeltas, type Deltas } from './delta/deltas.ts';
import { type Director, openDirector } from './director/director.ts';
import { NO_OBSERVER, NO_PLANS, type Planner, type ReportObserver } from './director/ports.ts';
import { type ArrivalTimes, type Gateway, openGateway } from './gateway/gateway.ts';
import type { CampaignList, GatewayParts } from './gateway/parts.ts';
import type { Rate } from './gateway/rate-limit.ts';
import { openRepositoryServer } from './gateway/repository-server.ts';
import { createMetadataFiles } from './image-repository/metadata-files.ts';
import { type AccessView, openAccessView } from './inventory/access.ts';
import type { ReplacementPolicy } from './inventory/register.ts';
import { createMetrics, openStatusServer, type StatusServer } from './status-server.ts';
import { openTlsView, type TlsView } from './tls-view.ts';
import { refreshRepositories } from './trust/refresh.ts';

/** Who decides what vehicles run, and who is told what they report. */
export interface CampaignRoom {
  readonly planner: Planner;
  readonly observer: ReportObserver;
  /** For the vehicles' client in its mode that asks its user; none when left out. */
  readonly campaigns?: CampaignList | undefined;
}

/** How a cloud is served. */
export interface ServeOptions extends CloudOptions {
  /** Where the gateway listens; all addresses and any free port when left out. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  /** By which names vehicles reach it; `localhost` and `127.0.0.1` when left out. */
  readonly names?: ServerNames | undefined;
  /** Where health and metrics are; on loopback and any free port when left out. */
  readonly statusPort?: number | undefined;
  /** Makes the room of campaigns once the cloud is open; nothing is ever offered when left out. */
  readonly campaigns?: ((cloud: Cloud) => CampaignRoom | Promise<CampaignRoom>) | undefined;
  /** What happens when an ECU comes with another key; an operator approves when left out. */
  readonly replacement?: ReplacementPolicy | undefined;
  /** Where a CDN serves the published tree; the gateway serves images when left out. */
  readonly cdnBase?: string | undefined;
  /**
   * Where the Image repository is served by itself, to anybody and in the clear: what is in it is signed, and
   * what is secret is encrypted. For TUF clients and as the origin of a CDN; nowhere when left out.
   */
  readonly repository?: { readonly host: string; readonly port: number } | undefined;
  /** How often a vehicle may ask. */
  readonly rate?: Rate | undefined;
  /** How long a request of a vehicle may take to arrive. */
  readonly arrival?: ArrivalTimes | undefined;
  readonly timer?: Timer | undefined;
}

/** A cloud that serves. */
export interface RunningCloud {
  readonly cloud: Cloud;
  readonly director: Director;
  readonly access: AccessView;
  readonly room: CampaignRoom;
  readonly gateway: Gateway;
  readonly deltas: Deltas;
  /** What every server of it shows of itself. */
  readonly tls: TlsView;
  readonly urls: {
    /** For vehicles, over TLS. */
    readonly gateway: string;
    /** Health and metrics. */
    readonly status: string;
    /** The Image repository for anybody, if it is served. */
    readonly repository?: string;
  };
  /** Lets requests end, writes what was gathered, and closes everything. */
  close(): Promise<void>;
}

/** How often metadata are looked at; they are made anew when half their life is over. */
const REFRESH_MS = 15 * 60_000;
const LOCAL: ServerNames = { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] };

/**
 * Starts a cloud.
 *
 * @throws as `openCloud`; CloudFault REPOSITORY_STATE when its first metadata are not published yet.
 */
export async function startCloud(options: ServeOptions): Promise<RunningCloud> {
  const cloud = await openCloud(options);
  const opened: { close(): Promise<void> }[] = [cloud];
  try {
    return await serve(cloud, options, opened);
  } catch (error) {
    await closeAll(opened);
    throw error;
  }
}

async function serve(
  cloud: Cloud,
  options: ServeOptions,
  opened: { close(): Promise<void> }[],
): Promise<RunningCloud> {
  const { context, store, authorities, secret, folder } = cloud;
  const { clock, entropy, names = LOCAL, timer = systemTimer } = options;
  let gateway: Gateway | undefined;
  const metrics = createMetrics(() => gateway?.connections() ?? 0);
  const failed = (error: unknown): void => {
    metrics.failed();
    options.failed?.(error);
  };
  // Nothing is served before there is something to trust.
  store.director();
  if (await refreshRepositories(cloud.trust)) await store.reload();
  const room = (await options.campaigns?.(cloud)) ?? { planner: NO_PLANS, observer: NO_OBSERVER };
  const access = await openAccessView(context.database, failed);
  opened.push(access);
  const director = await startDirector(cloud, room, { ...options, failed });
  opened.push(director);
  const { host = '0.0.0.0', port = 0, rate, arrival } = options;
  const shown = { folder, authorities, secret, names, clock, entropy, timer, failed };
  const tls = await openTlsView(shown);
  opened.push(tls);
  const { catalogue, blobs } = cloud;
  const deltas = createDeltas({ context, catalogue, blobs, folder: folder.root, failed });
  opened.push(deltas);
  const parts = gatewayParts(cloud, { director, room, deltas, replacement: options.replacement });
  const answered = (route: string, status: number): void => {
    metrics.answered(route, status);
  };
  const listening = { host, port, rate, arrival, timer, failed, answered };
  gateway = await openGateway({ parts, access, tls, ...listening });
  opened.push(gateway);
  const status: StatusServer = await openStatusServer({
    host: '127.0.0.1',
    port: options.statusPort ?? 0,
    database: context.database,
    metrics,
  });
  opened.push(status, keepFresh(cloud, timer, failed));
  const [name = '127.0.0.1'] = [...names.dnsNames, ...names.ipAddresses];
  let repository: string | undefined;
  if (options.repository !== undefined) {
    const server = await openRepositoryServer({ parts, clock, failed, ...options.repository });
    opened.push(server);
    repository = `http://${name}:${server.port}`;
  }
  const urls = {
    gateway: `https://${name}:${gateway.port}`,
    status: `http://127.0.0.1:${status.port}`,
    ...(repository === undefined ? {} : { repository }),
  };
  const close = (): Promise<void> => closeAll(opened);
  return { cloud, director, access, room, gateway, deltas, tls, urls, close };
}

function startDirector(
  { context, store, catalogue, keystore, trust }: Cloud,
  { planner, observer }: CampaignRoom,
  options: Pick<ServeOptions, 'cdnBase'> & { readonly failed: (error: unknown) => void },
): Promise<Director> {
  const { cdnBase, failed } = options;
  const { lifetimes } = trust;
  const parts = { planner, observer, catalogue, keystore, lifetimes, cdnBase, failed };
  return openDirector(context, { ...parts, trust: store });
}

function gatewayParts(
  { context, store, authorities, blobs, catalogue, keystore }: Cloud,
  rest: {
    readonly director: Director;
    readonly room: CampaignRoom;
    readonly deltas: Deltas;
    readonly replacement: ReplacementPolicy | undefined;
  },
): GatewayParts {
  const { director, room, deltas, replacement = 'approve' } = rest;
  const { observer, campaigns = () => Promise.resolve([]) } = room;
  return {
    context,
    director,
    catalogue,
    metadata: createMetadataFiles(context.database, store),
    blobs,
    deltas,
    keystore,
    observer,
    replacement,
    campaigns,
    authorities: [authorities.devices, authorities.servers],
    certificates: [authorities.devices.certificate, authorities.root],
  };
}

/** Makes the Image repository's online files anew in time, again and again. */
function keepFresh(
  cloud: Cloud,
  timer: Timer,
  failed: (error: unknown) => void,
): { close(): Promise<void> } {
  let running: Promise<unknown> = Promise.resolve();
  let scheduled: Scheduled;
  const schedule = (): void => {
    scheduled = timer.schedule(REFRESH_MS, () => {
      running = refreshRepositories(cloud.trust)
        .then((isChanged) => (isChanged ? cloud.store.reload() : undefined))
        .catch(failed)
        .then(schedule);
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
async function closeAll(opened: readonly { close(): Promise<void> }[]): Promise<void> {
  for (const one of opened.toReversed()) await one.close();
}
