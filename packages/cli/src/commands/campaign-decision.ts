/** `immota campaign submit|approve|reject`: decisions of a person, signed here. */
import type { CampaignDecision } from '@immota/api';
import type { JsonObject } from '@immota/base';
import { type Command, Option } from 'commander';
import { callServer } from '../client.ts';
import type { CommandContext } from '../context.ts';
import { loadDecisionKey, signDecision } from '../decision-key.ts';
import { CliFault } from '../fault.ts';
import { object, text } from '../fields.ts';

const VERBS = {
  submit: 'hand a campaign in for approval; its content is frozen',
  approve: 'approve a campaign that somebody else handed in',
  reject: 'reject a campaign that somebody else handed in',
} as const;

interface DecideOptions {
  readonly key: string;
  readonly note: string;
  readonly content?: string;
}

/** Adds the three commands. @param print - shows the campaign that the server answers with. */
export function addDecisions(
  command: Command,
  context: CommandContext,
  print: (campaign: JsonObject) => void,
): void {
  for (const verb of ['submit', 'approve', 'reject'] as const) {
    command
      .command(verb)
      .description(VERBS[verb])
      .argument('<campaign>', 'its id')
      .addOption(
        new Option('--key <FILE>', 'your key, of immota key decision').makeOptionMandatory(),
      )
      .option('--note <TEXT>', 'what you have to say to it', '')
      .option('--content <SHA256>', 'refuses when the campaign is not the one that you have read')
      .action(async (campaignId: string, options: DecideOptions) => {
        print(await decide(context, { verb, campaignId, ...options }));
      });
  }
}

/**
 * Signs a decision on a campaign as it is there now, and sends it.
 *
 * @returns the campaign as the server has it then.
 * @throws CliFault USAGE when the content is not the one that was read; FILE; SERVER.
 */
async function decide(
  context: CommandContext,
  asked: DecideOptions & {
    readonly verb: keyof typeof VERBS;
    readonly campaignId: string;
  },
): Promise<JsonObject> {
  const { verb, campaignId, note, content } = asked;
  const key = loadDecisionKey(asked.key);
  const connection = context.connection();
  const campaign = await callServer(connection, 'getCampaign', { params: { campaignId } });
  const contentSha256 = text(campaign, 'contentSha256');
  if (content !== undefined && content !== contentSha256) {
    throw new CliFault('USAGE', `Cannot ${verb} campaign: its content is ${contentSha256} by now`);
  }
  const params = { releaseId: text(campaign, 'releaseId') };
  const dossier = await callServer(connection, 'getDossier', { params });
  const decision: CampaignDecision = {
    campaignId,
    contentSha256,
    dossierSha256: text(dossier, 'contentSha256'),
    decision: verb,
    note: verb === 'submit' ? '' : note,
    signedAt: context.clock.now().toString({ smallestUnit: 'second' }),
  };
  const signature = await signDecision(key, decision);
  if (verb === 'submit') {
    const json = { contentSha256, signature };
    return await callServer(connection, 'submitCampaign', { params: { campaignId }, json });
  }
  const json = { contentSha256, decision: verb, note, signature };
  return await callServer(connection, 'decideCampaign', { params: { campaignId }, json });
}

/** Says in one line who decided what. */
export function describeApproval(campaign: JsonObject): string {
  const approval = object(campaign, 'approval');
  const submitted = text(object(approval, 'submitted'), 'by');
  const decided = object(approval, 'decided');
  const parts = [
    text(approval, 'state'),
    ...(submitted === '' ? [] : [`handed in by ${submitted}`]),
    ...(text(decided, 'by') === '' ? [] : [`decided by ${text(decided, 'by')}`]),
    ...(text(decided, 'note') === '' ? [] : [`“${text(decided, 'note')}”`]),
  ];
  return parts.join(', ');
}
