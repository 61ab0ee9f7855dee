/**
 * A TUF client around the trust core: `init`, `refresh`, `download`, as the public conformance suite
 * drives them. The core says which file to ask for next; the shell asks, keeps and forgets.
 */
import { existsSync } from 'node:fs';
import type { Clock } from '@immota/base';
import { unreachable } from '@immota/base';
import {
  findTarget,
  limits,
  metadataFileName,
  parseTargetName,
  RepositorySession,
  type RepositoryTrust,
  runWorkflow,
  type StepPerformer,
  TUF,
} from '@immota/uptane';
import { type Command, parseCommand, type Repository } from './arguments.ts';
import { fetchArtifact } from './artifact.ts';
import { ClientFault } from './fault.ts';
import { metadataPath, readWhole, removeFile, writeWhole } from './folder.ts';
import { downloadWhole, PATIENCE, type Patience } from './transport.ts';

/** What the client has from outside beside its command line. */
export interface ClientPorts {
  readonly clock: Clock;
  readonly patience?: Patience;
}

/**
 * Carries out one call.
 *
 * @param args - the command line without the program's name.
 * @throws ClientFault, or UptaneFault as the trust core refuses.
 */
export async function runClient(args: readonly string[], ports: ClientPorts): Promise<void> {
  const command = parseCommand(args);
  switch (command.verb) {
    case 'init':
      initialise(command);
      return;
    case 'refresh':
      await refresh(command, ports);
      return;
    case 'download':
      await downloadTargets(command, ports);
      return;
    default:
      unreachable(command);
  }
}

/** Takes the Root over as it is: each refresh checks what is stored before it asks for anything. */
function initialise(command: Extract<Command, { verb: 'init' }>): void {
  const root = readWhole(command.trustedRoot);
  if (root === undefined || root.length > limits.ROOT_MAX_BYTES) {
    throw new ClientFault('FILE', `Cannot take ${command.trustedRoot}: not there, or too long`);
  }
  writeWhole(metadataPath(command.metadataDir, 'root'), root);
}

interface Cycle {
  readonly session: RepositorySession;
  readonly trust: RepositoryTrust;
  readonly perform: StepPerformer;
}

async function refresh(repository: Repository, ports: ClientPorts): Promise<Cycle> {
  const { metadataDir } = repository;
  // The core would trust the first Root that it sees; this client starts from the one it was given.
  if (!existsSync(metadataPath(metadataDir, 'root'))) {
    throw new ClientFault('NOT_INITIALISED', `Cannot start: no Root in ${metadataDir}`);
  }
  const session = new RepositorySession({
    repository: 'image',
    dialect: TUF,
    now: ports.clock.now(),
    pinnedRoot: undefined,
    chain: 'full',
    // A plain TUF repository may keep there what it likes.
    custom: 'opaque',
  });
  const perform = performerFor(repository, ports.patience ?? PATIENCE);
  const trust = await runWorkflow(session.refresh(), perform);
  return { session, trust, perform };
}

async function downloadTargets(
  command: Extract<Command, { verb: 'download' }>,
  ports: ClientPorts,
): Promise<void> {
  const { session, trust, perform } = await refresh(command, ports);
  for (const targetName of command.targetNames) {
    const query = { name: parseTargetName(targetName), hardwareIdentifiers: [] };
    const found = await runWorkflow(findTarget(TUF, { session, trust }, query), perform);
    if (found === undefined) {
      throw new ClientFault('TARGET_UNKNOWN', `Cannot get "${targetName}": no role lists it`);
    }
    await fetchArtifact({
      name: targetName,
      expected: found.file,
      prefixed: trust.root.body.consistentSnapshot,
      base: command.targetBaseUrl,
      folder: command.targetDir,
      patience: ports.patience ?? PATIENCE,
    });
  }
}

function performerFor({ metadataDir, metadataUrl }: Repository, patience: Patience): StepPerformer {
  return async (step) => {
    switch (step.kind) {
      case 'load':
        return readWhole(metadataPath(metadataDir, step.role));
      case 'save':
        writeWhole(metadataPath(metadataDir, step.role), step.metadata.bytes);
        return undefined;
      case 'drop':
        removeFile(metadataPath(metadataDir, step.role));
        return undefined;
      case 'fetch': {
        const path = metadataFileName(TUF, step.file);
        const { lengthMaxBytes } = step;
        return await downloadWhole({ base: metadataUrl, path, lengthMaxBytes }, patience);
      }
      default:
        return unreachable(step);
    }
  };
}
