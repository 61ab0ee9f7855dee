/** `immota vehicle approve` and `immota pki issue-technician`: skilled people beside a vehicle {R156 7.1.4.2}. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  handInApproval,
  readTechnicianAnswer,
  readTechnicianRequest,
  signApproval,
  type TechnicianAnswer,
  type TechnicianRequest,
  workSha256Of,
} from '@immota/vehicle';
import { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { CliFault } from '../fault.ts';
import {
  hireTechnician,
  loadTechnician,
  TECHNICIAN_DAYS_MAX,
  TECHNICIAN_FOLDER,
  WORKSHOPS_FOLDER,
} from '../vehicle/workshop.ts';

/** A day in the workshop; the vehicle takes no longer one. */
const HOURS_MAX = 24;
/** Between two looks at the vehicle's answer. */
const LOOK_MS = 200;
/** The vehicle's clock may be a little behind. */
const BACKDATING_MINUTES = 5;

interface ApproveOptions {
  readonly credential?: string;
  readonly refuse?: string;
  readonly work?: string;
  readonly hours: string;
  readonly wait: string;
  readonly locale: string;
}

/** Makes `immota vehicle approve`. */
export function approveCommand(context: CommandContext): Command {
  return new Command('approve')
    .description(
      'show what a vehicle needs a technician for; with --credential, say yes or no to it',
    )
    .argument('<folder>', 'the vehicle’s folder')
    .option('--credential <DIR>', 'yours, as immota pki issue-technician wrote it')
    .option('--refuse <WHY>', 'says no: what was begun is taken back')
    .option('--work <DIGITS>', 'approves only this work, as it was shown')
    .option('--hours <N>', 'how long it is good, 24 at most', '8')
    .option('--wait <SECONDS>', 'how long to wait for the vehicle’s answer', '30')
    .option('--locale <TAG>', 'your language', 'en')
    .action(async (folder: string, options: ApproveOptions) => {
      const desk = join(folder, 'tbox', TECHNICIAN_FOLDER);
      const request = readTechnicianRequest(desk);
      if (request === undefined) {
        throw new CliFault('USAGE', `Cannot approve: ${folder} waits for no technician`);
      }
      const work = workSha256Of(request.stop, request.images);
      if (options.credential === undefined) {
        const shown = { ...request, work };
        context.output().result(shown, () => describe(request, { work, locale: options.locale }));
        context.output().note('Next: the same with --credential DIR, and --refuse WHY for a no');
        return;
      }
      context.output().say(describe(request, { work, locale: options.locale }));
      if (options.work !== undefined && !isStartOf(options.work, work)) {
        throw new CliFault('USAGE', `Cannot approve: the vehicle asks for other work now, ${work}`);
      }
      const answer = await handIn(context, desk, { request, work, options });
      context
        .output()
        .result(answer, ({ code, message }) => (message === '' ? code : `${code}: ${message}`));
      if (!['ACCEPTED', 'HANDED_IN'].includes(answer.code)) {
        throw new CliFault('SERVER', `Cannot approve: the vehicle says ${answer.code}`);
      }
    });
}

/** Makes `immota pki issue-technician`. */
export function issueTechnicianCommand(context: CommandContext): Command {
  return new Command('issue-technician')
    .description(
      'make a technician’s credential: with it, steps that need a skilled person are approved',
    )
    .argument('<name>', 'who it is: letters, digits and "-"')
    .requiredOption('--out <DIR>', 'the folder for the technician')
    .option('--days <N>', `how long it is good, ${TECHNICIAN_DAYS_MAX} at most`, '30')
    .action(async (name: string, options: { readonly out: string; readonly days: string }) => {
      const days = wholeNumber(options.days, TECHNICIAN_DAYS_MAX, '--days');
      if (!existsSync(context.dataFolder())) {
        throw new CliFault(
          'DATA_FOLDER',
          'Cannot issue: there is no data folder; immota init first',
        );
      }
      const workshop = join(context.dataFolder(), WORKSHOPS_FOLDER);
      await hireTechnician(workshop, { name, days, out: options.out }, context);
      context
        .output()
        .result({ name, folder: options.out }, () => `Wrote ${options.out} for ${name}`);
    });
}

async function handIn(
  { clock, entropy }: CommandContext,
  desk: string,
  said: {
    readonly request: TechnicianRequest;
    readonly work: string;
    readonly options: ApproveOptions;
  },
): Promise<TechnicianAnswer> {
  const { request, work, options } = said;
  const hours = wholeNumber(options.hours, HOURS_MAX, '--hours');
  const from = clock.now().round('second').subtract({ minutes: BACKDATING_MINUTES });
  const bytes = await signApproval(
    {
      id: entropy.bytes(16).toHex(),
      vehicle: request.vehicle,
      correlationId: request.correlationId,
      step: request.stop.step,
      workSha256: work,
      challenge: request.challenge,
      decision: options.refuse === undefined ? 'go' : 'stop',
      reason: options.refuse ?? '',
      from,
      until: from.add({ hours }),
    },
    loadTechnician(options.credential ?? ''),
  );
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  handInApproval(desk, bytes, sha256);
  const looks = Math.ceil((wholeNumber(options.wait, 3600, '--wait', 0) * 1000) / LOOK_MS);
  for (let look = 0; look < looks; look += 1) {
    const answer = readTechnicianAnswer(desk);
    if (answer?.sha256 === sha256) return answer;
    await sleep(LOOK_MS);
  }
  return { sha256, code: 'HANDED_IN', message: 'the vehicle takes it at its next check-in' };
}

const STEPS = {
  activate: 'before anything changes over',
  commit: 'all runs its new software on trial; after your work it becomes final',
} as const;

function describe(
  { vehicle, stop, images }: TechnicianRequest,
  { work, locale }: { readonly work: string; readonly locale: string },
): string {
  const tasks = stop.tasks.map(
    (task) => task[locale] ?? task['en'] ?? Object.values(task)[0] ?? '',
  );
  return [
    `${vehicle} needs a technician: ${STEPS[stop.step]}`,
    `at ${stop.ecus.join(', ')}`,
    ...tasks.map((task) => `· ${task}`),
    ...images.map(({ ecu, name, sha256 }) => `${ecu} ← ${name} (${sha256.slice(0, 16)})`),
    `work ${work}`,
  ].join('\n');
}

function isStartOf(digits: string, work: string): boolean {
  return /^[0-9a-f]{8,64}$/u.test(digits) && work.startsWith(digits);
}

// The name of the option is for the refusal's words.
// oxlint-disable-next-line max-params
function wholeNumber(spelled: string, max: number, option: string, min = 1): number {
  const number = Number(spelled);
  if (Number.isSafeInteger(number) && number >= min && number <= max) return number;
  throw new CliFault('USAGE', `Cannot read ${option} "${spelled}": a whole number up to ${max}`);
}
