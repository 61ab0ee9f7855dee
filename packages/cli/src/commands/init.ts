/** `immota init`: a new deployment in a folder. */
import { initialiseCloud } from '@immota/cloud';
import { Command, Option } from 'commander';
import type { CommandContext } from '../context.ts';

/** Adds `immota init` to the command. */
export function initCommand(context: CommandContext): Command {
  return new Command('init')
    .description('make a new deployment in the data folder: keys, authorities, database')
    .option('--organization <NAME>', 'whose it is', 'Immota')
    .addOption(
      new Option(
        '--profile <name>',
        'hybrid adds ML-DSA-65 to every role; other makers’ vehicles read classic only',
      )
        .choices(['classic', 'hybrid'])
        .default('classic'),
    )
    .option('--ceremony', 'make no root and targets keys here: a key ceremony will bring them')
    .action(
      async (options: {
        readonly organization: string;
        readonly profile: 'classic' | 'hybrid';
        readonly ceremony?: true;
      }) => {
        const folder = context.dataFolder();
        const output = context.output();
        output.say(`Making a deployment in ${folder} …`);
        await initialiseCloud({
          folder,
          organization: options.organization,
          profile: options.profile,
          withOfflineKeys: options.ceremony !== true,
          databaseUrl: process.env['DATABASE_URL'],
          clock: context.clock,
          entropy: context.entropy,
          notice: (notice) => output.note(notice.message),
        });
        output.result({ folder, profile: options.profile }, () => `Made ${folder}`);
        output.note(
          options.ceremony === true
            ? 'Next: hold the ceremony (immota key root --help), then immota serve'
            : 'Next: immota serve. For production move root and targets keys offline: see the guide on keys',
        );
      },
    );
}
