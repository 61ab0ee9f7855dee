/** `immota key decision`: a person's own key, with which they hand campaigns in and approve them. */
import { Command, Option } from 'commander';
import { callServer } from '../client.ts';
import type { CommandContext } from '../context.ts';
import {
  DECISION_ALGORITHMS,
  type DecisionAlgorithm,
  describeRegistration,
  loadDecisionKey,
  makeDecisionKey,
} from '../decision-key.ts';

interface DecisionKeyOptions {
  readonly out?: string;
  readonly from?: string;
  readonly name: string;
  readonly algorithm: DecisionAlgorithm;
  readonly register?: true;
}

/** Adds `immota key decision` to its command. */
export function keyDecisionCommand(context: CommandContext): Command {
  return new Command('decision')
    .description('make a key with which you sign decisions on campaigns, and register it as yours')
    .addOption(new Option('--out <FILE>', 'makes a new key in this file, for you alone to read'))
    .addOption(new Option('--from <FILE>', 'a key that you have').conflicts('out'))
    .option('--name <NAME>', 'so that you know it again', 'decisions')
    .addOption(
      new Option('--algorithm <name>', 'how it signs')
        .choices(DECISION_ALGORITHMS)
        .default('ed25519'),
    )
    .option('--register', 'tells the server that it is yours; the private half stays here')
    .action(async (options: DecisionKeyOptions) => {
      const file = options.out ?? options.from ?? 'decision.key.json';
      const key =
        options.from === undefined ? makeDecisionKey(file, options) : loadDecisionKey(file);
      const { name, algorithm, keyId } = key;
      if (options.register === true) {
        const json = await describeRegistration(key);
        await callServer(context.connection(), 'createSigningKey', { json });
      }
      const isRegistered = options.register === true;
      context
        .output()
        .result({ file, name, algorithm, keyId, isRegistered }, () =>
          [`${algorithm} key "${name}" in ${file}`, `id ${keyId}`].join('\n'),
        );
      context
        .output()
        .note(
          isRegistered
            ? `Next: immota campaign submit ID --key ${file}`
            : `Next: immota key decision --from ${file} --register`,
        );
    });
}
