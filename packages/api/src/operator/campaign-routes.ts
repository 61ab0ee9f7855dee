/** Routes of campaigns: plan, rehearse, approve, run, look. */
import { z } from '@hono/zod-openapi';
import { CAMPAIGN_STAGES, VEHICLE_STATES } from '../campaign/states.ts';
import {
  approvalSchema,
  campaignConflictSchema,
  campaignDetailSchema,
  campaignLiveSchema,
  campaignMemberSchema,
  campaignPlanSchema,
  failureCellSchema,
  rehearsalSchema,
  submissionSchema,
} from './campaign-schemas.ts';
import { APPROVERS, AUDITORS, OPERATORS, READERS } from './roles.ts';
import { campaignParams, json, route, streamRoute } from './route.ts';
import { campaignSchema, campaignVehicleSchema, pageOf, pageQuerySchema } from './schemas.ts';
import { text } from './text.ts';

const reason = z.object({ reason: text(1000).default('') });

/** See the head of the file. */
export const CAMPAIGN_ROUTES = {
  createCampaign: route('post', '/campaigns', {
    roles: OPERATORS,
    summary: 'Create a campaign, as a draft',
    request: { body: json(campaignPlanSchema.openapi('CampaignRequest')) },
    answer: campaignDetailSchema,
    status: 201,
  }),
  listCampaigns: route('get', '/campaigns', {
    roles: READERS,
    summary: 'List campaigns, the newest first',
    request: { query: pageQuerySchema.extend({ state: text(20).optional() }) },
    answer: pageOf(campaignSchema),
  }),
  getCampaign: route('get', '/campaigns/{campaignId}', {
    roles: READERS,
    summary: 'Show a campaign and count its vehicles',
    request: { params: campaignParams },
    answer: campaignDetailSchema,
  }),
  changeCampaign: route('put', '/campaigns/{campaignId}', {
    roles: OPERATORS,
    summary: 'Change a draft; what was approved before needs a new approval',
    request: { params: campaignParams, body: json(campaignPlanSchema) },
    answer: campaignDetailSchema,
  }),
  rehearseCampaign: route('post', '/campaigns/{campaignId}/rehearsal', {
    roles: OPERATORS,
    summary: 'Begin to rehearse a campaign over the fleet as it was last seen',
    request: { params: campaignParams },
    answer: rehearsalSchema,
    status: 201,
  }),
  getRehearsal: route('get', '/campaigns/{campaignId}/rehearsal', {
    roles: READERS,
    summary: 'Show the last rehearsal of a campaign, or how far it is',
    request: { params: campaignParams },
    answer: rehearsalSchema,
  }),
  submitCampaign: route('post', '/campaigns/{campaignId}/submission', {
    roles: OPERATORS,
    summary: 'Hand a campaign in for approval; its content is frozen',
    request: { params: campaignParams, body: json(submissionSchema) },
    answer: campaignDetailSchema,
  }),
  decideCampaign: route('post', '/campaigns/{campaignId}/approval', {
    roles: APPROVERS,
    summary: 'Approve or reject a campaign that somebody else handed in',
    request: { params: campaignParams, body: json(approvalSchema) },
    answer: campaignDetailSchema,
  }),
  startCampaign: route('post', '/campaigns/{campaignId}/start', {
    roles: OPERATORS,
    summary: 'Start or resume a campaign',
    request: { params: campaignParams },
    answer: campaignDetailSchema,
  }),
  resumeCampaign: route('post', '/campaigns/{campaignId}/resume', {
    roles: OPERATORS,
    summary: 'Let a campaign go on that held by itself, and say why',
    request: { params: campaignParams, body: json(z.object({ reason: text(1000, 1) })) },
    answer: campaignDetailSchema,
  }),
  pauseCampaign: route('post', '/campaigns/{campaignId}/pause', {
    roles: OPERATORS,
    summary: 'Pause a campaign',
    request: { params: campaignParams, body: { ...json(reason), required: false } },
    answer: campaignDetailSchema,
  }),
  cancelCampaign: route('post', '/campaigns/{campaignId}/cancel', {
    roles: OPERATORS,
    summary: 'Cancel a campaign for good',
    request: { params: campaignParams, body: { ...json(reason), required: false } },
    answer: campaignDetailSchema,
  }),
  openWave: route('post', '/campaigns/{campaignId}/waves/{wave}/open', {
    roles: OPERATORS,
    summary: 'Open the next wave by hand',
    request: {
      params: campaignParams.extend({ wave: z.coerce.number().int().min(1).max(16) }),
    },
    answer: campaignDetailSchema,
  }),
  getLiveCampaign: route('get', '/campaigns/{campaignId}/live', {
    roles: READERS,
    summary: 'Show the funnel, the adoption and the health of a campaign',
    request: { params: campaignParams },
    answer: campaignLiveSchema,
  }),
  listFailures: route('get', '/campaigns/{campaignId}/failures', {
    roles: READERS,
    summary: 'Show where failures gather: hardware by what ran before',
    request: { params: campaignParams },
    answer: z.object({ items: z.array(failureCellSchema) }),
  }),
  listConflicts: route('get', '/campaigns/{campaignId}/conflicts', {
    roles: READERS,
    summary: 'List live campaigns that want some of the same vehicles',
    request: { params: campaignParams },
    answer: z.object({ items: z.array(campaignConflictSchema) }),
  }),
  listCampaignVehicles: route('get', '/campaigns/{campaignId}/vehicles', {
    roles: READERS,
    summary: 'List the vehicles of a campaign with their reasons',
    request: {
      params: campaignParams,
      query: pageQuerySchema.extend({ state: text(20).optional() }),
    },
    answer: pageOf(campaignVehicleSchema),
  }),
  listMembers: route('get', '/campaigns/{campaignId}/members', {
    roles: READERS,
    summary: 'List the vehicles of a campaign, filtered and sorted',
    request: {
      params: campaignParams,
      query: pageQuerySchema.extend({
        state: z.enum(VEHICLE_STATES).optional(),
        stage: z.enum(CAMPAIGN_STAGES).optional(),
        reason: text(40).optional(),
        wave: z.coerce.number().int().min(1).max(16).optional(),
        search: text(64).optional(),
        hardwareId: text(200).optional(),
        source: text(253).optional(),
      }),
    },
    answer: pageOf(campaignMemberSchema),
  }),
  exportMembers: streamRoute('/campaigns/{campaignId}/export', {
    roles: READERS,
    summary: 'Export every vehicle of a campaign with its reason',
    request: {
      params: campaignParams,
      query: z.object({ format: z.enum(['csv', 'ndjson']).default('csv') }),
    },
    media: ['text/csv', 'application/x-ndjson'],
  }),
  exportEvidence: streamRoute('/campaigns/{campaignId}/evidence', {
    roles: [...AUDITORS, 'operator', 'release-engineer'],
    summary: 'Export what an authority asks of a campaign, signed, to be verified offline',
    request: { params: campaignParams },
    media: ['application/x-ndjson'],
  }),
};
